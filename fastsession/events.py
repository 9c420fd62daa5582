"""Events for operators: the closed list of kinds, and where they are sent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from fastsession.errors import ConfigurationError
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.types import Scope

logger = logging.getLogger("fastsession")

LINES_PER_SECOND = 10
_LONGEST_PATH = 256


class EventKind(StrEnum):
    """What happened to a session, the level at which it is logged, and whether it may come in floods."""

    level: int
    floods: bool

    def __new__(cls, value: str, level: int, floods: bool = False) -> Self:  # noqa: FBT001, FBT002  (rows of a table)
        """Make a member that is its value and knows the rest."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.level, member.floods = level, floods
        return member

    CREATED = "created", logging.DEBUG
    SAVED = "saved", logging.DEBUG
    RENEWED = "renewed", logging.DEBUG
    REGENERATED = "regenerated", logging.INFO
    DESTROYED = "destroyed", logging.INFO
    REJECTED = "rejected", logging.WARNING, True
    REVOKED = "revoked", logging.INFO
    MIGRATED = "migrated", logging.INFO
    LATE_CHANGE = "late_change", logging.WARNING
    NEAR_LIMIT = "near_limit", logging.WARNING, True
    CONFLICT = "conflict", logging.INFO
    UNAVAILABLE = "unavailable", logging.WARNING

    # Enum's own is written in Python.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One thing that happened to one session.

    `session` is a log handle (16 hex digits of an HMAC of the id, empty when there is no id),
    `subject` what the model's `subject()` says, `client` the peer's address, `path` its first 256
    characters, percent-encoded.
    """

    kind: EventKind
    status: SessionStatus
    session: str
    subject: str | None
    client: str | None
    method: str
    path: str
    at: datetime
    detail: str = ""


_FIELDS = tuple(field.name for field in fields(SessionEvent))
# What the application, the client or a proxy may have written.
_FREE_TEXT = ("subject", "client", "method", "detail")

Listener = Callable[[SessionEvent], object]


class EventLog:
    """Sends events to the listeners and to the `fastsession` logger."""

    def __init__(self, on_event: Listener | Sequence[Listener] | None) -> None:
        listeners = () if on_event is None else (on_event,) if callable(on_event) else tuple(on_event)
        for listener in listeners:
            asynchronous = any(map(inspect.iscoroutinefunction, (listener, getattr(listener, "__call__", None))))  # noqa: B004
            if not callable(listener) or asynchronous:
                message = (
                    f"on_event takes plain functions of one SessionEvent, not {type(listener).__name__}. "
                    "To do async work, put the event into a queue."
                )
                raise ConfigurationError(message)
        self._listeners = listeners
        self._seen: dict[tuple[EventKind, SessionStatus], _Second] = {}
        self._warned: set[str] = set()

    def wants(self, kind: EventKind, status: SessionStatus, now: float) -> bool:
        """Whether anybody would see an event; one of a kind that may come in floods is counted.

        Of those the logger sees ten lines a second of each status (security.md R-33), listeners see all.
        """
        heard = bool(self._listeners) or logger.isEnabledFor(kind.level)
        if not kind.floods:
            return heard
        seen = self._seen.get((kind, status))
        if seen is None or seen.second != int(now):
            suppressed = max(0, seen.count - LINES_PER_SECOND) if seen else 0
            seen = self._seen[kind, status] = _Second(int(now), suppressed)
        seen.count += 1
        return heard and (bool(self._listeners) or seen.count <= LINES_PER_SECOND)

    def report(
        self,
        kind: EventKind,
        status: SessionStatus,
        scope: Scope,
        *,
        at: datetime,
        session: str = "",
        subject: str | None = None,
        detail: str = "",
    ) -> None:
        """Tell the logger and every listener about the session of the request in `scope`.

        A listener's exception is the application's own.
        """
        client = scope.get("client")
        address = client[0] if client else None
        path = quote(scope["path"][:_LONGEST_PATH], safe=_SAFE_IN_PATH, errors="replace")
        event = SessionEvent(
            kind, status, session, subject, address, scope.get("method", "WEBSOCKET"), path, at, detail
        )
        if logger.isEnabledFor(kind.level):
            self._log(event)
        for listener in self._listeners:
            listener(event)

    def warn_once(self, message: str) -> None:
        """Log a warning for the operator the first time only."""
        if message not in self._warned:
            self._warned.add(message)
            logger.warning(message)

    def _log(self, event: SessionEvent) -> None:
        fields: dict[str, Any] = {name: getattr(event, name) for name in _FIELDS}
        if event.kind.floods:
            seen = self._seen[event.kind, event.status]
            if seen.count > LINES_PER_SECOND:
                return
            if seen.suppressed and seen.count == 1:
                fields["suppressed"] = seen.suppressed
        # The path is encoded already, and in the record too nothing else may pass for a line of the log.
        for name in _FREE_TEXT:
            if fields[name] is not None:
                fields[name] = quote(str(fields[name]), safe=_SAFE, errors="replace")
        shown = {name: str(value) for name, value in fields.items() if value}
        text = " ".join(f"{name}={value}" for name, value in shown.items())
        logger.log(event.kind.level, "session %s", text, extra=fields)


# What may stand in a log line as it is; all else, line breaks above all, is percent-encoded.
_SAFE_IN_PATH = "/:@+,.()[]'_-"
_SAFE = _SAFE_IN_PATH + " "


@dataclass(slots=True)
class _Second:
    """The events of one kind and status in one second, and how many went unlogged in the one before."""

    second: int
    suppressed: int
    count: int = 0
