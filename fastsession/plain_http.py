"""Whether a browser keeps a Secure cookie that is sent over this connection."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

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
