"""Puts a session into the store so that nothing another request has written is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from fastsession.decision import Outcome
from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.events import EventKind
from fastsession.reports import report
from fastsession.sealing.token import Token
from fastsession.server_side.merging import merged
from fastsession.server_side.records import MOST_TRIES, Records
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.options import Setup
    from fastsession.reports import View
    from fastsession.server_side.limit import End, SessionLimit
    from fastsession.visit import Visit


class RecordWriter:
    """Writes the records of one middleware's sessions.

    All of it raises `Rejected` (revoked) for a session that was ended meanwhile, and `StoreUnavailableError`.
    """

    def __init__(
        self,
        setup: Setup,
        records: Records,
        *,
        owners: Callable[[str], list[str]],
        end: End,
        limit: SessionLimit | None,
    ) -> None:
        self._records = records
        self._codec = setup.codec
        self._timeouts = setup.timeouts
        self._subject = setup.events.subject
        self._clock = setup.clock
        self._owners = owners
        self._end = end
        self._limit = limit
        # One writer of a session at a time in this process: otherwise each of n would try n times.
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def write(self, outcome: Outcome, token: Token, view: View, scope: Scope) -> Token:
        """Keep what the response is about to say; returns the token with what has been kept."""
        visit = view.visit
        arrived = None if visit.origin else visit.token
        if outcome is Outcome.RENEW and arrived is not None:
            return await self._renew(token, visit)
        owners = self._owners_of(token)
        if self._limit is not None and owners and self._is_arriving(owners, visit):
            await self._limit.make_room(self._records, owners, leaving=visit.token, end=self._end)
        if arrived is None:
            await self._create(token, owners)
            return token
        turn = self._turns.setdefault(arrived.id, asyncio.Lock())
        async with turn:
            return await self._write_over(arrived, token, owners, view, scope)

    async def _renew(self, token: Token, visit: Visit) -> Token:
        """Move the expiry, and what the record tells of it unless somebody has written since."""
        try:
            written = await self._replace(token, visit.version, self._owners_of(token))
        except Rejected:
            # Today's model does not accept it, so that its owner is not known: another server's may.
            written = False
        if written:
            return token
        # Raises where the session was ended: what says so would be touched as a record is. And once more, for the
        # one that is ended between the two.
        await self._records.read(token.id)
        if not await self._records.touch(token.id, expires_at=self._expires_at(token)):
            raise Rejected(SessionStatus.REVOKED, "its record is gone")
        await self._records.read(token.id)
        return token

    async def _write_over(self, arrived: Token, token: Token, owners: list[str], view: View, scope: Scope) -> Token:
        """Write the session in place of the one that arrived, with this request's changes over all others'."""
        visit, disputed = view.visit, list[str]()
        written, version = token, visit.version
        for _ in range(MOST_TRIES):
            if visit.has_new_id:
                done = await self._succeed(arrived, written, version, owners)
            else:
                done = await self._replace(written, version, owners)
            if done:
                if disputed:
                    detail = f"fields: {', '.join(disputed)}"
                    report(EventKind.CONFLICT, view, scope, detail=detail)
                return written
            theirs = await self._records.read(arrived.id)
            if visit.emptied:
                # Nothing of it goes on, not even what others have written since.
                version = theirs.version
                continue
            payload, disputed = merged(
                self._codec, before=visit.payload or b"", mine=token.payload, theirs=theirs.payload
            )
            written, version = token._replace(payload=payload), theirs.version
            owners = self._owners_of(written)
        message = "The session's record changes faster than this request can write it."
        raise StoreUnavailableError(message)

    async def _succeed(self, arrived: Token, token: Token, version: int, owners: list[str]) -> bool:
        """Let a new record take the place of the one that arrived; False when that has been written to, or is gone."""
        expires_at, owner = self._expires_at(token), owners[0] if owners else None
        return await self._records.supersede(
            arrived.id, token, version=version, expires_at=expires_at, owner=owner, now=self._clock()
        )

    async def _create(self, token: Token, owners: list[str]) -> None:
        expires_at, owner = self._expires_at(token), owners[0] if owners else None
        await self._records.create(token, expires_at=expires_at, owner=owner, now=self._clock())

    async def _replace(self, token: Token, version: int, owners: list[str]) -> bool:
        expires_at, owner = self._expires_at(token), owners[0] if owners else None
        return await self._records.replace(
            token, version=version, expires_at=expires_at, owner=owner, now=self._clock()
        )

    def _expires_at(self, token: Token) -> int:
        lifetime = self._timeouts.lifetime(remembered=token.remembered)
        return lifetime.expires_at(created_at=token.created_at, renewed_at=token.renewed_at)

    def _owners_of(self, token: Token) -> list[str]:
        """The names of the token's subject, the current one first; raises `Rejected` (incompatible)."""
        subject = self._subject(self._codec.load(token.payload)[0])
        return [] if subject is None else self._owners(subject)

    def _is_arriving(self, owners: list[str], visit: Visit) -> bool:
        """Whether the session becomes one of this subject's now: by being new, or by changing hands."""
        if visit.token is None or visit.origin or visit.has_new_id:
            return True
        return self._owners_of(visit.token._replace(payload=visit.payload or b"")) != owners
