"""Starlette's session middleware by its own signature, with our sealed cookies: one import line to change."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastsession.cookies import CookieWriter, Header, SameSite, check_name, cookie_pairs
from fastsession.dependencies.openapi import announce_cookie
from fastsession.dependencies.routes import RouteInspection
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.migrating import adopted
from fastsession.formats.migration import Migration
from fastsession.formats.starlette_session import StarletteSession as SignedSession
from fastsession.keyring import SecretKey, accepted_secrets, secret_as_bytes, stretched
from fastsession.lifecycle import Lifecycle
from fastsession.lifetime import MAX_LIFETIME
from fastsession.middleware import SessionMiddleware as SealedSessionMiddleware
from fastsession.options import Setup, setup_of
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import TokenSealer
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp

    from fastsession.lifetime import Timeouts
    from fastsession.sealing.contract import Arrival

__all__ = ["Session", "SessionMiddleware"]

logger = logging.getLogger("fastsession")

TWO_WEEKS = 14 * 24 * 60 * 60
_MOST_CHUNKS = 2
_NEVER_ENDS = datetime.max.replace(tzinfo=UTC)
# Whoever checks for Starlette's classes has imported them, which takes itsdangerous. Without it there is nothing that
# ours would have to be found as.

if TYPE_CHECKING:

    class Session(dict[str, Any]):
        """A dict that notes whether it was read and written, as Starlette's is."""

        accessed: bool
        modified: bool

    class _Replaced:
        pass

elif find_spec("itsdangerous"):
    from starlette.middleware.sessions import Session
    from starlette.middleware.sessions import SessionMiddleware as _Replaced
else:
    from fastsession.mapping import SessionDict as Session

    class _Replaced:
        pass


class _FoundAsStarlettes(type):
    """Makes the class equal to the one that it replaces: NiceGUI looks for it by `==`."""

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is _Replaced

    def __hash__(cls) -> int:
        return hash(_Replaced)


class SessionMiddleware(SealedSessionMiddleware, _Replaced, metaclass=_FoundAsStarlettes):
    """Sealed sessions with the parameters, defaults and cookie attributes of Starlette's `SessionMiddleware`.

    Cookies that Starlette's middleware signed with the same secret are taken over: until `accept_until`, an aware
    datetime; without it for as long as Starlette would accept them. Raises `ConfigurationError` for an empty secret.
    """

    def __init__(  # noqa: PLR0917  (Starlette's signature)
        self,
        app: ASGIApp,
        secret_key: SecretKey,
        session_cookie: str = "session",
        max_age: int | None = TWO_WEEKS,
        path: str = "/",
        same_site: SameSite = "lax",
        https_only: bool = False,  # noqa: FBT001, FBT002  (Starlette's signature)
        domain: str | None = None,
        partitioned: bool = False,  # noqa: FBT001, FBT002  (likewise)
        *,
        accept_until: datetime | None = None,
    ) -> None:
        self.app = app
        self.setup = setup = _setup(
            _text_of(secret_key),
            StarletteWriter(
                max_age, path=path, domain=domain, same_site=same_site, https_only=https_only, partitioned=partitioned
            ),
            name=session_cookie,
            max_age=max_age,
            place=(path, domain, https_only, partitioned),
            accept_until=accept_until,
        )
        self.lifecycle = Lifecycle(setup)
        self._routes = RouteInspection(app)
        announce_cookie(setup.model, setup.cookies.name)


class StarletteWriter(CookieWriter):
    """Writes attributes in the words and the order of Starlette's middleware, and deletes as it does."""

    def __init__(
        self,
        max_age: int | None,
        *,
        path: str,
        domain: str | None,
        same_site: SameSite,
        https_only: bool,
        partitioned: bool,
    ) -> None:
        # Checked as if it were Secure: Starlette lets SameSite=None through without it.
        super().__init__(path=path, domain=domain, same_site=same_site, partitioned=bool(partitioned))
        self.https_only, self._max_age = https_only, max_age
        self._flags = f"; httponly; samesite={same_site}" + ("; secure" if https_only else "")
        self._flags += "" if domain is None else f"; domain={domain}"
        self._flags += "; partitioned" if partitioned else ""

    def set(self, values: Mapping[str, str], *, max_age: int | None) -> list[Header]:
        """Set-Cookie headers; one whose `max_age` was not positive from the start deletes the cookie at once."""
        if max_age is not None and self._max_age is not None:
            max_age = min(max_age, self._max_age)
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return [self._line(name, value, age) for name, value in values.items()]

    def delete(self, names: Iterable[str]) -> list[Header]:
        """Set-Cookie headers that delete the cookies of these names."""
        return [self._line(name, "null", "; expires=Thu, 01 Jan 1970 00:00:00 GMT") for name in names]

    def _line(self, name: str, value: str, age: str) -> Header:
        return b"set-cookie", f"{name}={value}{self._path}{age}{self._flags}".encode()


