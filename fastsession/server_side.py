"""What a session has on the server besides its cookie: data in a store, and the denial of what was revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.events import EventKind, SessionStatus
from fastsession.lifetime import Outcome, Timeouts
from fastsession.merging import merged
from fastsession.payload import PayloadCodec
from fastsession.records import Entry, Records
from fastsession.session import Session
from fastsession.token import Token

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.keyring import KeyRing
    from fastsession.mapping import SessionDict
    from fastsession.reporting import Reporter
    from fastsession.request import RequestSession
    from fastsession.session_limit import SessionLimit
    from fastsession.stores.contract import Revocations, SessionStore

Outage = Literal["unavailable", "anonymous"]
# How often a write is tried against others that are faster.
_MOST_TRIES = 50


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
        self._started: asyncio.AbstractEventLoop | None = None
        self._starting = asyncio.Lock()
        self._limit = limit
        self.keys = keys
        self.clock = clock
        self._outage = outage
        self._codec = codec
        self._timeouts = timeouts
        self._reporter = reporter
        self.subject = reporter.subject

    async def start(self) -> None:
        """Start store and revocations, once in an event loop; the first request does it where no lifespan did."""
        loop = asyncio.get_running_loop()
        if self._started is loop:
            return
        async with self._starting:
            if self._started is not loop:
                for backend in self._backends():
                    await backend.start()
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
                    raise Rejected(SessionStatus.REVOKED, "denied")
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
        """Do what `outcome` needs, or find that the session was ended meanwhile: then it is cleared.

        Raises `StoreUnavailableError`: nothing is pretended.
        """
        request = session.open()
        arrived = request.token
        try:
            if token is None:
                if arrived is not None:
                    await self.end(arrived)
                return outcome, None
            if arrived is not None and not request.origin:
                # One that has just ended its subject's other sessions is not ended by that itself.
                self.refuse_denied(arrived, None if request.begins_at_least else session.model)
            if self.records is not None:
                token = await self._keep(self.records, outcome, token, session, scope)
            if request.regenerated and arrived is not None:
                # Only now: the old one goes when the new one is safe.
                await self.end(arrived)
        except Rejected:
            request.ending = EventKind.REVOKED
            return Outcome.CLEAR, None
        return outcome, token

    async def end(self, token: Token) -> None:
        """End a session on the server: its record, and any copy of its cookie."""
        if self.records is not None:
            await self.records.delete(token.id)
        if self.revocations is not None:
            lifetime = self._timeouts.lifetime(remembered=token.remembered)
            until = token.created_at + lifetime.absolute
            await self.revocations.deny_session(self.keys.primary.handle(token.id), until=until)

    async def end_subject(self, subject: str, *, keep: bytes | None) -> int:
        """End a subject's sessions but for the one with the id `keep`; returns from when new ones count."""
        owners = self.owners(subject)
        before = int(self.clock()) + 1
        if self.revocations is not None:
            await self.revocations.deny_owner(owners[0], before=before, until=before + self._timeouts.longest_absolute)
        if self.records is not None:
            for entry in await self.records.owned(owners):
                if entry.id != keep:
                    await self.records.delete(entry.id)
        return before

    async def end_entry(self, entry: Entry) -> None:
        """End the session of a record."""
        if self.records is not None:
            await self.records.delete(entry.id)
        await self.deny_handle(self.keys.primary.handle(entry.id))

    async def deny_handle(self, handle: str) -> None:
        """Deny the session with this handle for as long as any could last."""
        if self.revocations is not None:
            until = int(self.clock()) + self._timeouts.longest_absolute
            await self.revocations.deny_session(handle, until=until)

    async def _keep(
        self, records: Records, outcome: Outcome, token: Token, session: SessionDict, scope: Scope
    ) -> Token:
        """Put the token's data into the store; raises `Rejected` when the session is no longer there."""
        request = session.open()
        subject = self.subject(session.model or self._codec.load(token.payload)[0])
        owners = [] if subject is None else self.owners(subject)
        arrived, now, owner = request.token, self.clock(), owners[0] if owners else None
        lifetime = self._timeouts.lifetime(remembered=token.remembered)
        expires_at = lifetime.expires_at(created_at=token.created_at, renewed_at=token.renewed_at)
        if arrived is None or request.regenerated or request.origin:
            if owners and self._limit is not None:
                await self._limit.make_room(records, owners, leaving=arrived)
            await records.create(token, expires_at=expires_at, owner=owner, now=now)
            return token
        if outcome is Outcome.RENEW:
            # Whoever wrote meanwhile wrote newer data: then only the expiry has to move.
            if await records.replace(
                token, version=request.version, expires_at=expires_at, owner=owner, now=now
            ) or await records.touch(token.id, expires_at=expires_at):
                return token
            raise Rejected(SessionStatus.REVOKED)
        version, before = request.version, request.payload or b""
        for _ in range(_MOST_TRIES):
            if await records.replace(token, version=version, expires_at=expires_at, owner=owner, now=now):
                return token
            # Another request was faster: lay this one's changes over what is there now.
            theirs = await records.read(token.id)
            payload, disputed = merged(self._codec, before=before, mine=token.payload, theirs=theirs.payload)
            if disputed:
                detail = f"fields: {', '.join(disputed)}"
                self._reporter.tell(EventKind.CONFLICT, session, request, scope, detail=detail)
            token, before, version = token._replace(payload=payload), theirs.payload, theirs.version
        message = "The session's record changes faster than this request can write it."
        raise StoreUnavailableError(message)
