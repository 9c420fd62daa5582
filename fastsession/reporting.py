"""Events about a request's session, told to whoever listens."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastsession.errors import ConfigurationError
from fastsession.events import EventKind, EventLog
from fastsession.lifetime import as_datetime
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.request import RequestSession
    from fastsession.sealing.keyring import Key
    from fastsession.session import Session

# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_ABSENT, _REJECTED = SessionStatus.ABSENT, EventKind.REJECTED


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

    def subject(self, session: Session | None) -> str | None:
        """Whose session it is, if the model says so; raises `ConfigurationError` for what is no text."""
        named = self._subject(session) if self._subject and session else None
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

    def rejection(self, request: RequestSession, scope: Scope) -> None:
        """Tell once about a cookie that was turned away."""
        if request.status is not _ABSENT and not request.rejection_reported:
            request.rejection_reported = True
            if self._events.wants(_REJECTED, request.status, request.now):
                at = as_datetime(request.now)
                self._events.report(_REJECTED, request.status, scope, at=at, detail=request.detail)

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
            subject = self.subject(session.model)
            handle = self.handle(session_id or request.id)
            at = as_datetime(now)
            self._events.report(kind, request.status, scope, at=at, session=handle, subject=subject, detail=detail)

    def plain_http(self, warning: str) -> None:
        """Warn once of a cookie that the browser will drop."""
        self._events.warn_once(warning)
