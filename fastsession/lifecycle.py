"""The one path of a session through a request: load() when somebody looks, commit() when the response starts.

The only place with a clock. What the response does is decided by `decision.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING

from fastsession.cookies import CookieWriter, Header, presented
from fastsession.decision import SERVER_ERROR, Outcome, decide
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.events import EventKind
from fastsession.lifetime import Timeouts
from fastsession.payload.codec import PayloadCodec
from fastsession.payload.declared import DeclaredFields
from fastsession.plain_http import PLAIN_HTTP_WARNING, drops_secure_cookies
from fastsession.reporting import NEAR_LIMIT, Reporter
from fastsession.request import RequestSession
from fastsession.response_headers import protect
from fastsession.sealing.own_cookies import SessionCookies
from fastsession.sealing.token import Token
from fastsession.session import Session, attach
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.formats.migrating import Migrations
    from fastsession.mapping import SessionDict
    from fastsession.server_side.lifecycle import ServerSide

Clock = Callable[[], float]
# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_VALID, _ABSENT = SessionStatus.VALID, SessionStatus.ABSENT
_KEEP, _SAVE, _RENEW = Outcome.KEEP, Outcome.SAVE, Outcome.RENEW
_RENEWED = EventKind.RENEWED
_OUTDATED = "the browser has been given another session since"


class Lifecycle:
    """Loads and commits the sessions of one middleware. Holds configuration, nothing of a request."""

    def __init__(
        self,
        *,
        cookies: SessionCookies,
        writer: CookieWriter,
        migrations: Migrations | None,
        server_side: ServerSide | None,
        codec: PayloadCodec,
        timeouts: Timeouts,
        reporter: Reporter,
        clock: Clock,
        settings: Mapping[str, object],
    ) -> None:
        self.cookies = cookies
        self.codec = codec
        self.declared = DeclaredFields(codec)
        self.timeouts = timeouts
        self.clock = clock
        self.renewal_possible = cookies.renewal_possible
        self._writer = writer
        self.settings = settings
        self._migrations = migrations
        self._reporter = reporter
        self.handle, self.subject, self.warn_once = reporter.handle, reporter.subject, reporter.warn_once
        self.finish = reporter.finish
        self.refused = reporter.refused
        self.server_side = server_side
        # Whether a session's data may have to be asked for, and whether anything has to be awaited at all.
        self._asks = (server_side is not None and server_side.records is not None) or (
            migrations is not None and migrations.awaits
        )
        self.awaits = self._asks or server_side is not None

    def arrive(self, header: bytes, binding: bytes) -> RequestSession:
        """Open the cookie: the one place where a rejection is caught."""
        now = self.clock()
        try:
            token = self.cookies.open(header, binding, now)
            request = RequestSession(self, now, token, _ABSENT if token is None else _VALID)
            if token is None and self._migrations and not self._asks:
                request.adopt(self._migrations.read(header, now))
            if self.server_side is not None:
                self.server_side.refuse_ended(request, None)
        except Rejected as rejected:
            request = RequestSession(self, now, None, rejected.status, rejected.detail)
            request.outdated = rejected.outdated
        return request

    async def preload(self, session: SessionDict) -> None:
        """Get what has to be asked for before the application runs; only an authentic cookie causes I/O.

        Raises `StoreUnavailableError`.
        """
        if self.server_side is not None:
            await self.server_side.start()
            if self.cookies.brought(session.header):
                await self.server_side.revoking.refuse_stale()
        if not self._asks:
            return
        request = session.open()
        try:
            if request.token is not None and self.server_side is not None:
                await self.server_side.fetch(request, request.token)
            elif self._migrations is not None and request.status is _ABSENT:
                request.adopt(await self._migrations.load(session.header, request.now))
                if self.server_side is not None:
                    await self.server_side.refuse_noted(request)
        except Rejected as rejected:
            request.reject(rejected)

    def load(self, request: RequestSession) -> Session:
        """Turn what arrived into the model; whatever was wrong with it, the session is a fresh model."""
        session = None
        if request.payload is not None:
            try:
                session, request.extras = self.codec.load(request.payload)
                if self.server_side is not None:
                    self.server_side.refuse_ended(request, session)
            except Rejected as rejected:
                session = None
                request.reject(rejected)
        if session is None:
            session, request.extras = self.codec.fresh(), {}
            # Now: what a factory looks at may be another when the response starts.
            request.untouched = self.codec.untouched()
            request.defaults = self.declared.defaults_of(session)
        attach(session, request)
        return session

    def commit(
        self, session: SessionDict, scope: Scope, headers: Iterable[Header], status_code: int
    ) -> Iterable[Header]:
        """The response's headers, with the cookie set, cleared or left alone.

        Raises `SessionTooLargeError` and `SessionNotSerializableError`, before anything has been sent.
        """
        outcome, token = self._decide(session, scope, status_code)
        return self._answer(outcome, token, session, scope, headers)

    async def commit_behind(
        self, session: SessionDict, scope: Scope, headers: Iterable[Header], status_code: int
    ) -> Iterable[Header]:
        """As `commit`, with what is kept on the server done first; also raises `StoreUnavailableError`."""
        outcome, token = self._decide(session, scope, status_code)
        if self.server_side and outcome is not _KEEP:
            outcome, token = await self.server_side.carry_out(outcome, token, session, scope)
        return self._answer(outcome, token, session, scope, headers)

    def presented(self, header: bytes) -> Hashable:
        """The values of all cookies in which the request's session may have come."""
        names = self.cookies.brought(header)
        if self._migrations is not None:
            names = [*names, *self._migrations.brought(header)]
        return presented(header, names)

    def _decide(self, session: SessionDict, scope: Scope, status_code: int) -> tuple[Outcome, Token | None]:
        """What the response does, and the token it is to carry."""
        request, model = session.request or session.open(), session.model
        arrived = request.token
        if arrived is None:
            self._reporter.rejection(session, request, scope)
        payload = request.payload or b"" if model is None else self.codec.dump(model, request.extras)
        edit = self.codec.edit(payload, request.payload)
        # What was ended stays so if its successor cannot be saved.
        destroyed = request.to_end(session.entries) or (request.emptied and status_code >= SERVER_ERROR)
        changed = request.to_save(model, payload, edit)
        # A login in such a request is a decision of now, and saved.
        outdated = request.outdated and not request.has_new_id
        outcome = decide(
            request.status,
            destroyed=destroyed,
            changed=changed,
            outdated=outdated,
            due=request.to_renew(),
            status_code=status_code,
        )
        request.committed = payload
        if outcome is _KEEP and changed and not destroyed:
            names = [*self._reporter.changed_names(session, request, request.payload, payload), *request.verbs()]
            why = _OUTDATED if outdated else f"a response of status {status_code} saves nothing"
            self._reporter.late_change(session, request, scope, names=names, why=why)
        if outcome is _SAVE:
            self.codec.verify(session.session(), request.extras, payload, edit)
            return outcome, request.saved_token(payload, session.binding, int(self.clock()))
        if outcome is _RENEW and arrived is not None:
            # As it arrived, and not as it dumps: only what changed is shown to load again.
            arrived = arrived._replace(payload=request.payload or b"", binding=session.binding)
            return outcome, arrived._replace(renewed_at=int(self.clock()))
        return outcome, None

    def _answer(
        self,
        outcome: Outcome,
        token: Token | None,
        session: SessionDict,
        scope: Scope,
        headers: Iterable[Header],
    ) -> Iterable[Header]:
        """The response's headers for an outcome, and its event."""
        request, looked_at = session.request or session.open(), session.model is not None
        if token is not None:
            try:
                cookies = self._cookies(outcome, token, session, request, scope)
            except SessionTooLargeError:
                # Another system's session may be larger than ours can be: unchanged, it stays as it is.
                if outcome is not _RENEW:
                    raise
                cookies = []
        elif outcome is _KEEP:
            cookies = []
        else:
            cookies = self._writer.delete(self.cookies.brought(session.header))
            if self._migrations is not None:
                cookies += self._migrations.deletions(session.header, request.now)
            if request.token is not None:
                request.ended = True
                self._reporter.tell(EventKind.DESTROYED, session, request, scope)
        request.response_started = True
        if not (looked_at or cookies):
            return headers
        return protect(headers, cookies=cookies, private=request.payload not in (None, self.codec.empty))

    def _cookies(
        self, outcome: Outcome, token: Token, session: SessionDict, request: RequestSession, scope: Scope
    ) -> list[Header]:
        """The Set-Cookie headers that carry a token, and its event."""
        now = self.clock()
        values = self.cookies.seal(token if self.server_side is None else self.server_side.outside(token), now=now)
        request.sealed = token
        kind = _RENEWED if outcome is _RENEW else request.kind_of_save()
        detail = ""
        if request.begins_anew and request.token is not None:
            self._reporter.tell(EventKind.DESTROYED, session, request, scope)
        elif request.origin and request.token is not None:
            kind, detail = EventKind.MIGRATED, request.origin
        self._reporter.tell(kind, session, request, scope, session_id=token.id, detail=detail)
        size = sum(map(len, values.values()))
        if size > NEAR_LIMIT:
            self._reporter.near_limit(size, session, request, scope, session_id=token.id)
        if self._writer.https_only and drops_secure_cookies(scope):
            self._reporter.warn_once(PLAIN_HTTP_WARNING)
        max_age = self.timeouts.max_age(token.created_at, token.renewed_at, token.remembered, now)
        stale = [name for name in self.cookies.brought(session.header) if name not in values]
        return [*self._writer.set(values, max_age=max_age), *self._writer.delete(stale), *request.deletions]
