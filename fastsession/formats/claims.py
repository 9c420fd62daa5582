"""The claims of a JSON Web Token (RFC 7519, section 4.1), judged after its tag or signature has been checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fastsession.errors import Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.validity import MAX_DIGITS, expired
from fastsession.status import SessionStatus

# Seconds past `exp`, or before `nbf`, in which NextAuth, Auth.js and Better Auth still accept a token.
TOLERANCE: Final = 15
_TIMES: Final = ("iat", "nbf", "exp")


def check_times(claims: Mapping[str, Any], now: float, *, tolerance: int = TOLERANCE) -> float | None:
    """`exp`, None for a token without an end; raises `Rejected` (future, expired_absolute, malformed).

    By the whole second, as the npm package jose counts, so that both sides agree on the last one.
    """
    times = {name: _time(claims[name]) for name in _TIMES if name in claims}
    second = math.floor(now)
    if "nbf" in times and times["nbf"] > second + tolerance:
        raise Rejected(SessionStatus.FUTURE, "not valid yet")
    if "exp" in times and times["exp"] <= second - tolerance:
        raise expired()
    return times.get("exp")


def claims_session(claims: dict[str, Any], now: float) -> ForeignSession:
    """NextAuth's or Auth.js' session, whose subject is `sub`; raises as `check_times`.

    `created_at` stays None: `iat` is the last renewal, and nothing tells when the user signed in.
    """
    ends_at = check_times(claims, now)
    subject = claims.get("sub")
    return ForeignSession(claims, None, ends_at, subject=subject if isinstance(subject, str) and subject else None)


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 10**MAX_DIGITS:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but a claim that should be a time is none")
    return value
