"""Who may see the inspector: a browser on this machine that talks to the server directly. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from fastsession.dependencies.same_origin import Sender, origin_names_host, sender

if TYPE_CHECKING:
    from starlette.types import Scope

# A page of another site whose name was pointed at 127.0.0.1 (DNS rebinding) still sends its own name.
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
# What reverse proxies add. One on this machine connects from a loopback address as a browser here does.
_FORWARDED = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
_FORWARDED_PREFIX = "x-forwarded-"
# No browser speaks it. nginx does towards the server, with its defaults before 1.30, and adds no header.
_PROXY_VERSION = "1.0"


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine, was meant for it, and passed no proxy."""
    headers = Headers(scope=scope)
    hosts = headers.getlist("host")
    return (
        _is_loopback(scope.get("client"))
        and len(hosts) == 1
        and _LOCAL_HOST.fullmatch(hosts[0]) is not None
        and scope.get("http_version") != _PROXY_VERSION
        and not any(name in _FORWARDED or name.startswith(_FORWARDED_PREFIX) for name in headers)
    )


def is_same_origin(scope: Scope) -> bool:
    """Whether a form was sent by a page of this very origin (ASVS 3.5.1)."""
    headers = Headers(scope=scope)
    if "origin" in headers:
        return origin_names_host(headers)
    return sender(headers) is Sender.OWN_PAGE


def _is_loopback(client: tuple[str, int] | None) -> bool:
    """Whether a peer's address is this machine's own. Without one it is a proxy behind a Unix socket."""
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
