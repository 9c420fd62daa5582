"""The one path of a session through a request: load() when somebody looks, commit() when the response starts.

The only place with a clock. What the response does is decided by `lifetime.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fastsession.caching import protect
from fastsession.cookies import CookieWriter, Header
from fastsession.errors import Rejected, SessionNotSerializableError, SessionTooLargeError
from fastsession.events import EventKind, EventLog, SessionStatus
from fastsession.keyring import KeyRing
from fastsession.lifetime import Outcome, Timeouts, as_datetime, decide
from fastsession.payload import PayloadCodec
from fastsession.plain_http import PLAIN_HTTP_WARNING, drops_secure_cookies
from fastsession.request import RequestSession, new_id
from fastsession.session import Session, SessionInfo, attach
from fastsession.token import Token
from fastsession.token_cookies import SessionCookies

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict

Clock = Callable[[], float]
# Bytes of cookie value that are worth a warning before they are too many.
NEAR_LIMIT = 3000
# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_VALID, _ABSENT = SessionStatus.VALID, SessionStatus.ABSENT
_KEEP = Outcome.KEEP


class Lifecycle:
    """Loads and commits the sessions of one middleware. Holds configuration, nothing of a request."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        cookies: SessionCookies,
        writer: CookieWriter,
        codec: PayloadCodec,
        timeouts: Timeouts,
        events: EventLog,
        clock: Clock,
    ) -> None:
        self.keys = keys
        self.cookies = cookies
        self.writer = writer
        self.codec = codec
        self.timeouts = timeouts
        self.events = events
        self.clock = clock
        subject: Any = getattr(codec.model, "subject", None)
        self._subject: Callable[[Session], str | None] | None = subject if callable(subject) else None  # pyright: ignore[reportAttributeAccessIssue]  # Any narrowed by callable()

    def arrive(self, headers: Iterable[Header], binding: bytes) -> RequestSession:
        """Open the cookie: the one place where a rejection is caught."""
        now = self.clock()
        try:
            token = self.cookies.open(headers, binding, now)
        except Rejected as rejected:
            return RequestSession(self, now, None, rejected.status, rejected.detail)
        return RequestSession(self, now, token, _ABSENT if token is None else _VALID)

    def load(self, request: RequestSession) -> Session:
        """Turn what arrived into the model; whatever was wrong with it, the session is a fresh model."""
        session, request.extras = None, {}
        if request.payload is not None:
            try:
                session, request.extras = self.codec.load(request.payload)
            except Rejected as rejected:
                request.reject(rejected)
        if session is None:
            session = self.codec.fresh()
        attach(session, request)
        return session

    def renewal_possible(self, headers: Iterable[Header]) -> bool:
        """Whether a session that nobody looks at has to be opened all the same, to move its idle deadline."""
        return self.cookies.renewal_possible(headers, self.clock)

    def commit(
        self, session: SessionDict, scope: Scope, headers: Iterable[Header], status_code: int
    ) -> Iterable[Header]:
        """The response's headers, with the cookie set, cleared or left alone.

        Raises `SessionTooLargeError` and `SessionNotSerializableError`, before anything has been sent.
        """
        request, looked_at = session.request or session.open(), session.model is not None
        token = request.token
        if token is None:
            self._report_rejection(request, scope)
        payload = request.payload or b"" if session.model is None else self.codec.dump(session.model, request.extras)
        outcome = decide(
            request.status,
            looked_at=looked_at,
            destroyed=request.to_end(payload),
            changed=request.to_save(session.model, payload),
            due=token is not None
            and (token.from_fallback or self.timeouts.renewal_due(token.renewed_at, token.remembered, request.now)),
            status_code=status_code,
        )
        cookies = [] if outcome is _KEEP else self._cookies(outcome, session, request, scope, payload)
        request.committed = payload
        request.response_started = True
        if not (looked_at or cookies):
            return headers
        return protect(headers, cookies=cookies, private=token is not None and token.payload != self.codec.empty)

    def finish(self, session: SessionDict, request: RequestSession, scope: Scope) -> None:
        """Report what the application did to the session when its cookie could no longer be sent."""
        if request.token is None:
            self._report_rejection(request, scope)
        if session.model is None:
            return
        try:
            payload = self.codec.dump(session.model, request.extras)
        except SessionNotSerializableError as error:
            self._emit(EventKind.LATE_CHANGE, session, request, scope, detail=f"fields: {error.field}")
            return
        if payload == request.committed:
            return
        if not session.response_started:
            if request.to_end(payload) or request.to_save(session.model, payload):
                self._emit(EventKind.LATE_CHANGE, session, request, scope, detail="no response was sent")
            return
        # Without a commit, somebody looked for the first time after the response had started.
        before = request.committed or request.payload or self.codec.dump(self.codec.fresh(), {})
        if payload != before:
            names = ", ".join(self.codec.changed_names(before, payload))
            self._emit(EventKind.LATE_CHANGE, session, request, scope, detail=f"fields: {names}")

    def info(self, request: RequestSession) -> SessionInfo:
        """How the session arrived, for the application."""
        token = request.token
        created_at, renewed_at = (token.created_at, token.renewed_at) if token else (int(request.now),) * 2
        remembered = token is not None and token.remembered
        lifetime = self.timeouts.lifetime(remembered=remembered)
        return SessionInfo(
            id=self._handle(request.id),
            created_at=as_datetime(created_at),
            authenticated_at=as_datetime(token.authenticated_at) if token and token.authenticated_at else None,
            renewed_at=as_datetime(renewed_at),
            expires_at=as_datetime(lifetime.expires_at(created_at=created_at, renewed_at=renewed_at)),
            is_new=token is None,
            remembered=remembered,
            status=request.status,
            origin=None if request.status is _ABSENT else self.cookies.origin,
        )

    def seal(self, token: Token, now: float) -> dict[str, str]:
        """The names and values of the session's cookies; raises `SessionTooLargeError`."""
        size = self.cookies.size(token)
        if size > self.cookies.capacity:
            largest = self.codec.field_sizes(token.payload)[:3]
            raise SessionTooLargeError(size=size, limit=self.cookies.capacity, fields=largest)
        return self.cookies.seal(token, now=now)

    def _cookies(
        self, outcome: Outcome, session: SessionDict, request: RequestSession, scope: Scope, payload: bytes
    ) -> list[Header]:
        """The Set-Cookie headers of an outcome, after its event."""
        if outcome is Outcome.CLEAR:
            if request.token is not None:
                self._emit(EventKind.DESTROYED, session, request, scope)
            return self.writer.clear(session.headers)
        now = self.clock()
        if outcome is Outcome.RENEW and request.token:
            kind, token = EventKind.RENEWED, request.token._replace(renewed_at=int(now))
        else:
            kind, token = _saved(request), self._saved_token(session, request, payload, int(now))
        values = self.seal(token, now)
        self._emit(kind, session, request, scope, session_id=token.id)
        size = sum(map(len, values.values()))
        if size > NEAR_LIMIT:
            detail = f"{size} of {self.cookies.capacity} bytes"
            self._emit(EventKind.NEAR_LIMIT, session, request, scope, session_id=token.id, detail=detail)
        if self.writer.https_only and drops_secure_cookies(scope):
            self.events.warn_once(PLAIN_HTTP_WARNING)
        return self.writer.set(values, max_age=self._max_age(token, now), headers=session.headers)

    def _saved_token(self, session: SessionDict, request: RequestSession, payload: bytes, now: int) -> Token:
        """The token of a changed session; raises `SessionNotSerializableError`."""
        if session.model is not None:
            self.codec.verify(session.model, payload)
        arrived = request.token
        remembered = arrived is not None and arrived.remembered if request.remember is None else request.remember
        if request.regenerated:
            return Token(new_id(), now, now, now, remembered, payload, session.binding)
        if arrived is None:
            return Token(request.id, now, 0, now, remembered, payload, session.binding)
        created_at, authenticated_at = arrived.created_at, arrived.authenticated_at
        return Token(arrived.id, created_at, authenticated_at, now, remembered, payload, session.binding)

    def _max_age(self, token: Token, now: float) -> int | None:
        """Seconds that the browser keeps the cookie; None, for as long as it runs, unless remembered."""
        if not token.remembered or self.timeouts.remembered is None:
            return None
        lifetime = self.timeouts.remembered
        return max(0, lifetime.expires_at(created_at=token.created_at, renewed_at=token.renewed_at) - int(now))

    def _report_rejection(self, request: RequestSession, scope: Scope) -> None:
        """Tell once about a cookie that was turned away."""
        if request.status is not _ABSENT and not request.rejection_reported:
            request.rejection_reported = True
            if self.events.wants_rejection(request.status, request.now):
                at = as_datetime(request.now)
                self.events.report(EventKind.REJECTED, request.status, scope, at=at, detail=request.detail)

    def _emit(
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
        if self.events.wants(kind):
            subject = self._subject(session.model) if self._subject and session.model else None
            handle = self._handle(session_id or request.id)
            at = as_datetime(self.clock())
            self.events.report(kind, request.status, scope, at=at, session=handle, subject=subject, detail=detail)

    def _handle(self, session_id: bytes) -> str:
        return self.keys.primary.handle(session_id)


def _saved(request: RequestSession) -> EventKind:
    if request.regenerated:
        return EventKind.REGENERATED
    return EventKind.SAVED if request.token else EventKind.CREATED
