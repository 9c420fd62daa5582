"""The rules about time that the readers of foreign sessions share."""

from __future__ import annotations

from fastsession.errors import ConfigurationError, Rejected
from fastsession.lifetime import CLOCK_SKEW
from fastsession.status import SessionStatus

# The year 30,000. A longer number is no time and would overflow a float.
MAX_DIGITS = 15


def milliseconds(time: float) -> int:
    """Unix seconds as JavaScript counts."""
    return round(time * 1000)


def checked_seconds(option: str, value: float, *, least: float) -> float:
    """Return a duration option in seconds; raises `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 10**MAX_DIGITS:
        message = f"{option} takes a number of seconds, at least {least}."
        raise ConfigurationError(message)
    return value


def reject_future(created_at: float, now: float) -> None:
    """Raise `Rejected` for a session that began in the future, beyond the allowed clock skew."""
    if created_at > now + CLOCK_SKEW:
        raise Rejected(SessionStatus.FUTURE, "begun in the future")


def expired(detail: str = "past its own end") -> Rejected:
    """Return the rejection of a session that ended by its own format's rules."""
    return Rejected(SessionStatus.EXPIRED_ABSOLUTE, detail)
