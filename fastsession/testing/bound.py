"""What the sessions of tests are bound to: what `binding=` returns for a test client, and a device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import HTTPConnection

from fastsession.errors import ConfigurationError
from fastsession.sealing.binding import digest_of
from fastsession.sealing.token import new_id

if TYPE_CHECKING:
    from fastsession.options import Setup
    from fastsession.sealing.token import Token

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

_NO_DEVICES: Final = "bound=True needs SessionMiddleware(..., device_binding=DeviceBinding())."


@dataclass(frozen=True, slots=True)
class Bound:
    """What a session is bound to: as `given`, else as the middleware's `binding=` finds it in a client's requests."""

    given: bytes | None
    client_or_response: Any = None
    # Whether it is bound to a device, too.
    device: bool = False

    def pair(self, setup: Setup) -> bytes:
        """What names the device cookie that belongs to a session; raises `ConfigurationError`."""
        if self.device and setup.devices is None:
            raise ConfigurationError(_NO_DEVICES)
        return new_id() if self.device else b""

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


def device_cookies(setup: Setup, token: Token, now: int) -> dict[str, str]:
    """The two cookies of a device that has just proven itself. Nobody has its key, so that they cannot be refreshed."""
    if setup.devices is None or not token.pair:
        return {}
    public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    device = setup.devices.cookies
    return device.device_cookie(token.pair, key, since=now, now=now) | device.bound_cookie(token.pair, now)
