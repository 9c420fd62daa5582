"""The path of a session that has something on the server: one step before the application, one before the response."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from fastsession.decision import Outcome
from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.events import EventKind
from fastsession.lifecycle import Lifecycle, Step
from fastsession.reports import report, report_unsaved
from fastsession.sealing.binding import digest_of
from fastsession.server_side.backends import Backends, outage_handled
from fastsession.server_side.fetching import Fetches
from fastsession.server_side.limit import SessionLimit
from fastsession.server_side.names import Names
from fastsession.server_side.record_writer import RecordWriter
from fastsession.server_side.records import Entry, Records
from fastsession.server_side.revoking import Revoking
from fastsession.server_side.serving import ANSWERED, refuse
from fastsession.server_side.signing_in import SigningIn
from fastsession.status import SessionStatus
from fastsession.stores.on_demand import OnDemand

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fastsession.mapping import SessionDict
    from fastsession.options import Setup
    from fastsession.reports import View
    from fastsession.sealing.token import Token
    from fastsession.session import Session
    from fastsession.visit import Visit


class ServerLifecycle(Lifecycle):
    """The path of the sessions of one middleware with a store, revocations, or a migration from a store."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.backends = Backends(setup.store, setup.revocations, may_fail=setup.outage == "anonymous")
        self.records = None if setup.store is None else Records(setup.store, setup.keys)
        self.revocations = setup.revocations
        # Which sessions have been asked for, where that is left to those that look at them.
        self.fetches = Fetches() if isinstance(setup.store, OnDemand) else None
        names = Names(setup.keys, cookie_name=setup.cookies.name, audience=setup.audience)
        self.revoking = Revoking(setup, self.records, names)
        self.signing_in = SigningIn(setup, self.records, names)
        self.writer = None
        if self.records is not None:
            limit = None if setup.most_sessions is None else SessionLimit(setup.most_sessions, setup.when_full)
            end = partial(self.revoking.end, self.records)
            self.writer = RecordWriter(setup, self.records, owners=names.owners, end=end, limit=limit)

    async def serve(self, app: ASGIApp, view: SessionDict, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, with the session's data fetched unless on demand; answer 503 when that fails."""
        visit = view.visit
        try:
            if self.setup.front_end is not None:
                visit.binding = digest_of(await self.setup.front_end.identity(HTTPConnection(scope)))
            if self.fetches is None:
                await self.fetch(visit)
            await app(scope, receive, send)
        except StoreUnavailableError as error:
            # Those that the application raised as well, having asked for a session to be ended, and did not handle.
            if visit.late:
                raise
            await refuse(error, visit, scope, send, dropping=False)

    async def ask(self, visit: Visit) -> None:
        """Fetch a session that is on demand; raises `StoreUnavailableError`."""
        if self.fetches is not None:
            await self.fetches.ask(visit, self.fetch)

    def open(self, visit: Visit) -> None:
        """Open the cookie, and reject a session that was ended."""
        if self.fetches is not None:
            self.fetches.check(visit)
        self._open(visit)

    def _open(self, visit: Visit) -> None:
        super().open(visit)
        self._reject_ended(visit, None)
        self.revoking.reject_unclaimed(visit)

    def load(self, visit: Visit) -> Session:
        """The model of what came, or of a new session when its subject's sessions were ended."""
        if self.fetches is not None:
            self.fetches.check(visit)
        model = super().load(visit)
        return self.new_model(visit) if self._reject_ended(visit, model) else model

    def in_cookie(self, token: Token) -> Token:
        """What of a token its cookie carries: with a store, no data."""
        return token if self.records is None else token._replace(payload=b"")

    async def commit(self, view: View, scope: Scope, message: Message, send: Send) -> None:
        """As without a store; a session that no one has asked for is fetched if its renewal is due."""
        visit, fetches = view.visit, self.fetches
        if fetches is not None and not fetches.have(visit):
            due = self.cookies.may_be_due(visit.header, self.clock())
            if not (due and await fetches.try_to_ask(visit, self.fetch, scope)):
                visit.late = True
                await send(message)
                return
        try:
            await super().commit(view, scope, message, send)
        except ANSWERED as error:
            # Once it was sent, what failed is behind the server's `send`.
            if visit.late:
                raise
            await refuse(error, visit, scope, send)

    async def carry_out(self, step: Step, view: View, scope: Scope, message: Message, send: Send) -> None:
        """Do on the server what the step needs, then send the message; raises what keeps it from being done."""
        if step.token is not None and view.visit.has_new_id:
            # A session too large for its cookies is refused before the one that came is ended.
            self.cookies.seal(self.in_cookie(step.token), now=self.clock())
        if step.outcome is not Outcome.KEEP:
            step = await self._carried_out(step, view, scope)
        self.answer(step, view, scope, message)
        await send(message)

    async def read(self, token: Token) -> Entry | None:
        """The record of a session, None without a store; raises `Rejected` and `StoreUnavailableError`."""
        if self.records is None:
            return None
        with outage_handled(self.setup.outage):
            return await self.records.read(token.id)

    def model_of(self, payload: bytes | None) -> Session | None:
        """The session in a payload, None without one or when today's model does not accept it."""
        with suppress(Rejected):
            return None if payload is None else self.codec.load(payload)[0]
        return None

    async def fetch(self, visit: Visit) -> None:
        """Get what has to be asked for; only an authentic cookie causes I/O. Raises `StoreUnavailableError`."""
        await self.backends.start()
        if self.cookies.brought(visit.header):
            await self.revoking.refuse_stale()
        if self.records is not None or (self.setup.migrations and self.setup.migrations.awaits):
            await self.look_up(visit)

    async def look_up(self, visit: Visit) -> None:
        """Take the session that came from where it is kept; raises `StoreUnavailableError`."""
        migrations = self.setup.migrations
        self._open(visit)
        try:
            if visit.token is None and visit.status is SessionStatus.ABSENT and migrations:
                arrival = await migrations.load(visit.header, visit.now)
                if arrival is not None:
                    visit.token, visit.window, visit.origin = arrival
                    visit.payload, visit.status = arrival.token.payload, SessionStatus.VALID
            if visit.origin:
                await self.refuse_noted(visit, self.model_of(visit.payload))
            elif visit.token is not None:
                self._take(visit, await self.read(visit.token))
        except Rejected as rejected:
            visit.reject(rejected)
        if self.fetches is not None:
            self.fetches.note(visit)

    async def refuse_noted(self, visit: Visit, came: Session | None) -> None:
        """Raise `Rejected` when another system's session has been ended, as memory or the store knows."""
        self.revoking.refuse_ended(visit, came)
        if visit.origin:
            with outage_handled(self.setup.outage):
                await self.revoking.refuse_noted(visit.origin.mark, visit.origin.began, came)

    def _take(self, visit: Visit, entry: Entry | None) -> None:
        """Take the session's data from its record."""
        if entry is None or visit.token is None or visit.window is None:
            return
        visit.payload, visit.version = entry.payload, entry.version
        if entry.stale:
            visit.token, visit.window = visit.token._replace(stale=True), visit.window._replace(renews=0)

    def _reject_ended(self, visit: Visit, model: Session | None) -> bool:
        """Reject the session that came if it has been ended; whether it was."""
        try:
            self.revoking.refuse_ended(visit, model)
        except Rejected as rejected:
            visit.reject(rejected)
            return True
        return False

    async def _carried_out(self, step: Step, view: View, scope: Scope) -> Step:
        """The step after it was done, or the session left alone because it was ended meanwhile.

        Whoever ended it has told its browser, which may have another one by now. Raises `StoreUnavailableError`.
        """
        visit = view.visit
        try:
            if step.token is not None:
                if await self.signing_in.is_outdated(view):
                    report_unsaved(view, scope, visit.committed or b"", status_code=0, outdated=True)
                    return Step(Outcome.KEEP)
                return Step(step.outcome, await self._kept(step.outcome, step.token, view, scope))
            if visit.token is not None:
                await self._end(visit.token, visit)
        except Rejected as rejected:
            if rejected.status is SessionStatus.REVOKED:
                report(EventKind.REVOKED, view, scope)
                return Step(Outcome.KEEP)
            if step.outcome is not Outcome.RENEW:
                raise StoreUnavailableError(rejected.detail) from None
            cause = rejected.detail
        except StoreUnavailableError as error:
            if step.outcome is not Outcome.RENEW:
                raise
            cause = str(error)
        else:
            return step
        # The session is as good as before, and its next response tries again.
        self.setup.events.unavailable(cause, scope)
        return Step(Outcome.KEEP)

    async def _end(self, came: Token, visit: Visit) -> None:
        """End the session that came, as this response tells its browser; raises `Rejected`, `StoreUnavailableError`."""
        if visit.drained:
            # Key by key: that was not meant for what the browser has been given since.
            await self.refuse_noted(visit, self.model_of(visit.payload))
            if not visit.origin:
                await self.read(came)
        await self.revoking.end_here(came, visit.version)

    async def _kept(self, outcome: Outcome, token: Token, view: View, scope: Scope) -> Token:
        """The token after what it says is true on the server; raises `Rejected` and `StoreUnavailableError`."""
        visit = view.visit
        # As it came: it may have changed hands since. Its own `end_others` does not end it.
        came = None if visit.spared_at else self.model_of(visit.payload)
        self.revoking.refuse_ended(visit, came)
        if visit.origin:
            await self.revoking.refuse_noted(visit.origin.mark, visit.origin.began, came)
        if visit.token is None or visit.regenerated or visit.emptied:
            token = self.revoking.after_cut_offs(token, view.model)
        if self.writer is not None:
            token = await self.writer.write(outcome, token, view, scope)
        if visit.has_new_id and visit.token is not None:
            await self.revoking.deny_here(visit.token)
        await self.signing_in.note(view)
        return token
