"""The rules about time that the readers of foreign sessions share."""

from __future__ import annotations

from fastsession.errors import Rejected
from fastsession.lifetime import CLOCK_SKEW
from fastsession.status import SessionStatus

# The year 30,000. A longer number is no time and would overflow a float.
MAX_DIGITS = 15


def milliseconds(time: float) -> int:
    """Unix seconds as JavaScript counts."""
    return round(time * 1000)


def reject_future(created_at: float, now: float) -> None:
    """Raise `Rejected` for a session that began in the future, beyond the allowed clock skew."""
    if created_at > now + CLOCK_SKEW:
        raise Rejected(SessionStatus.FUTURE, "begun in the future")


def expired(detail: str = "past its own end") -> Rejected:
    """Return the rejection of a session that ended by its own format's rules."""
    return Rejected(SessionStatus.EXPIRED_ABSOLUTE, detail)
