"""Sessions that are bound to the browser's device key (Device Bound Session Credentials): the option.

What is imported here is imported by applications that bind; all others import nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast

from fastsession.errors import ConfigurationError
from fastsession.lifetime import seconds

# With two minutes or less left on a proof, Chromium asks for a new one with every request, and stops at its quota.
SHORTEST_LIFETIME = timedelta(seconds=180)
WithoutProof = Literal["reject", "allow"]
# A path as browsers send it, which also stands between double quotes in a header.
_PATH = re.compile(r"""/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*""")

# A host as browsers write it, or all below it.
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, init=False)
class DeviceBinding:
    """Binds each login to a key that only the user's browser can use: a stolen cookie then stops working.

    `lifetime` (a timedelta or seconds, 180 s to 400 days) is how long a proof of that key counts. Of a bound
    session without a live proof, `without_proof="reject"` makes no session; `"allow"` makes one that
    `require(bound=True)` refuses and that is not renewed. The browser is answered below `path`. It does not hold
    requests to the paths in `exclude` for a proof, nor those that pages of other hosts start. `initiators` are hosts of
    the same site whose requests it holds too: "app.example.com", for an API at api.example.com. Raises
    `ConfigurationError`.

    W3C, Device Bound Session Credentials. docs/device-binding.md has the setup, and what it stops.
    """

    lifetime: int
    without_proof: WithoutProof = field(kw_only=True)
    path: str = field(kw_only=True)
    exclude: tuple[str, ...] = field(kw_only=True)
    initiators: tuple[str, ...] = field(kw_only=True)

    def __init__(
        self,
        lifetime: timedelta | float = timedelta(minutes=10),
        *,
        without_proof: WithoutProof = "reject",
        path: str = "/session/device",
        exclude: Sequence[str] = (),
        initiators: Sequence[str] = (),
    ) -> None:
        shortest = int(SHORTEST_LIFETIME.total_seconds())
        object.__setattr__(self, "lifetime", seconds("lifetime of a DeviceBinding", lifetime, least=shortest))
        if without_proof not in ("reject", "allow"):
            message = "without_proof must be 'reject' or 'allow'."
            raise ConfigurationError(message)
        if not _is_path(path) or path.endswith("/"):
            message = (
                "path of a DeviceBinding must begin with a slash, not end with one, and be written as browsers send "
                "it: path='/session/device'."
            )
            raise ConfigurationError(message)
        paths, hosts = _listed(exclude, _is_path), _listed(initiators, _is_host)
        if paths is None:
            message = "exclude of a DeviceBinding takes a list of paths: exclude=['/static']."
            raise ConfigurationError(message)
        if hosts is None:
            # Not "*": a request for a proof that another site starts has no SameSite cookies, and ends the binding.
            message = (
                "initiators of a DeviceBinding takes a list of hosts of the same site: "
                "initiators=['app.example.com', '*.example.com']."
            )
            raise ConfigurationError(message)
        object.__setattr__(self, "without_proof", without_proof)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "exclude", paths)
        object.__setattr__(self, "initiators", hosts)


def _listed(given: object, fits: Callable[[object], bool]) -> tuple[Any, ...] | None:
    """What is given as a tuple, None where it is no list of what fits."""
    listed = (
        tuple(cast("Iterable[object]", given)) if isinstance(given, Iterable) and not isinstance(given, str) else None
    )
    return listed if listed is not None and all(map(fits, listed)) else None


def _is_host(host: object) -> bool:
    return isinstance(host, str) and _HOST.fullmatch(host) is not None


def _is_path(path: object) -> bool:
    return isinstance(path, str) and _PATH.fullmatch(path) is not None and "/." not in path and "//" not in path
