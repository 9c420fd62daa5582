"""What caches may do with a response that has to do with a session (RFC 9111, section 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastsession.cookies import Header

_VARY = (b"vary", b"Cookie")
_NO_STORE = (b"cache-control", b"no-store")
# Content delivery networks prefer their own fields to Cache-Control: targeted ones (RFC 9213) such as
# CDN-Cache-Control, with each vendor's name in front, and older ones.
_CACHE_CONTROL = b"cache-control"
_VENDORS = frozenset({b"surrogate-control", b"edge-control", b"x-accel-expires"})


def protect(headers: Iterable[Header], *, cookies: list[Header], private: bool) -> list[Header]:
    """The response's headers for a session that was looked at, with our `cookies` added.

    Always adds `Vary: Cookie`. A response with Set-Cookie is `no-store` whatever the application set; a
    `private` one, which shows session data, only when the application set no Cache-Control.
    """
    kept: list[Header] = []
    varies = says_caching = False
    for header in headers:
        # ASGI requires lower case, but servers pass on whatever the application sends.
        name = header[0].lower()
        if name.endswith(_CACHE_CONTROL) or name in _VENDORS:
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
