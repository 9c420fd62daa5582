"""All rules about time. Pure: time is a parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fastsession.building.given import is_asynchronous
from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

# Browsers keep no cookie longer than this (RFC 6265bis, section 5.5).
MAX_LIFETIME = 400 * 24 * 60 * 60
# How far ahead another server's clock may be.
CLOCK_SKEW = 30
# A token has five bytes for a time: until the year 36812.
_END_OF_TIME = 2**40
DEFAULT_IDLE = timedelta(minutes=30)
DEFAULT_ABSOLUTE = timedelta(hours=12)
# Looking up an enum member on its class takes a third of a microsecond on Python 3.11.
_EXPIRED_IDLE, _EXPIRED_ABSOLUTE = SessionStatus.EXPIRED_IDLE, SessionStatus.EXPIRED_ABSOLUTE


@dataclass(frozen=True, slots=True, init=False)
class Lifetime:
    """How long a session lasts: `idle` seconds after its last renewal, `absolute` seconds after it began.

    The terms are OWASP's (Session Management Cheat Sheet, "Session Expiration"). Takes seconds or a
    `timedelta`, from 1 second to 400 days. Raises `ConfigurationError` for other values, and for an `idle`
    longer than `absolute`, which would have no effect.
    """

    idle: int
    absolute: int

    def __init__(self, idle: timedelta | float, absolute: timedelta | float) -> None:
        object.__setattr__(self, "idle", seconds("idle timeout", idle, least=1))
        object.__setattr__(self, "absolute", seconds("absolute timeout", absolute, least=1))
        if self.idle > self.absolute:
            message = (
                f"The idle timeout ({self.idle} s) is longer than the absolute timeout ({self.absolute} s), which ends "
                "the session first. Shorten idle_timeout= or lengthen absolute_timeout= (idle= and absolute= of a "
                "Lifetime)."
            )
            raise ConfigurationError(message)

    def expires_at(self, *, created_at: int, renewed_at: int) -> int:
        """Return the second at which the session ends."""
        return min(renewed_at + self.idle, created_at + self.absolute)


def standard_lifetime(idle_timeout: timedelta | float, absolute_timeout: timedelta | float) -> Lifetime:
    """Return the lifetime of sessions that are not remembered.

    A short `absolute_timeout` shortens the default idle timeout. Raises `ConfigurationError` as `Lifetime` does.
    """
    # By identity: only the default is shortened. 30 minutes that the application wrote are a contradiction.
    if idle_timeout is DEFAULT_IDLE:
        idle_timeout = min(DEFAULT_IDLE.total_seconds(), seconds("absolute timeout", absolute_timeout, least=1))
    return Lifetime(idle_timeout, absolute_timeout)


def seconds(name: str, value: timedelta | float, *, least: int) -> int:
    """Return `value` in whole seconds; raises `ConfigurationError` outside `least` to 400 days."""
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= MAX_LIFETIME:
        message = f"The {name} takes a timedelta or a number of seconds from {least} to {MAX_LIFETIME} (400 days)."
        raise ConfigurationError(message)
    return int(number)


def moment(name: str, value: datetime | float) -> int:
    """Return `value` in Unix seconds; raises `ConfigurationError` for a naive datetime or another type."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        message = f"{name} takes Unix seconds or a datetime with a time zone: datetime(..., tzinfo=UTC)."
        raise ConfigurationError(message)
    return int(value)


def check_clock(clock: object) -> None:
    """Raise `ConfigurationError` for what is no plain function of Unix seconds."""
    now: object = None if not callable(clock) or is_asynchronous(clock) else clock()
    if not isinstance(now, int | float) or not 0 <= now < _END_OF_TIME:
        message = "clock takes a plain function that returns Unix seconds, such as time.time."
        raise ConfigurationError(message)


