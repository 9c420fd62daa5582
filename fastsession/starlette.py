"""Starlette's session middleware by its own signature, with our sealed cookies: one import line to change."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import SecretBytes

from fastsession.building.configured import hidden
from fastsession.cookies import CookieWriter, Header, SameSite, cookie_name
from fastsession.errors import ConfigurationError
from fastsession.formats.taking_over import TakingOverCookies
from fastsession.keyring import SecretKey, accepted_secrets, secret_as_bytes, stretched
from fastsession.lifecycle import Lifecycle
from fastsession.lifetime import MAX_LIFETIME
from fastsession.middleware import SessionMiddleware as SealedSessionMiddleware
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import TokenSealer
from fastsession.server_side.serving import middlewares_below, serve_lifespan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from starlette.types import ASGIApp, Receive, Scope, Send


__all__ = ["Session", "SessionMiddleware"]

logger = logging.getLogger("fastsession")

TWO_WEEKS = 14 * 24 * 60 * 60
_MOST_CHUNKS = 2
# Whoever checks for Starlette's classes has imported them, which takes itsdangerous. Without it there is nothing that
# ours would have to be found as.

if TYPE_CHECKING:

    class Session(dict[str, Any]):
        """A dict that notes whether it was read and written, as Starlette's is."""

        accessed: bool
        modified: bool

    class _Replaced:
        session_cookie: str
        path: str
        security_flags: str

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
        age = _checked(max_age)
        # Starlette adds no prefix: the main middleware's rules add one to any other name of a Secure cookie.
        prefixed = session_cookie == cookie_name(session_cookie, path=path, domain=domain, https_only=https_only)
        super().__init__(
            app,
            secret_key=stretched(_text_of(secret_key).encode(), "starlette"),
            session_cookie=session_cookie,
            https_only=https_only and prefixed,
            idle_timeout=MAX_LIFETIME if age is None else min(max(age, 1), MAX_LIFETIME),
            absolute_timeout=MAX_LIFETIME,
            remember=age is not None,
        )
        self._place = path, domain
        writer = StarletteWriter(
            age, path=path, domain=domain, same_site=same_site, https_only=https_only, partitioned=partitioned
        )
        cookies = TakingOverCookies(
            TokenSealer(self.setup.keys, cookie_name=session_cookie, audience=""),
            Chunks(session_cookie, _MOST_CHUNKS),
            self.setup.timeouts,
            secret=_text_of(secret_key),
            max_age=age,
            accept_until=accept_until,
        )
        written_as = {"path, domain, same_site, https_only or partitioned": writer.delete([session_cookie])}
        self.setup = replace(self.setup, cookies=cookies, writer=writer, rules={**self.setup.rules, **written_as})
        self.lifecycle = Lifecycle(self.setup)

    @classmethod
    def with_options(cls, **options: Any) -> Callable[[ASGIApp], SealedSessionMiddleware]:
        """Check the options now, as `fastsession.SessionMiddleware.with_options` does; here they are Starlette's."""
        return super().with_options(**hidden(options))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan, which ends at its start if Starlette's own middleware writes our cookie too."""
        check = partial(self._refuse_unchanged, scope.get("app", self.app))
        await serve_lifespan(super()._pass_on, scope, receive, send, backends=None, check=check)

    def _refuse_unchanged(self, app: object, _: object) -> None:
        """Raise `ConfigurationError` for Starlette's own middleware with our cookie in the application."""
        name = self.setup.cookies.name
        for found in middlewares_below(app, _Replaced):
            own = isinstance(found, SealedSessionMiddleware)
            if not own and found.session_cookie == name and (found.path, _domain_of(found)) == self._place:
                message = (
                    f"Starlette's SessionMiddleware writes the cookie {name!r} in this application too, beside "
                    "fastsession.starlette.SessionMiddleware: neither opens the other's, so each signs the other's "
                    "users out. Change that import too, or give one of them another session_cookie=."
                )
                raise ConfigurationError(message)


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
        super().__init__(path=path, domain=domain, same_site=same_site)
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


def _domain_of(middleware: _Replaced) -> str | None:
    """The domain of Starlette's own middleware, which keeps it among its flags alone."""
    _, written, domain = middleware.security_flags.partition("; domain=")
    return domain.partition(";")[0] if written else None


def _checked(max_age: object) -> int | None:
    """The option in whole seconds; raises `ConfigurationError` for what Starlette fails at when a cookie comes."""
    if max_age is None or (isinstance(max_age, int | float) and not isinstance(max_age, bool)):
        return None if max_age is None else int(max_age)
    message = f"max_age takes a number of seconds, or None, not {type(max_age).__name__}."
    raise ConfigurationError(message)


def _text_of(secret_key: SecretKey) -> str:
    """The text that Starlette's middleware makes of a secret; raises `ConfigurationError`, never with the secret.

    `str()` of pydantic's secrets is a row of stars, which everybody knows: theirs is the real value.
    """
    try:
        value = secret_as_bytes(secret_key)
    except TypeError:
        message = f"secret_key must be a string, not {type(secret_key).__name__}."
        raise ConfigurationError(message) from None
    if not value:
        message = (
            "secret_key is empty or no text: an attacker could make sessions. `python -m fastsession keygen` makes one."
        )
        raise ConfigurationError(message)
    text = str(value) if isinstance(secret_key, bytes | SecretBytes) else value.decode()
    try:
        accepted_secrets(text, ())
    except ConfigurationError:
        _warn_of_weak(hash(text))
    return text


@lru_cache(maxsize=16)
def _warn_of_weak(_: int) -> None:
    """Warn of a secret once, however often its middleware is built."""
    logger.warning(
        "secret_key of fastsession.starlette.SessionMiddleware is short or known: an attacker who guesses it can read "
        "and make sessions. Replace it by one from `python -m fastsession keygen`; everybody then signs in once more."
    )
