"""Better Auth's two rows, `session` and `user`, from its database or from the cookie that caches them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard
from uuid import UUID

from fastsession.errors import Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.validity import MAX_DIGITS, expired, milliseconds
from fastsession.status import SessionStatus


def rows_session(session: object, user: object, now: float) -> ForeignSession:
    """The session in its row and its user's; raises `Rejected` (expired_absolute, revoked, incompatible).

    `id` is the session's, which is no secret; the token that is one stays in the row.
    """
    if not is_row(session) or not is_row(user):
        raise _incompatible("not Better Auth's rows")
    # A database may number its rows; Better Auth gives the numbers as text.
    session_id, user_id = _id(session.get("id")), _id(user.get("id"))
    if _id(session.get("userId")) != user_id:
        raise _incompatible("a session of another user than the row's")
    if not isinstance(session.get("token"), str):
        raise _incompatible("without a token")
    expires_at = timestamp(session.get("expiresAt"))
    # To the millisecond, and this one is still good.
    if milliseconds(expires_at) < milliseconds(now):
        raise expired()
    if user.get("banned") and _is_ahead(user.get("banExpires"), now):
        # Better Auth looks at its admin plugin's columns when somebody signs in, and then not again.
        raise Rejected(SessionStatus.REVOKED, "the user is banned")
    data: dict[str, Any] = {"session": dict(session), "user": dict(user)}
    return ForeignSession(data, timestamp(session.get("createdAt")), expires_at, session_id, user_id)


def timestamp(value: object) -> float:
    """Unix seconds of a database's datetime, of ISO text or of JavaScript's milliseconds.

    A datetime without a zone is in UTC, as Better Auth writes it. Raises `Rejected` (incompatible).
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
        # Text without a zone would mean the local time of whoever reads it.
        if value is not None and value.tzinfo is None:
            value = None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**MAX_DIGITS:
        raise _incompatible("a time that is none")
    return value / 1000


def _is_ahead(moment: object, now: float) -> bool:
    return moment is None or milliseconds(timestamp(moment)) > milliseconds(now)


def is_row(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value has columns by their names."""
    return isinstance(value, Mapping)


def _id(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | UUID) or value == "":
        raise _incompatible("a row without an id")
    return str(value)


def _incompatible(detail: str) -> Rejected:
    return Rejected(SessionStatus.INCOMPATIBLE, detail)
