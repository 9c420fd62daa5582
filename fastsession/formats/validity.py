"""When a foreign session counts: the rules about time that the readers share."""

from __future__ import annotations

from fastsession.errors import ConfigurationError, Rejected
from fastsession.lifetime import CLOCK_SKEW
from fastsession.status import SessionStatus

# Beyond the year 30,000; a longer number is no time, and would overflow as a float.
MAX_DIGITS = 15


def milliseconds(time: float) -> int:
    """Unix seconds as JavaScript counts."""
    return round(time * 1000)


def checked_seconds(option: str, value: float, *, least: float) -> float:
    """A duration option in seconds; raises `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 10**MAX_DIGITS:
        message = f"{option} takes a number of seconds, at least {least}."
        raise ConfigurationError(message)
    return value


def reject_future(created_at: float, now: float) -> None:
    """Raise `Rejected` for a session that began after now, two servers' clocks' difference aside."""
    if created_at > now + CLOCK_SKEW:
        raise Rejected(SessionStatus.FUTURE, "begun in the future")


def expired(detail: str = "past its own end") -> Rejected:
    """The rejection of a session that is over by its own format's rules."""
    return Rejected(SessionStatus.EXPIRED_ABSOLUTE, detail)