def as_datetime(timestamp: float) -> datetime:
    """Return Unix seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(timestamp, UTC)


class Window(NamedTuple):
    """When a session is valid: from `begins` until before `ends`. From `renews` on its idle deadline should move."""

    begins: int
    renews: int
    ends: int


class Timeouts:
    """The configured lifetimes, applied to the times in a token."""

    def __init__(
        self,
        standard: Lifetime,
        *,
        remembered: Lifetime | bool | None = None,
        renew_after: timedelta | float | None = None,
        not_before: datetime | float | None = None,
    ) -> None:
        if remembered is not None and not isinstance(remembered, Lifetime | bool):
            message = (
                "remember takes a Lifetime: remember=Lifetime(idle=timedelta(days=14), absolute=timedelta(days=90)), "
                "or True: every session is remembered, with the standard timeouts."
            )
            raise ConfigurationError(message)
        self.standard = standard
        # Whether a session is remembered from its beginning, without a call of `remember()`.
        self.from_the_start = remembered is True
        self.remembered = standard if remembered is True else remembered or None
        self._lifetimes = (standard, self.remembered or standard)
        self._renew_after = tuple(_renew_after(renew_after, lifetime) for lifetime in self._lifetimes)
        self.not_before = 0 if not_before is None else moment("not_before", not_before)
        self.longest_absolute = max(lifetime.absolute for lifetime in self._lifetimes)
        self._earliest_renewal = min(self._renew_after)
        self._longest_idle = max(lifetime.idle for lifetime in self._lifetimes)

    def lifetime(self, *, remembered: bool) -> Lifetime:
        """Return the configured lifetime of a remembered or an ordinary session."""
        return self._lifetimes[remembered]

    def admit(self, created_at: int, renewed_at: int, remembered: bool, now: float, stale: bool = False) -> Window:  # noqa: FBT001, FBT002  (a token's own fields)
        """The window of a session with these times; raises `Rejected` outside it.

        Renewal of a `stale` one, sealed under a fallback key for example, is due at any time.
        """
        lifetime = self._lifetimes[remembered]
        ends_idle, ends_absolute = renewed_at + lifetime.idle, created_at + lifetime.absolute
        # Not min and max: a call costs more than all that is done here.
        ends = ends_idle if ends_idle < ends_absolute else ends_absolute  # noqa: FURB136
        if now >= ends:
            raise Rejected(_EXPIRED_IDLE if ends < ends_absolute else _EXPIRED_ABSOLUTE)
        begins = (created_at if created_at > renewed_at else renewed_at) - CLOCK_SKEW  # noqa: FURB136
        if now < begins:
            raise Rejected(SessionStatus.FUTURE)
        if created_at < self.not_before:
            raise Rejected(SessionStatus.REVOKED)
        renews = 0 if stale else renewed_at + self._renew_after[remembered]
        # A named tuple's own constructor is written in Python.
        return tuple.__new__(Window, (begins, renews, ends))  # pyright: ignore[reportUnknownMemberType]

    def begin(self, now: int, *, stale: bool) -> Window:
        """The window of a session that begins now, whatever `not_before` says."""
        ends = self.standard.expires_at(created_at=now, renewed_at=now)
        return Window(now - CLOCK_SKEW, 0 if stale else now + self._renew_after[False], ends)

    def rejection(self, created_at: int, renewed_at: int, remembered: bool, now: float) -> SessionStatus | None:  # noqa: FBT001
        """Why a session with these times is not valid now, or None while it is."""
        try:
            self.admit(created_at, renewed_at, remembered, now)
        except Rejected as rejected:
            return rejected.status
        return None

    def may_be_valid(self, renewed_at: int, now: float) -> bool:
        """Return whether a session renewed then can be valid, without opening its token."""
        return renewed_at - CLOCK_SKEW <= now < renewed_at + self._longest_idle

    def renewal_window(self, renewed_at: int, stale: bool) -> tuple[int, int]:  # noqa: FBT001
        """Return the first second at which renewal may be due, and the second from which it cannot be.

        Without opening the token only its age and whether it is `stale` are known, not whether it is remembered.
        """
        return (0 if stale else renewed_at + self._earliest_renewal), renewed_at + self._longest_idle

    def max_age(self, created_at: int, renewed_at: int, remembered: bool, now: float) -> int | None:  # noqa: FBT001
        """Seconds that the browser keeps the cookie; None, for as long as it runs, unless remembered."""
        if not remembered or self.remembered is None:
            return None
        return max(0, self.remembered.expires_at(created_at=created_at, renewed_at=renewed_at) - int(now))


def _renew_after(option: timedelta | float | None, lifetime: Lifetime) -> int:
    if option is None:
        return lifetime.idle // 4
    chosen = seconds("renew_after", option, least=0)
    if chosen >= lifetime.idle:
        message = f"renew_after ({chosen} s) must be shorter than the idle timeout ({lifetime.idle} s)."
        raise ConfigurationError(message)
    return chosen
