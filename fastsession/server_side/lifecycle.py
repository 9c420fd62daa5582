"""What a session has on the server besides its cookie: data in a store, and the denial of what was revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from fastsession.decision import Outcome
from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.events import EventKind
from fastsession.lifetime import CLOCK_SKEW, Timeouts
from fastsession.payload.codec import PayloadCodec
from fastsession.sealing.token import Token
from fastsession.server_side.outdated import note_in, noted_in
from fastsession.server_side.record_writer import RecordWriter
from fastsession.server_side.records import Records
from fastsession.session import Session
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.reporting import Reporter
    from fastsession.request import RequestSession
    from fastsession.sealing.keyring import KeyRing
    from fastsession.server_side.limit import SessionLimit
    from fastsession.stores.contract import Revocations, SessionStore

Outage = Literal["unavailable", "anonymous"]


class ServerSide:
    """Carries out on the server what a response's cookie is going to say, before it is said."""

    def __init__(
        self,
        *,
        records: Records | None,
        revocations: Revocations | None,
        outage: Outage,
        keys: KeyRing,
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
        self._timeouts = timeouts
        self._reporter = reporter
        self.subject = reporter.subject
        self._started: asyncio.AbstractEventLoop | None = None
        # A lock belongs to the event loop in which somebody first waited for it.
        self._starting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._writer = None
        if records is not None:
            self._writer = RecordWriter(
                records,
                codec=codec,
                timeouts=timeouts,
                reporter=reporter,
                owners=self.owners,
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

    def owners(self, subject: str) -> list[str]:
        """The names of a subject, the one by the primary key first."""
        return [key.owner(subject) for key in self.keys.by_id.values()]

    def refuse_denied(self, token: Token, session: Session | None) -> None:
        """Raise `Rejected` for a revoked session. Looks into memory only."""
        if self.revocations is None:
            return
        subject = self.subject(session)
        try:
            for key in self.keys.by_id.values():
                owner = None if subject is None else key.owner(subject)
                if self.revocations.denied(key.handle(token.id), owner, token.created_at):
                    outdated = noted_in(self.revocations, self.keys, token, self.clock())
                    raise Rejected(SessionStatus.REVOKED, "denied", outdated=outdated)
        except StoreUnavailableError:
            if self._outage == "unavailable":
                raise
            raise Rejected(SessionStatus.STORE_DOWN, "what is revoked is not known") from None

    def refuse_stale(self) -> None:
        """Raise `StoreUnavailableError` when it is not known what is revoked, unless sessions are then anonymous."""
        if self.revocations is not None and self._outage == "unavailable":
            self.revocations.denied("0" * 32, None, int(self.clock()))

    async def fetch(self, request: RequestSession, token: Token) -> None:
        """Read the data of a session that has arrived; raises `Rejected` and `StoreUnavailableError`."""
        if self.records is None:
            return
        try:
            entry = await self.records.read(token.id)
        except StoreUnavailableError:
            if self._outage == "unavailable":
                raise
            raise Rejected(SessionStatus.STORE_DOWN, "the store does not answer") from None
        request.payload, request.version = entry.payload, entry.version
        request.token = token._replace(stale=token.stale or entry.stale)

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
                await self.end(arrived, session.open().version)
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

    async def end(self, token: Token, version: int) -> None:
        """End a session on the server: its record, and any copy of its cookie."""
        if self.records is not None and not await self.records.retire(token.id, version=version, now=self.clock()):
            await self.records.delete(token.id)
        await self._deny(token)

    async def end_subject(self, subject: str, *, keep: bytes | None) -> int:
        """End a subject's sessions but for the one with the id `keep`; returns from when new ones count."""
        owners = self.owners(subject)
        before = int(self.clock()) + 1
        if self.revocations is not None:
            await self.revocations.deny_owner(owners[0], before=before, until=self._over_by(before))
        if self.records is not None:
            for entry in await self.records.owned(owners):
                if entry.id != keep:
                    await self.records.delete(entry.id)
        return before if self.revocations is not None else 0

    def model_of(self, payload: bytes) -> Session | None:
        """The session in a payload, None when today's model does not accept it."""
        try:
            return self._codec.load(payload)[0]
        except Rejected:
            return None

    async def deny_handle(self, handle: str) -> None:
        """Deny the session with this handle for as long as any could last."""
        if self.revocations is not None:
            await self.revocations.deny_session(handle, until=self._over_by(int(self.clock())))

    async def _kept(self, outcome: Outcome, token: Token, session: SessionDict, scope: Scope) -> Token:
        """The token after what it says is true on the server; raises `Rejected` and `StoreUnavailableError`."""
        request = session.open()
        arrived = None if request.origin else request.token
        if arrived is not None and not request.emptied:
            # As it came: it may have changed hands since. One that has just ended its subject's other
            # sessions is not ended by that itself.
            came = None if request.begins_at_least or request.payload is None else self.model_of(request.payload)
            self.refuse_denied(arrived, came)
        if request.token is None or request.has_new_id:
            token = self._after_cut_offs(token, session.model)
        if self._writer is not None:
            token = await self._writer.write(outcome, token, session, scope)
        if request.has_new_id and arrived is not None:
            await self._deny(arrived)
        return token

    async def _deny(self, token: Token) -> None:
        """Deny a session whose own browser is told so by this response, and note that for a moment."""
        if self.revocations is not None:
            # In this order: no request may meet the denial without the note.
            await note_in(self.revocations, self.keys, token, self.clock())
            handle = self.keys.primary.handle(token.id)
            await self.revocations.deny_session(handle, until=self._over_by(token.created_at))

    def _over_by(self, created_at: int) -> int:
        """When every copy of a session created then is over, one from while it was remembered too, on every clock."""
        return created_at + self._timeouts.longest_absolute + CLOCK_SKEW

    def _after_cut_offs(self, token: Token, session: Session | None) -> Token:
        """A new session's token, created after a cut-off of this very second, or by a clock that is ahead."""
        for created_at in range(token.created_at, token.created_at + CLOCK_SKEW):
            later = token._replace(created_at=created_at)
            try:
                self.refuse_denied(later, session)
            except Rejected:
                continue
            return later
        return token
