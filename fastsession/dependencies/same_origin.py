"""Which page sent a request, as its browser says, and a dependency that refuses pages of other origins."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import Enum
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import NamedTuple

from fastapi import HTTPException, WebSocketException
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.status import WS_1008_POLICY_VIOLATION

from fastsession.errors import ConfigurationError

# RFC 9110, section 9.2.1.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DETAIL = "This request came from another origin"
# RFC 6454, section 6.2. Browsers send host names in lower case and in punycode.
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LARGEST_PORT = 65_535


class Sender(Enum):
    """Who caused a request, as far as its headers say."""

    OWN_PAGE = "a page of this origin"
    OTHER_PAGE = "a page of another origin, or one that hides its origin"
    USER = "the address bar, a bookmark or a browser extension"
    UNKNOWN = "a client that says nothing: no browser of today"


class Origin(NamedTuple):
    """An origin in one spelling: lower case, the default port written out."""

    scheme: str
    host: str
    port: int | None


def sender(headers: Headers) -> Sender:
    """Say who caused the request.

    Fetch Metadata (Sec-Fetch-Site) is the browser's own finding, so it comes first: behind a proxy, Host may
    be another name. Browsers leave it out over plain HTTP; then Origin has to name the Host.
    """
    site = _only_value(headers, "sec-fetch-site")
    if site is not None:
        return {"same-origin": Sender.OWN_PAGE, "none": Sender.USER}.get(site, Sender.OTHER_PAGE)
    if _only_value(headers, "origin") is None:
        return Sender.UNKNOWN
    return Sender.OWN_PAGE if origin_names_host(headers) else Sender.OTHER_PAGE


def origin_names_host(headers: Headers) -> bool:
    """Whether Origin and Host have one host and port.

    The schemes are not compared: TLS may end at a proxy. For the same reason the port that Host leaves out is
    the default of the origin's scheme. X-Forwarded-Host is not believed.
    """
    origin = parse_origin(_only_value(headers, "origin") or "")
    if origin is None or origin.scheme not in _DEFAULT_PORTS:
        return False
    return parse_origin(f"{origin.scheme}://{_only_value(headers, 'host')}") == origin


def parse_origin(text: str) -> Origin | None:
    """Return the origin, None for anything else: "null", a URL with a path, a wildcard."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"]) if found["port"] else _DEFAULT_PORTS.get(scheme)
    if port is not None and port > _LARGEST_PORT:
        return None
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return None
    return Origin(scheme, host, port)


class SameOrigin:
    """A dependency that refuses unsafe requests and WebSocket handshakes caused by pages of other origins.

    Unsafe are all methods but GET, HEAD, OPTIONS and TRACE. An HTTP request is answered 403; a WebSocket is
    closed before it is accepted, which servers also answer with 403. `trusted` lists origins whose pages are
    let in too, each as its browser sends it: `https://accounts.example.com`.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        if isinstance(trusted, str) or not isinstance(trusted, Iterable):
            message = 'trusted takes a list of origins: SameOrigin(trusted=["https://accounts.example.com"]).'
            raise ConfigurationError(message)
        self._trusted = frozenset(map(_trusted_origin, trusted))

    async def __call__(self, connection: HTTPConnection) -> None:
        """Raise `HTTPException`, or `WebSocketException` for a handshake, unless the request may pass."""
        is_websocket = connection.scope["type"] == "websocket"
        if not is_websocket and connection.scope["method"] in SAFE_METHODS:
            return
        if sender(connection.headers) is not Sender.OTHER_PAGE:
            return
        if parse_origin(_only_value(connection.headers, "origin") or "") in self._trusted:
            return
        if is_websocket:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, _DETAIL)
        raise HTTPException(HTTPStatus.FORBIDDEN, _DETAIL)

    def refusal(self, methods: Collection[str]) -> tuple[int, str] | None:
        """Return status code and description of a refusal, for the OpenAPI document."""
        return None if SAFE_METHODS.issuperset(methods) else (int(HTTPStatus.FORBIDDEN), _DETAIL)


def _only_value(headers: Headers, name: str) -> str | None:
    """The header's value, None without one. Several lines are joined, and then mean nothing."""
    values = headers.getlist(name)
    return ", ".join(values) if values else None


def _trusted_origin(text: object) -> Origin:
    origin = parse_origin(text) if isinstance(text, str) else None
    if origin is None:
        message = (
            f"{text!r} in trusted= is not an origin. Write scheme, host and, if it has one, port as the browser sends "
            'them in Origin, without a path or a wildcard: "https://accounts.example.com". Names outside ASCII are '
            "written in punycode: xn--..."
        )
        raise ConfigurationError(message)
    return origin


same_origin = SameOrigin()
