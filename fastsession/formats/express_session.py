"""express-session: a signed id in the cookie, the data in a store."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from fastsession.building.given import checked_seconds
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value, percent_decoded, unquoted
from fastsession.formats.foreign_secrets import one_or_more, warn_of_weak
from fastsession.formats.json_data import is_object, load_object
from fastsession.formats.redis_sessions import RedisSessionReader
from fastsession.formats.signatures import unsigned_text
from fastsession.formats.stored_answers import awaited, immediate
from fastsession.formats.validity import expired
from fastsession.status import SessionStatus

_SIGNED_MARK = "s:"
# Text as the store gives it, or bytes.
StoredText = str | bytes | None


class SessionTexts(Protocol):
    """A store of express-session: ids to JSON. A dict is one; `RedisSessionReader` is an asynchronous one."""

    def get(self, session_id: str, /) -> StoredText | Awaitable[StoredText]:
        """The JSON under that id, or None; raises `StoreUnavailableError`."""
        ...


class ExpressSession:
    """Reads express-session's cookies and their sessions from `store`.

    The signature contains no time. The session's own `cookie.expires` applies; without it the session lasts
    as long as the store keeps it. `secret` is one secret, or a list that all verify. The store is asked only
    for authentic ids; a client of redis.asyncio is wrapped in a `RedisSessionReader`. An asynchronous store
    that does not answer within `timeout` seconds counts as down. `ForeignSession.id` is express-session's id.
    """

    def __init__(
        self,
        *,
        secret: str | bytes | Sequence[str | bytes],
        store: SessionTexts,
        cookie_name: str = "connect.sid",
        timeout: float = 0.5,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        self.secrets = one_or_more("secret", secret)
        # Every request with such a cookie waits for the store, whether or not its route looks at the session.
        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        if not callable(getattr(store, "get", None)):
            message = "store must have get(session_id), such as RedisSessionReader(redis_client)."
            raise ConfigurationError(message)
        # A client itself would be asked for the bare id, and never find a session.
        self._store = RedisSessionReader(store) if hasattr(store, "execute_command") else store  # type: ignore[arg-type]  # it checks
        warn_of_weak(self, self.secrets)

    def session_id(self, cookies: Mapping[str, str]) -> str:
        """The authentic id in the cookie; raises `Rejected` (absent, oversize, malformed, forged)."""
        text = percent_decoded(unquoted(cookie_value(cookies, self.cookie_name)))
        if not text.startswith(_SIGNED_MARK):
            raise Rejected(SessionStatus.MALFORMED, "not a signed id")
        session_id = unsigned_text(text.removeprefix(_SIGNED_MARK), self.secrets)
        if not session_id:
            raise Rejected(SessionStatus.MALFORMED, "authentic, but empty")
        return session_id

    async def load(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session of the cookie's id, whichever way the store answers; one to await has `timeout` seconds."""
        session_id = self.session_id(cookies)
        return _session(session_id, await awaited(self._store.get(session_id), self._timeout), now)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `load`, for a store that answers at once; raises `ConfigurationError` for one to await."""
        session_id = self.session_id(cookies)
        return _session(session_id, immediate(self._store.get(session_id), "ExpressSession"), now)


def _session(session_id: str, text: StoredText, now: float) -> ForeignSession:
    """The session in the store's JSON; raises `Rejected` (expired_absolute, malformed, incompatible)."""
    if text is None:
        raise expired("the store has no session of this id any more")
    data = load_object(text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace"))
    cookie = data.pop("cookie", None)
    if not is_object(cookie):
        raise Rejected(SessionStatus.INCOMPATIBLE, "not a session of express-session's")
    expires_at = _timestamp(cookie.get("expires"))
    if expires_at is not None and expires_at <= now:
        raise expired()
    return ForeignSession(data, None, expires_at, session_id)


def _timestamp(expires: object) -> float | None:
    """Unix seconds of JavaScript's `toISOString`; None for a session that ends with the browser."""
    if expires is None:
        return None
    try:
        moment = datetime.fromisoformat(expires) if isinstance(expires, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Rejected(SessionStatus.INCOMPATIBLE, "its cookie.expires is no time")
    return moment.timestamp()