class TakingOverCookies(OwnCookies):
    """Our cookies; one that is none of ours may be what Starlette's middleware signed under the same name."""

    def __init__(
        self, sealer: TokenSealer, chunks: Chunks, timeouts: Timeouts, *, before: Migration, never_valid: bool
    ) -> None:
        super().__init__(sealer, chunks, timeouts)
        self._before = before
        self._never_valid = never_valid

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        try:
            arrival = super().open(header, binding, now)
        except Rejected as rejected:
            return self._taken_over(header, now, rejected)
        if arrival is not None and self._never_valid:
            raise Rejected(SessionStatus.EXPIRED_IDLE, "max_age is not positive")
        return arrival

    def _taken_over(self, header: bytes, now: float, ours: Rejected) -> Arrival:
        """The session that Starlette's middleware signed; raises the rejection that tells more."""
        if self._never_valid:
            raise ours.again()
        try:
            signed = self._before.find(cookie_pairs(header), now=now)
        except Rejected as theirs:
            unsigned = theirs.status in (SessionStatus.ABSENT, SessionStatus.MALFORMED, SessionStatus.OVERSIZE)
            raise (ours if unsigned else theirs).again() from None
        # The response writes a cookie of the same name, so that there is none to delete.
        return adopted(self._before, signed, (), fields=(), timeouts=self.timeouts, now=now)


class StarletteSession(SignedSession):
    """What was signed with the secret of the middleware here, which warns of a weak one. Events name it so."""

    def _warn(self) -> None:
        pass


def _setup(
    secret: str,
    writer: StarletteWriter,
    *,
    name: str,
    max_age: int | None,
    place: tuple[str, str | None, bool, bool],
    accept_until: datetime | None,
) -> Setup:
    """The setup of the main middleware, with the name, the attributes and the secret as they were given."""
    path, domain, https_only, partitioned = place
    check_name(name, path=path, domain=domain, https_only=https_only)
    idle = MAX_LIFETIME if max_age is None else min(max(max_age, 1), MAX_LIFETIME)
    setup = setup_of(
        secret_key=stretched(secret.encode(), "starlette"),
        session_cookie=name,
        path=path,
        domain=domain,
        https_only=https_only,
        idle_timeout=idle,
        absolute_timeout=MAX_LIFETIME,
        remember=max_age is not None,
    )
    signed = StarletteSession(secret_key=secret, cookie_name=name, max_age=None if max_age is None else idle)
    cookies = TakingOverCookies(
        TokenSealer(setup.keys, cookie_name=name, audience=""),
        Chunks(name, _MOST_CHUNKS, partitioned=partitioned),
        setup.timeouts,
        before=Migration(signed, accept_until=_NEVER_ENDS if accept_until is None else accept_until),
        never_valid=max_age is not None and max_age <= 0,
    )
    rules = {**setup.rules, "path, domain, same_site, https_only or partitioned": writer.delete([name])}
    return replace(setup, cookies=cookies, writer=writer, rules=rules)


def _text_of(secret_key: SecretKey) -> str:
    """The text that Starlette's middleware makes of a secret; raises `ConfigurationError`, never with the secret.

    `str()` of pydantic's secrets is a row of stars, which everybody knows: theirs is the real value.
    """
    try:
        value = secret_as_bytes(secret_key)
    except TypeError:
        message = f"secret_key must be a string, not {type(secret_key).__name__}."
        raise ConfigurationError(message) from None
    text = str(secret_key) if isinstance(secret_key, bytes) else (value or b"").decode("utf-8", "replace")
    if not value:
        message = (
            "secret_key is empty or no text: anybody could make sessions. `python -m fastsession keygen` makes one."
        )
        raise ConfigurationError(message)
    try:
        accepted_secrets(text, ())
    except ConfigurationError:
        logger.warning(
            "secret_key of fastsession.starlette.SessionMiddleware is short or known: whoever guesses it can read and "
            "make sessions. Replace it by one from `python -m fastsession keygen`; everybody then signs in once more."
        )
    return text
