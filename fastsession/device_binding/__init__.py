"""Sessions that are bound to the browser's device key (Device Bound Session Credentials): the option.

What is imported here is imported by applications that bind; all others import nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from fastsession.errors import ConfigurationError
from fastsession.lifetime import seconds

# With two minutes or less left on a proof, Chromium asks for a new one with every request, and stops at its quota.
SHORTEST_LIFETIME = timedelta(seconds=180)
WithoutProof = Literal["reject", "allow"]
# A path as browsers send it, which also stands between double quotes in a header.
_PATH = re.compile(r"""/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*""")


@dataclass(frozen=True, slots=True, init=False)
class DeviceBinding:
    """Binds each login to a key that only the user's browser can use: a stolen cookie then stops working.

    `lifetime` (a timedelta or seconds, 180 s to 400 days) is how long a proof of that key counts. Of a bound
    session without a live proof, `without_proof="reject"` makes no session; `"allow"` makes one that
    `require(bound=True)` refuses and that is not renewed. The browser is answered below `path`. It does not hold
    requests to the paths in `exclude` for a proof. Raises `ConfigurationError`.

    W3C, Device Bound Session Credentials. docs/device-binding.md has the setup, and what it stops.
    """

    lifetime: int
    without_proof: WithoutProof = field(kw_only=True)
    path: str = field(kw_only=True)
    exclude: tuple[str, ...] = field(kw_only=True)

    def __init__(
        self,
        lifetime: timedelta | float = timedelta(minutes=10),
        *,
        without_proof: WithoutProof = "reject",
        path: str = "/session/device",
        exclude: Sequence[str] = (),
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
        if isinstance(exclude, str) or not isinstance(exclude, Iterable) or not all(map(_is_path, exclude)):
            message = "exclude of a DeviceBinding takes a list of paths: exclude=['/static']."
            raise ConfigurationError(message)
        object.__setattr__(self, "without_proof", without_proof)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "exclude", tuple(exclude))


def _is_path(path: object) -> bool:
    return isinstance(path, str) and _PATH.fullmatch(path) is not None and "/." not in path and "//" not in path
