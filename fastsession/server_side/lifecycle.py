"""What a session has on the server besides its cookie: data in a store, and the denial of what was revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastsession.decision import Outcome
from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.events import EventKind
from fastsession.formats.marks import mark_in
from fastsession.lifetime import Timeouts
from fastsession.payload.codec import PayloadCodec
from fastsession.sealing.token import Token
from fastsession.server_side.record_writer import RecordWriter
from fastsession.server_side.records import Entry, Records
from fastsession.server_side.revoking import Outage, Revoking
from fastsession.session import Session
from fastsession.status import SessionStatus
from fastsession.stores.contract import Telling

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.reporting import Reporter
    from fastsession.request import RequestSession
    from fastsession.sealing.keyring import KeyRing
    from fastsession.sealing.names import Names
    from fastsession.server_side.limit import SessionLimit
    from fastsession.stores.contract import Revocations, SessionStore


class ServerSide:
    """Carries out on the server what a response's cookie is going to say, before it is said."""

    def __init__(
        self,
        *,
        records: Records | None,
        revocations: Revocations | None,
        outage: Outage,
        keys: KeyRing,
        names: Names,
        migrating_until: int,
        codec: PayloadCodec,
        timeouts: Timeouts,
        reporter: Reporter,
        clock: Callable[[], float],
        limit: SessionLimit | None,
    ) -> None:
        self.records = records
        self.revocations = revocations
        self.keys = keys
        self.clock = clock
        self._outage = outage
        self._codec = codec
        self._reporter = reporter
        self.subject = reporter.subject
        self.tell_unavailable = reporter.unavailable
        # Some find out by themselves that what they know was lost: outside of any request.
        if isinstance(revocations, Telling):
            revocations.tell_to(reporter.unavailable)
        self._started: asyncio.AbstractEventLoop | None = None
        # A lock belongs to the event loop in which somebody first waited for it.
        self._starting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.revoking = Revoking(
            revocations=revocations,
            records=records,
            names=names,
            subject=reporter.subject,
            outage=outage,
            timeouts=timeouts,
            migrating_until=migrating_until,
            clock=clock,
        )
        self._writer = None
        if records is not None:
            self._writer = RecordWriter(
                records,
                codec=codec,
                timeouts=timeouts,
                reporter=reporter,
                owners=names.owners,
                end=self.end,
                limit=limit,
                clock=clock,
            )

    async def start(self) -> None:
        """Start store and revocations, once in an event loop; the first request does it where no lifespan did.

        Raises `StoreUnavailableError`, unless sessions are then anonymous.
        """
        loop = asyncio.get_running_loop()
        if self._started is loop:
            return
        if self._starting is None or self._starting[0] is not loop:
            self._starting = loop, asyncio.Lock()
        async with self._starting[1]:
            if self._started is loop:
                return
            for backend in self._backends():
                try:
                    await backend.start()
                except StoreUnavailableError:
                    # It is reached by later calls, or they say that it is not.
                    if self._outage == "unavailable":
                        raise
            self._started = loop

    async def stop(self) -> None:
        """Stop them; a later request would start them again."""
        self._started = None
        for backend in self._backends():
            await backend.stop()

    def _backends(self) -> list[SessionStore | Revocations]:
        stores = [] if self.records is None else [self.records.store]
        return [*stores, *([] if self.revocations is None else [self.revocations])]

    def outside(self, token: Token) -> Token:
        """What of a token the cookie carries: with a store, no data."""
        return token if self.records is None else token._replace(payload=b"")

    def refuse_ended(self, request: RequestSession, session: Session | None) -> None:
        """Raise `Rejected` when the session that arrived, ours or another system's, has been ended."""
        if request.token is None:
            return
        if request.origin:
            self.revoking.refuse_foreign(request.mark, request.began, session)
        else:
            self.revoking.refuse_denied(request.token, session)

    async def refuse_noted(self, request: RequestSession) -> None:
        """Raise `Rejected` when a session of another system has been ended, as memory or the store knows."""
        self.refuse_ended(request, None)
        if not request.origin:
            return
        came = None if request.payload is None else self.model_of(request.payload)
        with self._outage_handled():
            await self.revoking.refuse_noted(request.mark, request.began, came)

    @contextmanager
    def _outage_handled(self) -> Generator[None]:
        """Raise `Rejected` in place of `StoreUnavailableError`, where sessions are then anonymous."""
        try:
            yield
        except StoreUnavailableError:
            if self._outage == "unavailable":
                raise
            raise Rejected(SessionStatus.STORE_DOWN, "the store does not answer") from None

    async def fetch(self, request: RequestSession, token: Token) -> None:
        """Read the data of a session that has arrived; raises `Rejected` and `StoreUnavailableError`."""
        entry = await self.read(token)
        if entry is not None:
            request.payload, request.version = entry.payload, entry.version
            request.token = token._replace(stale=token.stale or entry.stale)

    async def read(self, token: Token) -> Entry | None:
        """The record of a session, None without a store; raises `Rejected` and `StoreUnavailableError`."""
        if self.records is None:
            return None
        with self._outage_handled():
            return await self.records.read(token.id)

    async def carry_out(
        self, outcome: Outcome, token: Token | None, session: SessionDict, scope: Scope
    ) -> tuple[Outcome, Token | None]:
        """Do what `outcome` needs, or find that the session was ended meanwhile: then its cookie is left alone.

        Whoever ended it has told its own browser, which may have another session by now. Raises
        `StoreUnavailableError`: nothing is pretended.
        """
        try:
            if token is not None:
                return outcome, await self._kept(outcome, token, session, scope)
            arrived = session.open().token
            if arrived is not None:
                await self._end_here(arrived, session.open().version)
        except Rejected as rejected:
            if rejected.status is not SessionStatus.REVOKED:
                raise StoreUnavailableError(rejected.detail) from None
            self._reporter.tell(EventKind.REVOKED, session, session.open(), scope)
            return Outcome.KEEP, None
        except StoreUnavailableError:
            if outcome is not Outcome.RENEW:
                raise
            # The session is as good as before, and its next response tries again.
            return Outcome.KEEP, None
        return outcome, None

    async def end(self, session_id: bytes, created_at: int) -> None:
        """End a session on the server: its record, and any copy of its cookie."""
        if self.records is not None:
            await self.records.delete(session_id)
        await self.revoking.deny(session_id, created_at)

    async def _end_here(self, token: Token, version: int) -> None:
        """As `end`, for a session whose own browser is told so by this response."""
        if self.records is not None and not await self.records.retire(token.id, version=version, now=self.clock()):
            await self.records.delete(token.id)
        await self.revoking.deny_here(token)

    async def end_subject(self, subject: str, *, keep: bytes | None) -> int:
        """End a subject's sessions but for the one with the id `keep`; returns the cut-off that did it."""
        before = await self.revoking.cut_off(subject)
        if self.records is not None:
            owners = self.revoking.names.owners(subject)
            if self.revoking.still_migrates():
                async for entry in self.records.each_owned(owners):
                    mark = mark_in(entry.id)
                    if mark is not None and entry.id != keep:
                        await self.revoking.deny_foreign(mark)
            await self.records.end_owned(owners, keep=() if keep is None else (keep,))
        return before

    def model_of(self, payload: bytes) -> Session | None:
        """The session in a payload, None when today's model does not accept it."""
        try:
            return self._codec.load(payload)[0]
        except Rejected:
            return None

    async def _kept(self, outcome: Outcome, token: Token, session: SessionDict, scope: Scope) -> Token:
        """The token after what it says is true on the server; raises `Rejected` and `StoreUnavailableError`."""
        request = session.open()
        arrived = request.token
        if not request.emptied:
            # As it came: it may have changed hands since. One that has just ended its subject's other sessions is
            # not ended by that itself.
            came = None if request.spared_at or request.payload is None else self.model_of(request.payload)
            self.refuse_ended(request, came)
            if request.origin:
                await self.revoking.refuse_noted(request.mark, request.began, came)
        if arrived is None or request.regenerated or request.emptied:
            token = self.revoking.after_cut_offs(token, session.model)
        if self._writer is not None:
            token = await self._writer.write(outcome, token, session, scope)
        if request.has_new_id and arrived is not None:
            await self.revoking.deny_here(arrived)
        return token
