"""@hapi/yar 11: hapi's sessions, an envelope in a Fe26.2 seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.formats.capacity import too_large
from fastsession.formats.contract import ForeignSession
from fastsession.formats.iron import Iron
from fastsession.formats.iron_passwords import IronPassword
from fastsession.formats.json_data import is_object
from fastsession.status import SessionStatus


class Yar:
    """Reads and writes yar's cookies. By default they contain no time and never expire.

    `password` is as in `Iron`. `ttl` is yar's `cookieOptions.iron.ttl` in seconds instead of milliseconds;
    `format=` requires it. yar's flash messages stay under `_flash`. Sessions longer than yar's `maxCookieSize`
    are in hapi's own cache, and their cookies hold only an id: they read as empty. `ForeignSession.id` is
    yar's id.
    """

    def __init__(self, *, password: IronPassword, cookie_name: str = "session", ttl: float = 0) -> None:
        self._iron = Iron(password=password, cookie_name=cookie_name, ttl=ttl)
        self.timed = self._iron.timed
        self.cookie_name = cookie_name
        self.secrets = self._iron.secrets

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the session in the envelope."""
        session = self._iron.read(cookies, now=now)
        session_id, data = session.data.get("id"), session.data.get("_store", {})
        if not isinstance(session_id, str) or not is_object(data):
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a session of yar's")
        return replace(session, data=data, id=session_id)

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """Return one cookie, with a new id unless the session has one."""
        envelope: dict[str, Any] = {"id": session.id or str(uuid4()), "_store": session.data}
        try:
            return self._iron.write(replace(session, data=envelope), now=now)
        except SessionTooLargeError as error:
            # The user's own fields, without the envelope.
            raise too_large(session.data, size=error.size, limit=error.limit) from None
