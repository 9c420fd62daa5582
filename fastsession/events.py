"""Events for operators: the closed list of kinds, and where they are sent."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from fastsession.building.given import is_asynchronous
from fastsession.errors import ConfigurationError
from fastsession.lifetime import as_datetime
from fastsession.sealing.recent import Recent
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from datetime import datetime

    from fastsession.keyring import Key
    from fastsession.session import Session

logger = logging.getLogger("fastsession")

LINES_PER_SECOND = 10
# An outage is one event in so many seconds, however many requests it meets.
_SECONDS_BETWEEN_OUTAGES = 10
# Rejected cookies of each status that a process remembers having reported.
_REPORTED = 1024
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
    BOUND = "bound", logging.INFO
    REFRESHED = "refreshed", logging.DEBUG
    PROOF_FAILED = "proof_failed", logging.WARNING, True

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
    """Sends events to the listeners and to the `fastsession` logger. Names a session by its handle, never its id."""

    def __init__(
        self,
        on_event: Listener | Sequence[Listener] | None,
        key: Key | None,
        model: type[Session] | None,
        clock: Callable[[], float],
    ) -> None:
        listeners = () if on_event is None else (on_event,) if callable(on_event) else tuple(on_event)
        for listener in listeners:
            if not callable(listener) or is_asynchronous(listener):
                raise _no_listener(listener)
        self._listeners = listeners
        self._clock = clock
        # The public name of a session id, 16 hex digits; empty for sessions of others, which have no id of ours.
        self.handle: Callable[[bytes], str] = (lambda _: "") if key is None else key.handle
        # A model may say whose session it is.
        self._subject: Any = getattr(model, "subject", None) if callable(getattr(model, "subject", None)) else None
        is_property = isinstance(getattr(model, "subject", None), property | cached_property)
        if model is not None and (is_property or inspect.iscoroutinefunction(self._subject)):
            kind = "a property" if is_property else "asynchronous"
            message = f"{model.__name__}.subject() cannot be {kind}: write `def subject(self) -> str | None`."
            raise ConfigurationError(message)
        self._seen: dict[tuple[EventKind, SessionStatus], _Second] = {}
        # For each status, so that made-up cookies do not push out those of sessions that are over.
        self._reported = {status: Recent[int, bool](_REPORTED) for status in SessionStatus}
        self._warned: set[str] = set()
        self._quiet_until = 0.0

    def subject(self, model: Session | None) -> str | None:
        """Whose session it is, if the model says so; raises `ConfigurationError` for what is no text."""
        named = self._subject(model) if self._subject and model is not None else None
        if named is not None and not isinstance(named, str):
            if inspect.iscoroutine(named):
                named.close()
            message = f"{type(model).__name__}.subject() returned {type(named).__name__}: return a str or None, "
            message += "such as str(self.user_id)."
            raise ConfigurationError(message)
        # An empty text names nobody: otherwise all visitors who are not signed in would be one user.
        return named or None

    def is_first_report(self, status: SessionStatus, cookie: Hashable) -> bool:
        """Whether this process has yet to report that cookie as rejected for that reason.

        The cookie stays in the browser and comes with every request. Only Python's own hash of it is kept.
        """
        reported, mark = self._reported[status], hash(cookie)
        if reported.get(mark):
            return False
        reported.put(mark, True)  # noqa: FBT003  (a set in the form of a dict)
        return True

    def send(
        self,
        kind: EventKind,
        status: SessionStatus,
        scope: Mapping[str, Any],
        *,
        session_id: bytes | None = None,
        subject: str | None = None,
        model: Session | None = None,
        detail: str = "",
    ) -> None:
        """Send an event about the session of the request in `scope`; its subject is the model's unless given.

        Of a kind that comes in floods the logger sees ten lines a second of each status (security.md
        R-33), listeners see all. A listener's exception is the application's own.
        """
        now = self._clock()
        logged = logger.isEnabledFor(kind.level)
        if kind.floods:
            logged = self._is_counted(kind, status, int(now)) and logged
        if not (logged or self._listeners):
            return
        client = scope.get("client")
        event = SessionEvent(
            kind,
            status,
            "" if session_id is None else self.handle(session_id),
            subject or self.subject(model),
            client[0] if client else None,
            scope.get("method", "WEBSOCKET"),
            quote(scope["path"][:_LONGEST_PATH], safe=_SAFE_IN_PATH, errors="replace"),
            as_datetime(now),
            detail,
        )
        if logged:
            self._log(event)
        for listener in self._listeners:
            returned = listener(event)
            if inspect.iscoroutine(returned):
                returned.close()
                raise _no_listener(returned)

    def unavailable(self, cause: str, scope: Mapping[str, Any] | None = None) -> None:
        """Report that a store or revocations fail, or have lost something: once in a while, not with every request."""
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _SECONDS_BETWEEN_OUTAGES
            nowhere = {"path": "", "method": ""}
            self.send(EventKind.UNAVAILABLE, SessionStatus.STORE_DOWN, scope or nowhere, detail=cause)

    def _is_counted(self, kind: EventKind, status: SessionStatus, second: int) -> bool:
        """Count an event of a kind that floods; whether it is among the first ten of its second."""
        seen = self._seen.get((kind, status))
        if seen is None or seen.second != second:
            suppressed = max(0, seen.count - LINES_PER_SECOND) if seen else 0
            seen = self._seen[kind, status] = _Second(second, suppressed)
        seen.count += 1
        return seen.count <= LINES_PER_SECOND

    def warn_once(self, message: str) -> None:
        """Log a warning for the operator the first time only."""
        if message not in self._warned:
            self._warned.add(message)
            logger.warning(message)

    def _log(self, event: SessionEvent) -> None:
        fields: dict[str, Any] = {name: getattr(event, name) for name in _FIELDS}
        if event.kind.floods:
            seen = self._seen[event.kind, event.status]
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


def _no_listener(given: object) -> ConfigurationError:
    return ConfigurationError(
        f"on_event takes plain functions of one SessionEvent, not {type(given).__name__}. To do async work, put the "
        "event into a queue."
    )
