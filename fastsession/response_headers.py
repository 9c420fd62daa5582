"""What caches may do with a response that has to do with a session (RFC 9111, section 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastsession.cookies import Header

_VARY = (b"vary", b"Cookie")
_NO_STORE = (b"cache-control", b"no-store")
# Content delivery networks obey fields of their own before Cache-Control: targeted ones (RFC 9213) such as
# CDN-Cache-Control, which each vendor puts its name before, and older ones.
_CACHE_CONTROL = b"cache-control"
_INSTRUCTIONS = (_CACHE_CONTROL, b"surrogate-control", b"edge-control", b"x-accel-expires")


def protect(headers: Iterable[Header], *, cookies: list[Header], private: bool) -> list[Header]:
    """The response's headers for a session that was looked at, with our `cookies` added.

    Always varies by cookie. With a Set-Cookie the response may not be stored, whatever the application
    said; a `private` one, which showed session data, only when the application said nothing.
    """
    kept: list[Header] = []
    varies = says_caching = False
    for header in headers:
        # ASGI asks for lower case, and servers pass on whatever an application sends.
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
