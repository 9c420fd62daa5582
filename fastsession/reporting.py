"""Events about a request's session, told to whoever listens."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fastsession.errors import ConfigurationError, SessionNotSerializableError
from fastsession.events import EventKind, EventLog
from fastsession.lifetime import as_datetime
from fastsession.sealing.recent import Recent
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.request import RequestSession
    from fastsession.sealing.keyring import Key
    from fastsession.session import Session

# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_ABSENT, _REJECTED, _DESTROYED = SessionStatus.ABSENT, EventKind.REJECTED, EventKind.DESTROYED
# Bytes of cookie value that are worth a warning before they are too many.
NEAR_LIMIT = 3000
# Rejected cookies of each status that a process remembers having reported.
_REPORTED = 1024
# An outage is one event in so many seconds, however many requests it meets.
_SECONDS_BETWEEN_OUTAGES = 10


def watch_handlers(session: SessionDict, scope: Scope) -> None:
    """Find changes that a handler of Exception makes. It runs outside of the middleware, mostly in the same task."""
    session.failed_at = {name: scope[name] for name in ("client", "method", "path") if name in scope}

    def finish(_: object) -> None:
        if session.request is not None:
            session.lifecycle.finish(session, session.request, scope)

    try:
        task = asyncio.current_task()
    except RuntimeError:
        # Another event loop than asyncio's.
        return
    if task is not None:
        task.add_done_callback(finish)


class Reporter:
    """Tells about sessions by their handle and subject, never by their id."""

    def __init__(self, events: EventLog, key: Key, model: type[Session], clock: Callable[[], float]) -> None:
        self._events = events
        self._key = key
        self._clock = clock
        # A model may say whose session it is.
        self._subject: Any = getattr(model, "subject", None) if callable(getattr(model, "subject", None)) else None
        if inspect.iscoroutinefunction(self._subject):
            message = f"{model.__name__}.subject() cannot be asynchronous: write `def subject(self) -> str | None`."
            raise ConfigurationError(message)

        self._quiet_until = 0.0
        # For each status, so that made-up cookies do not push out those of sessions that are over.
        self._reported = {status: Recent[int, bool](_REPORTED) for status in SessionStatus}

    def subject(self, session: Session | None) -> str | None:
        """Whose session it is, if the model says so; raises `ConfigurationError` for what is no text."""
        named = self._subject(session) if self._subject and session is not None else None
        if named is not None and not isinstance(named, str):
            if inspect.iscoroutine(named):
                named.close()
            message = f"{type(session).__name__}.subject() returned {type(named).__name__}: return a str or None, "
            message += "such as str(self.user_id)."
            raise ConfigurationError(message)
        # An empty text names nobody: otherwise all visitors who are not signed in would be one user.
        return named or None

    def handle(self, session_id: bytes) -> str:
        """The public name of a session."""
        return self._key.handle(session_id)

    def rejection(self, session: SessionDict, request: RequestSession, scope: Scope) -> None:
        """Report the cookie that was rejected, if one was, once in this process.

        It stays in the browser and comes with every request. Only Python's own hash of it is kept.
        """
        if request.status is _ABSENT or request.rejection_reported:
            return
        request.rejection_reported = True
        reported, cookie = self._reported[request.status], hash(session.lifecycle.presented(session.header))
        if reported.get(cookie):
            return
        reported.put(cookie, True)  # noqa: FBT003  (a set in the form of a dict)
        if self._events.wants(_REJECTED, request.status, request.now):
            at = as_datetime(request.now)
            self._events.report(_REJECTED, request.status, scope, at=at, detail=request.detail)

    def finish(self, session: SessionDict, request: RequestSession, scope: Scope) -> None:
        """Report what the application did to the session when its cookie could no longer be sent."""
        if request.token is None:
            self.rejection(session, request, scope)
        if session.model is None:
            return
        try:
            payload = session.lifecycle.codec.dump(session.model, request.extras)
        except SessionNotSerializableError as error:
            self.late_change(session, request, scope, names=[error.field])
            return
        before, request.committed = request.committed, payload
        if payload == before:
            return
        if not session.response_started:
            # Where no session had arrived, there was none to end.
            ended = request.to_end(session.entries)
            lost = request.token is not None if ended else request.to_save(session.model, payload)
            if lost:
                self.tell(EventKind.LATE_CHANGE, session, request, scope, detail="no response was sent")
            return
        # Without a commit, somebody looked for the first time after the response had started.
        names = self.changed_names(session, request, before or request.payload, payload)
        if names:
            self.late_change(session, request, scope, names=names)

    def late_change(
        self, session: SessionDict, request: RequestSession, scope: Scope, *, names: Iterable[str], why: str = ""
    ) -> None:
        """Report changes that no response carries."""
        detail = f"fields: {', '.join(names)}"
        self.tell(EventKind.LATE_CHANGE, session, request, scope, detail=f"{detail} ({why})" if why else detail)

    def refused(self, session: SessionDict, request: RequestSession, scope: Mapping[str, Any]) -> None:
        """Report a write to `request.session` that was refused: the error that says so may be lost in another's."""
        self.tell(EventKind.LATE_CHANGE, session, request, {**scope}, detail="after the request was over")

    def changed_names(
        self, session: SessionDict, request: RequestSession, before: bytes | None, payload: bytes
    ) -> list[str]:
        """The fields in which a dump differs from an earlier one, or from a new session's."""
        return session.lifecycle.codec.changed_names(before or request.untouched.payload, payload)

    def tell(
        self,
        kind: EventKind,
        session: SessionDict,
        request: RequestSession,
        scope: Scope,
        *,
        session_id: bytes | None = None,
        detail: str = "",
    ) -> None:
        """Tell about the session, if anybody would hear it."""
        now = self._clock()
        if self._events.wants(kind, request.status, now):
            # By now an emptied session's model is its successor's.
            emptied = kind is _DESTROYED and request.emptied
            subject = request.emptied_subject if emptied else self.subject(session.model)
            handle = self.handle(session_id or request.id)
            at = as_datetime(now)
            self._events.report(kind, request.status, scope, at=at, session=handle, subject=subject, detail=detail)

    def unavailable(self, cause: str, scope: Scope | None = None) -> None:
        """Report that a store or revocations fail, or have lost something: once in a while, not with every request."""
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _SECONDS_BETWEEN_OUTAGES
        kind, status = EventKind.UNAVAILABLE, SessionStatus.STORE_DOWN
        if self._events.wants(kind, status, now):
            self._events.report(kind, status, scope or {"path": "", "method": ""}, at=as_datetime(now), detail=cause)

    def near_limit(
        self, size: int, session: SessionDict, request: RequestSession, scope: Scope, *, session_id: bytes
    ) -> None:
        """Report a session that is about to need more bytes of cookies than it may have."""
        self.tell(EventKind.NEAR_LIMIT, session, request, scope, session_id=session_id, detail=f"{size} bytes")

    def warn_once(self, warning: str) -> None:
        """Warn the operator the first time only."""
        self._events.warn_once(warning)
