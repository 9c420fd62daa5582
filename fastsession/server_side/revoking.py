"""Which sessions are over because someone ended them: asking, and ending."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING

from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.formats.marks import mark_in
from fastsession.lifetime import CLOCK_SKEW
from fastsession.server_side.outdated import note_in, noted_in, session_of
from fastsession.status import SessionStatus
from fastsession.stores.contract import Telling

if TYPE_CHECKING:
    from fastsession.options import Setup
    from fastsession.sealing.token import Token
    from fastsession.server_side.names import Names
    from fastsession.server_side.records import Records
    from fastsession.session import Session
    from fastsession.stores.contract import Revocations
    from fastsession.visit import Visit

_NOBODY = "0" * 32


class Revoking:
    """Denies the sessions of one middleware, and the cookies that they were taken over from.

    While cookies of other systems are read and there are no revocations, the store keeps notes of the ended ones.
    """

    def __init__(self, setup: Setup, records: Records | None, names: Names) -> None:
        self.revocations = setup.revocations
        # Some find out by themselves that what they know was lost: outside of any request.
        if isinstance(setup.revocations, Telling):
            setup.revocations.tell_to(setup.events.unavailable)
        self.names = names
        self._records = records
        self._subject = setup.events.subject
        self._outage = setup.outage
        self._timeouts = setup.timeouts
        # The second from which no other system's cookie is read.
        self._migrating_until = 0 if setup.migrations is None else setup.migrations.until
        self._clock = setup.clock

    def refuse_ended(self, visit: Visit, session: Session | None) -> None:
        """Raise `Rejected` when the session that came, ours or another system's, has been ended. Looks into memory."""
        if visit.token is None:
            return
        if visit.origin:
            self.refuse_foreign(visit.token, visit.origin.mark, visit.origin.began, session)
        else:
            self.refuse_denied(visit.token, session)

    def refuse_denied(self, token: Token, session: Session | None) -> None:
        """Raise `Rejected` for a revoked session. Looks into memory only."""
        self._refuse(token, self.names.sessions(token.id), session, token.created_at, token.spared_at)

    def refuse_foreign(self, token: Token, mark: bytes, began: int, session: Session | None) -> None:
        """Raise `Rejected` for another system's session that was ended. Looks into memory only."""
        self._refuse(token, self.names.foreign(mark), session, began, 0)

    async def refuse_noted(self, mark: bytes, began: int, session: Session | None) -> None:
        """As `refuse_foreign`, for what the store keeps when there are no revocations."""
        if self._records is None or self.revocations is not None:
            return
        for name in self.names.foreign(mark):
            if await self._records.noted(name) is not None:
                outdated = await self._records.is_noted(mark)
                raise Rejected(SessionStatus.REVOKED, "ended after it was taken over", outdated=outdated)
        subject = self._subject(session)
        for name in () if subject is None else self.names.cut_offs(subject):
            if began < (await self._records.noted(name) or 0):
                raise Rejected(SessionStatus.REVOKED, "its subject's sessions were ended")

    async def refuse_stale(self) -> None:
        """Raise `StoreUnavailableError` when it is not known what is revoked, unless sessions are then anonymous.

        Before that, what is revoked is asked for once.
        """
        if self.revocations is not None:
            await self.revocations.catch_up()
        if self.revocations is not None and self._outage == "unavailable":
            self.revocations.denied(_NOBODY, None, int(self._clock()))

    async def deny(self, session_id: bytes, created_at: int) -> None:
        """Deny every copy of a session's cookie, and of the cookie that it was taken over from."""
        mark = mark_in(session_id)
        await self._deny(self.names.sessions(session_id)[0], until=self._over_by(created_at))
        if mark is not None:
            await self.deny_foreign(mark)

    async def deny_unclaimed(self, pair: bytes, created_at: int) -> None:
        """Deny a session's copies from before its device was registered; raises `StoreUnavailableError`."""
        await self._deny(self.names.sessions(pair)[0], until=self._over_by(created_at))

    def reject_unclaimed(self, visit: Visit) -> None:
        """Reject such a copy. Looks into memory only; raises `StoreUnavailableError`."""
        token, device, revocations = visit.token, visit.device, self.revocations
        if token is None or device is None or device.key or revocations is None:
            return
        if any(revocations.denied(name, None, token.created_at) for name in self.names.sessions(device.pair)):
            visit.reject(Rejected(SessionStatus.UNBOUND, "from before its device was registered", outdated=True))

    async def deny_here(self, token: Token) -> None:
        """As `deny`, for a session whose own browser is told so by this response: noted for a moment."""
        if self.revocations is not None:
            # In this order: no request may meet the denial without the note. But at once: both are in force here before
            # either is stored, so that a request beside this one gets no new id meanwhile.
            await asyncio.gather(
                note_in(self.revocations, self.names, session_of(token), self._clock()),
                self.deny(token.id, token.created_at),
            )
            return
        if self._records is not None and (mark := mark_in(token.id)) is not None:
            await self._records.note_ended(mark, now=self._clock())
        await self.deny(token.id, token.created_at)

    def still_migrates(self) -> bool:
        """Whether other systems' cookies are read now."""
        return self._clock() < self._migrating_until

    async def deny_foreign(self, mark: bytes) -> None:
        """Deny another system's cookie for as long as any is read."""
        now = self._clock()
        if not self.still_migrates():
            return
        name = self.names.foreign(mark)[0]
        if self.revocations is not None:
            await self.revocations.deny_session(name, until=self._migrating_until)
        elif self._records is not None:
            await self._records.note(name, int(now), expires_at=self._migrating_until, now=now)

    async def deny_handle(self, handle: str) -> None:
        """Deny the session with this handle for as long as any could last."""
        await self._deny(self.names.session_with(handle), until=self._over_by(int(self._clock())))

    async def _deny(self, name: str, *, until: int) -> None:
        """Deny the session of this name, where there are revocations."""
        if self.revocations is not None:
            await self.revocations.deny_session(name, until=until)

    async def end(self, records: Records, session_id: bytes, created_at: int) -> None:
        """End a session that a store keeps, and any copy of its cookie; raises `StoreUnavailableError`."""
        await records.delete(session_id)
        await self.deny(session_id, created_at)

    async def end_here(self, token: Token, version: int) -> None:
        """As `end`, for a session whose own browser is told so by this response."""
        if self._records is not None:
            await self._records.retire(token.id, version=version, now=self._clock())
        await self.deny_here(token)

    async def end_subject(self, subject: str, *, keep: bytes | None) -> int:
        """End a subject's sessions but for the one with the id `keep`; returns the cut-off that did it."""
        before = await self.cut_off(subject)
        if self._records is not None:
            owners = self.names.owners(subject)
            if self.still_migrates():
                async for entry in self._records.each_owned(owners):
                    mark = mark_in(entry.id)
                    if mark is not None and entry.id != keep:
                        await self.deny_foreign(mark)
            await self._records.end_owned(owners, keep=() if keep is None else (keep,))
        return before

    async def cut_off(self, subject: str) -> int:
        """Deny all of a subject's sessions that exist; returns the second that newer ones are not created before."""
        now = self._clock()
        before = int(now) + 1
        if self.revocations is not None:
            owner = self.names.owners(subject)[0]
            # A session from after an earlier cut-off of this second was created at that cut-off.
            while before <= now + CLOCK_SKEW and self.revocations.denied(_NOBODY, owner, before - 1):
                before += 1
            until = max(self._over_by(before), self._migrating_until)
            await self.revocations.deny_owner(owner, before=before, until=until)
        elif self._records is not None and now < self._migrating_until:
            name = self.names.cut_offs(subject)[0]
            await self._records.note(name, before, expires_at=self._migrating_until, now=now)
        return before

    def after_cut_offs(self, token: Token, session: Session | None) -> Token:
        """A new session's token, created after a cut-off of this very second, or by a clock that is ahead."""
        for created_at in range(token.created_at, token.created_at + CLOCK_SKEW):
            later = token._replace(created_at=created_at)
            try:
                self.refuse_denied(later, session)
            except Rejected:
                continue
            return later
        return token

    def _refuse(
        self, token: Token, names: Iterable[str], session: Session | None, created_at: int, spared_at: int
    ) -> None:
        """Raise `Rejected` when one of a session's names is denied, or its subject was cut off."""
        if self.revocations is None:
            return
        subject = self._subject(session)
        owners: Iterable[str | None] = repeat(None) if subject is None else self.names.owners(subject)
        try:
            named = zip(names, owners, strict=False)
            if any(_is_denied(self.revocations, *each, created_at, spared_at) for each in named):
                outdated = noted_in(self.revocations, self.names, session_of(token), self._clock())
                raise Rejected(SessionStatus.REVOKED, "denied", outdated=outdated)
        except StoreUnavailableError as error:
            if self._outage == "unavailable":
                raise
            raise Rejected(SessionStatus.STORE_DOWN, str(error)) from None

    def _over_by(self, created_at: int) -> int:
        """When every copy of a session created then is over, one from while it was remembered too, on every clock."""
        return created_at + self._timeouts.longest_absolute + CLOCK_SKEW


def _is_denied(revocations: Revocations, name: str, owner: str | None, created_at: int, spared_at: int) -> bool:
    if spared_at <= created_at:
        return revocations.denied(name, owner, created_at)
    # Only its own subject's cut-offs can spare a session: the one for all counts from its beginning.
    return revocations.denied(name, None, created_at) or revocations.denied(name, owner, spared_at)
