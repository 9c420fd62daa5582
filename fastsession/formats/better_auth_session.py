"""Better Auth's session: a signed token in the cookie, the session and its user in a database."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from fastsession.building.given import checked_seconds
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.better_auth_rows import rows_session
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value, percent_decoded
from fastsession.formats.encoding import encode_base64
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.signatures import verify
from fastsession.formats.stored_answers import awaited, immediate
from fastsession.keyring import SecretKey
from fastsession.status import SessionStatus

# The two rows by their tables' names, or the JSON of them that Better Auth keeps in a secondaryStorage.
StoredRows = Mapping[str, Any] | str | bytes | None


class BetterAuthRows(Protocol):
    """Where Better Auth keeps sessions, found by their token."""

    def get(self, token: str, /) -> StoredRows | Awaitable[StoredRows]:
        """`{"session": row, "user": row}` with the columns by Better Auth's names, or JSON of that, or None.

        Raises `StoreUnavailableError`.
        """
        ...


class BetterAuthSession:
    """Reads Better Auth's signed session cookies and their rows from `store`, which is asked for authentic tokens only.

    `secret` is BETTER_AUTH_SECRET; of versioned secrets the current one, which alone signs this cookie.
    Over https the cookie is called `__Secure-better-auth.session_token`, else `better-auth.session_token`.
    A session ends when its row says so or is gone. A store that has to be awaited and does not answer within
    `timeout` seconds is down. `id` and `subject` are the rows' own.
    """

    of_front_end = True

    def __init__(
        self,
        *,
        secret: SecretKey,
        store: BetterAuthRows,
        cookie_name: str = "__Secure-better-auth.session_token",
        timeout: float = 0.5,
    ) -> None:
        # A request with an authentic cookie waits for the store, whether or not its route looks at the session.
        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        self.cookie_name = checked_name(cookie_name)
        self.secrets = (secret_bytes("secret", secret),)
        if not callable(getattr(store, "get", None)):
            message = "store must have get(token), which gives Better Auth's rows: {'session': ..., 'user': ...}."
            raise ConfigurationError(message)
        self._store = store
        warn_of_weak(self, self.secrets)

    def token(self, cookies: Mapping[str, str]) -> str:
        """The authentic token in the cookie; raises `Rejected` (absent, oversize, malformed, forged)."""
        return signed_token(cookies, self.cookie_name, self.secrets[0])

    async def load(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session of the cookie's token, whichever way the store answers."""
        token = self.token(cookies)
        return _session(token, await awaited(self._store.get(token), self._timeout), now)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `load`, for a store that answers at once; raises `ConfigurationError` for one to await."""
        token = self.token(cookies)
        return _session(token, immediate(self._store.get(token), "BetterAuthSession"), now)


def signed_token(cookies: Mapping[str, str], cookie_name: str, secret: bytes) -> str:
    """The token that Better Auth signed for that cookie; raises `Rejected` (absent, oversize, malformed, forged)."""
    token, _, signature = percent_decoded(cookie_value(cookies, cookie_name)).rpartition(".")
    if not token:
        raise Rejected(SessionStatus.MALFORMED, "not a signed token")
    message = token.encode()
    verify(signature, [secret], lambda key: encode_base64(hmac.digest(key, message, "sha256")))
    return token


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _session(token: str, found: StoredRows, now: float) -> ForeignSession:
    """The session in the store's answer; raises `Rejected` (revoked, expired_absolute, malformed, incompatible)."""
    if isinstance(found, str | bytes):
        found = load_object(found if isinstance(found, bytes) else found.encode("utf-8", "backslashreplace"))
    if found is not None and not isinstance(found, Mapping):
        message = "store.get(token) must give {'session': row, 'user': row}, JSON of that, or None."
        raise ConfigurationError(message)
    if not found or not found.get("session") or not found.get("user"):
        raise Rejected(SessionStatus.REVOKED, "the database has no session of this token any more, or no user of it")
    session = rows_session(found["session"], found["user"], now)
    # A store that gives another token's rows would sign one user in as another.
    if not same_text(session.data["session"]["token"], token):
        raise Rejected(SessionStatus.INCOMPATIBLE, "the store gave the rows of another token")
    return session
