"""Logins in browsers whose session is over: a late request with the same cookie does not replace the login's.

A page may poll, and write to its session, while its user signs in after the session has expired or was ended. Each
such request looks like a new visitor's. Without a store and revocations nobody can tell them apart.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from fastsession.errors import StoreUnavailableError
from fastsession.server_side.outdated import note_in, noted_in
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.options import Setup
    from fastsession.reports import View
    from fastsession.server_side.names import Names
    from fastsession.server_side.records import Records
    from fastsession.visit import Visit


# How a cookie is rejected that was one browser's own. Made-up ones may be the same in many browsers.
_OVER = {
    SessionStatus.EXPIRED_IDLE,
    SessionStatus.EXPIRED_ABSOLUTE,
    SessionStatus.REVOKED,
    SessionStatus.BINDING,
    SessionStatus.INCOMPATIBLE,
    SessionStatus.AMBIGUOUS,
}


class SigningIn:
    """Notes for a moment which cookies of sessions that are over a login came with."""

    def __init__(self, setup: Setup, records: Records | None, names: Names) -> None:
        self._setup = setup
        self._records = records
        self._names = names

    async def note(self, view: View) -> None:
        """Note the cookies of this request if it signs in. No failure of that fails a login."""
        visit, revocations = view.visit, self._setup.revocations
        if not _is_over(visit) or not self._signs_in(view):
            return
        with suppress(StoreUnavailableError):
            if revocations is not None:
                await note_in(revocations, self._names, self._cookies(visit), self._setup.clock())
            elif self._records is not None:
                await self._records.note_ended(self._cookies(visit), now=self._setup.clock())

    async def is_outdated(self, view: View) -> bool:
        """Whether the new session that this request makes would replace the one of a login a moment ago."""
        visit, revocations = view.visit, self._setup.revocations
        if not _is_over(visit) or self._signs_in(view):
            return False
        with suppress(StoreUnavailableError):
            if revocations is not None:
                return noted_in(revocations, self._names, self._cookies(visit), self._setup.clock())
            return self._records is not None and await self._records.is_noted(self._cookies(visit))
        return False

    def _signs_in(self, view: View) -> bool:
        return view.visit.regenerated or self._setup.events.subject(view.model) is not None

    def _cookies(self, visit: Visit) -> bytes:
        """What the cookies are noted by: nobody knows which session they were."""
        return sha256(repr(self._setup.cookies.presented(visit.header)).encode()).digest()


def _is_over(visit: Visit) -> bool:
    return visit.token is None and visit.status in _OVER
