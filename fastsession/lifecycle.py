"""The one path of a session through a request: load() when somebody looks, commit() when the response starts.

The only place with a clock. What the response does is decided by `lifetime.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fastsession.caching import protect
from fastsession.cookies import CookieWriter, Header
from fastsession.errors import Rejected, SessionNotSerializableError
from fastsession.events import EventKind, SessionStatus
from fastsession.lifetime import Outcome, Timeouts, as_datetime, decide
from fastsession.payload import PayloadCodec
from fastsession.plain_http import PLAIN_HTTP_WARNING, drops_secure_cookies
from fastsession.reporting import Reporter
from fastsession.request import RequestSession, new_id
from fastsession.session import Session, SessionInfo, attach
from fastsession.token import Token
from fastsession.token_cookies import SessionCookies

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.migrating import Migrations

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
        cookies: SessionCookies,
        writer: CookieWriter,
        migrations: Migrations | None,
        codec: PayloadCodec,
        timeouts: Timeouts,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self.cookies = cookies
        self.codec = codec
        self.timeouts = timeouts
        self.clock = clock
        self.renewal_possible = cookies.renewal_possible
        self._writer = writer
        self._migrations = migrations
        self._reporter = reporter
        # Whether a session that is not ours yet may have to be asked for before the application runs.
        self.awaits = migrations is not None and migrations.awaits

    def arrive(self, headers: Iterable[Header], binding: bytes) -> RequestSession:
        """Open the cookie: the one place where a rejection is caught."""
        now = self.clock()
        try:
            token = self.cookies.open(headers, binding, now)
            if token is not None:
                return RequestSession(self, now, token, _VALID)
            request = RequestSession(self, now, None, _ABSENT)
            if self._migrations and not self.awaits:
                request.adopt(self._migrations.read(headers, now))
        except Rejected as rejected:
            request = RequestSession(self, now, None, rejected.status, rejected.detail)
        return request

    async def preload(self, session: SessionDict) -> None:
        """Take over a session whose data has to be asked for; only an authentic cookie causes I/O."""
        request = session.open()
        if self._migrations and request.status is _ABSENT:
            try:
                request.adopt(await self._migrations.load(session.headers, request.now))
            except Rejected as rejected:
                request.reject(rejected)

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

    def commit(
        self, session: SessionDict, scope: Scope, headers: Iterable[Header], status_code: int
    ) -> Iterable[Header]:
        """The response's headers, with the cookie set, cleared or left alone.

        Raises `SessionTooLargeError` and `SessionNotSerializableError`, before anything has been sent.
        """
        request, looked_at = session.request or session.open(), session.model is not None
        token = request.token
        if token is None:
            self._reporter.rejection(request, scope)
        payload = request.payload or b"" if session.model is None else self.codec.dump(session.model, request.extras)
        outcome = decide(
            request.status,
            looked_at=looked_at,
            destroyed=request.to_end(payload),
            changed=request.to_save(session.model, payload),
            due=token is not None
            and (token.stale or self.timeouts.renewal_due(token.renewed_at, token.remembered, request.now)),
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
            self._reporter.rejection(request, scope)
        if session.model is None:
            return
        try:
            payload = self.codec.dump(session.model, request.extras)
        except SessionNotSerializableError as error:
            self._reporter.tell(EventKind.LATE_CHANGE, session, request, scope, detail=f"fields: {error.field}")
            return
        if payload == request.committed:
            return
        if not session.response_started:
            if request.to_end(payload) or request.to_save(session.model, payload):
                self._reporter.tell(EventKind.LATE_CHANGE, session, request, scope, detail="no response was sent")
            return
        # Without a commit, somebody looked for the first time after the response had started.
        before = request.committed or request.payload or self.codec.dump(self.codec.fresh(), {})
        if payload != before:
            names = ", ".join(self.codec.changed_names(before, payload))
            self._reporter.tell(EventKind.LATE_CHANGE, session, request, scope, detail=f"fields: {names}")

    def info(self, request: RequestSession) -> SessionInfo:
        """How the session arrived, for the application."""
        token = request.token
        created_at, renewed_at = (token.created_at, token.renewed_at) if token else (int(request.now),) * 2
        remembered = token is not None and token.remembered
        lifetime = self.timeouts.lifetime(remembered=remembered)
        return SessionInfo(
            id=self._reporter.handle(request.id),
            created_at=as_datetime(created_at),
            authenticated_at=as_datetime(token.authenticated_at) if token and token.authenticated_at else None,
            renewed_at=as_datetime(renewed_at),
            expires_at=as_datetime(lifetime.expires_at(created_at=created_at, renewed_at=renewed_at)),
            is_new=token is None,
            remembered=remembered,
            status=request.status,
            origin=None if request.status is _ABSENT else request.origin or self.cookies.origin,
        )

    def _cookies(
        self, outcome: Outcome, session: SessionDict, request: RequestSession, scope: Scope, payload: bytes
    ) -> list[Header]:
        """The Set-Cookie headers of an outcome, after its event."""
        brought = self.cookies.brought(session.headers)
        if outcome is Outcome.CLEAR:
            if request.token is not None:
                self._reporter.tell(EventKind.DESTROYED, session, request, scope)
            return [*self._writer.delete(brought), *request.deletions]
        now = self.clock()
        if outcome is Outcome.RENEW and request.token:
            kind, token = EventKind.RENEWED, request.token._replace(renewed_at=int(now), binding=session.binding)
        else:
            kind, token = _saved(request), self._saved_token(session, request, payload, int(now))
        values = self.cookies.seal(token, now=now)
        kind = EventKind.MIGRATED if request.deletions else kind
        self._reporter.tell(kind, session, request, scope, session_id=token.id, detail=request.origin or "")
        size = sum(map(len, values.values()))
        if size > NEAR_LIMIT:
            detail = f"{size} bytes"
            self._reporter.tell(EventKind.NEAR_LIMIT, session, request, scope, session_id=token.id, detail=detail)
        if self._writer.https_only and drops_secure_cookies(scope):
            self._reporter.plain_http(PLAIN_HTTP_WARNING)
        max_age = self.timeouts.max_age(token.created_at, token.renewed_at, token.remembered, now)
        stale = [name for name in brought if name not in values]
        return [*self._writer.set(values, max_age=max_age), *self._writer.delete(stale), *request.deletions]

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


def _saved(request: RequestSession) -> EventKind:
    if request.regenerated:
        return EventKind.REGENERATED
    return EventKind.SAVED if request.token else EventKind.CREATED
