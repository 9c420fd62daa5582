"""A response beside its Set-Cookie: what caches may do with it (RFC 9111), and whether the cookie arrives."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import Scope

    from fastsession.cookies import Header

# What every answer to a browser has that registers its device or proves it.
DEVICE_ANSWER = {
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_VARY = (b"vary", b"Cookie")
_NO_STORE = (b"cache-control", b"no-store")
# Content delivery networks prefer their own fields to Cache-Control: targeted ones (RFC 9213) such as
# CDN-Cache-Control, with each vendor's name in front, and older ones.
_CACHE_CONTROL = b"cache-control"
_INSTRUCTIONS = (_CACHE_CONTROL, b"surrogate-control", b"edge-control", b"x-accel-expires")
# Most responses have nothing else, and these say nothing of caches.
_ORDINARY = (b"content-length", b"content-type")


def for_caches(headers: Iterable[Header], *, cookies: Sequence[Header], private: bool) -> list[Header]:
    """The response's headers for a session that was looked at, with our `cookies` added.

    Always adds `Vary: Cookie`. A response with Set-Cookie is `no-store` whatever the application set; a
    `private` one, which shows session data, only when the application set no Cache-Control.
    """
    kept: list[Header] = []
    varies = says_caching = False
    for header in headers:
        if header[0] in _ORDINARY:
            kept.append(header)
            continue
        # ASGI requires lower case, but servers pass on whatever the application sends.
        name = header[0].lower()
        if name.endswith(_INSTRUCTIONS):
            if cookies:
                continue
            says_caching = says_caching or name == _CACHE_CONTROL
        elif name == b"vary":
            varies = varies or _names_cookie(header[1])
        kept.append(header)
    if cookies or (private and not says_caching):
        kept.append(_NO_STORE)
    if not varies:
        kept.append(_VARY)
    kept += cookies
    return kept


def _names_cookie(vary: bytes) -> bool:
    fields = [field.strip() for field in vary.lower().split(b",")]
    return b"cookie" in fields or b"*" in fields


PLAIN_HTTP_WARNING = (
    "A Secure session cookie was sent over plain http to a host that is not loopback: browsers drop it, and every "
    "request will have a new session. Serve over TLS; behind a proxy, let the server believe its X-Forwarded-Proto "
    "(uvicorn --proxy-headers --forwarded-allow-ips); in a test, use https://testserver as base_url; for "
    "development without TLS, SessionMiddleware(..., https_only=False)."
)


def drops_secure_cookies(scope: Scope) -> bool:
    """Whether the request came over plain http to a host other than this machine."""
    if scope.get("scheme", "http") not in ("http", "ws"):
        return False
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return True
