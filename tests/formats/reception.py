"""How cookies are received."""

from collections.abc import Mapping
from typing import Any

from fastsession import SessionStatus
from fastsession.errors import Rejected


def status_of(reader: Any, cookies: Mapping[str, str], now: float) -> SessionStatus:
    """Valid, or the status of the rejection; any other exception is the test's failure."""
    try:
        reader.read(cookies, now=now)
    except Rejected as rejected:
        return rejected.status
    return SessionStatus.VALID
