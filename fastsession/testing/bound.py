"""What `binding=` returns for a test client: on a connection made of its address, headers and cookies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import HTTPConnection

from fastsession.errors import ConfigurationError
from fastsession.sealing.binding import digest_of

if TYPE_CHECKING:
    from fastsession.options import Setup

_PORTS: Final = {"http": 80, "https": 443}
_ADVICE: Final = (
    "binding= of the session middleware was called with a connection made of the test client's address, headers and "
    "cookies. If it needs more than these, give its result: binding=b'...'."
)
_NO_CLIENT: Final = (
    "The session middleware has binding=, and there is no client here to call it for. Use set_session(app, client, "
    "...), or give its result: binding=b'...'."
)
_NO_BINDING: Final = "binding=b'...' was given, and the app's SessionMiddleware has no binding=."


@dataclass(frozen=True, slots=True)
class Bound:
    """What a session is bound to: as `given`, else as the middleware's `binding=` finds it in a client's requests."""

    given: bytes | None
    client_or_response: Any = None

    def plain(self, setup: Setup) -> bytes:
        """What a token keeps of it; raises `ConfigurationError`, and whatever `binding=` raises."""
        if self.given is not None:
            if setup.binding is None and setup.front_end is None:
                raise ConfigurationError(_NO_BINDING)
            return digest_of(self.given)
        if setup.binding is None:
            return b""
        connection = self._connection()
        try:
            return digest_of(setup.binding(connection))
        except Exception as error:
            error.add_note(_ADVICE)
            raise

    async def of(self, setup: Setup) -> bytes:
        """As `plain`, also for a front end that has to be asked; raises `StoreUnavailableError`."""
        if self.given is not None or setup.front_end is None:
            return self.plain(setup)
        return digest_of(await setup.front_end.identity(self._connection()))

    def _connection(self) -> HTTPConnection:
        """The connection of the client's next request, or of the request that got the response."""
        sender, client = self.client_or_response, getattr(self.client_or_response, "base_url", None)
        try:
            sender = sender if client is not None else sender.request
            url, sent = client or sender.url, dict(sender.headers)
        except AttributeError:
            raise ConfigurationError(_NO_CLIENT) from None
        sent = {"host": url.netloc.decode(), **sent}
        if client is not None:
            sent["cookie"] = cookie_line(sender.cookies)
        return HTTPConnection(
            {
                "type": "http",
                "method": "GET",
                "scheme": url.scheme,
                "server": (url.host, url.port or _PORTS.get(url.scheme)),
                "client": ("testclient", 50000),
                "root_path": "",
                "path": "/",
                "query_string": b"",
                "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
            }
        )


def cookie_line(cookies: Any) -> str:
    """The Cookie header of a mapping, or of a jar, in which two domains may use one name."""
    jar = getattr(cookies, "jar", None)
    pairs: Iterable[tuple[str, str | None]] = (
        cookies.items() if jar is None else [(cookie.name, cookie.value) for cookie in jar]
    )
    return "; ".join(f"{name}={value or ''}" for name, value in pairs)
