"""What all revocations must do."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from fastsession.errors import StoreUnavailableError
from fastsession.stores.contract import Revocations
from fastsession.testing.stores.samples import later, new_key, now
from fastsession.testing.stores.workers import Suite, Workers, alone, eventually, together

_MANY = 1_200
_AT_A_TIME = 10


class RevocationsContract(Suite):
    """The suite for `Revocations`."""

    @alone
    async def test_nobody_is_denied_at_first(self, workers: Workers[Revocations]) -> None:
        """Not even the oldest session."""
        revocations = await workers.start()
        assert not revocations.denied(new_key(), new_key(), 0)
        assert not revocations.denied(new_key(), None, now())

    @alone
    async def test_a_denied_session_is_denied_at_once_and_no_other(self, workers: Workers[Revocations]) -> None:
        """Whoever owns it."""
        revocations, session, owner = await workers.start(), new_key(), new_key()
        await revocations.deny_session(session, until=later())
        assert revocations.denied(session, None, now())
        assert revocations.denied(session, owner, now())
        assert not revocations.denied(new_key(), owner, now())

    @alone
    async def test_an_owner_is_denied_what_began_before_the_cut_off(self, workers: Workers[Revocations]) -> None:
        """And nobody else is."""
        revocations, session, owner, cut_off = await workers.start(), new_key(), new_key(), now()
        await revocations.deny_owner(owner, before=cut_off, until=later())
        assert revocations.denied(session, owner, cut_off - 1)
        assert not revocations.denied(session, owner, cut_off)
        assert not revocations.denied(session, new_key(), cut_off - 1)
        assert not revocations.denied(session, None, cut_off - 1)

    @alone
    async def test_all_are_denied_what_began_before_the_cut_off(self, workers: Workers[Revocations]) -> None:
        """With an owner or without."""
        revocations, cut_off = await workers.start(), now()
        await revocations.deny_all(before=cut_off)
        assert revocations.denied(new_key(), None, cut_off - 1)
        assert revocations.denied(new_key(), new_key(), cut_off - 1)
        assert not revocations.denied(new_key(), new_key(), cut_off)

    @alone
    async def test_the_latest_cut_off_holds_in_whatever_order_they_come(self, workers: Workers[Revocations]) -> None:
        """For an owner and for all."""
        revocations, session, owner, cut_off = await workers.start(), new_key(), new_key(), now()
        for before in (cut_off - 10, cut_off, cut_off - 5):
            await revocations.deny_owner(owner, before=before, until=later())
        assert revocations.denied(session, owner, cut_off - 1)
        assert not revocations.denied(session, owner, cut_off)
        for before in (cut_off + 10, cut_off + 20, cut_off + 15):
            await revocations.deny_all(before=before)
        assert revocations.denied(session, owner, cut_off + 19)
        assert not revocations.denied(session, owner, cut_off + 20)

    @alone
    async def test_denying_again_changes_nothing(self, workers: Workers[Revocations]) -> None:
        """And is no fault."""
        revocations, session = await workers.start(), new_key()
        for _ in range(3):
            await revocations.deny_session(session, until=later())
        assert revocations.denied(session, None, now())

    @alone
    async def test_starting_and_stopping_again_and_again_keeps_what_is_denied(
        self, workers: Workers[Revocations]
    ) -> None:
        """In any order."""
        revocations, session = await workers.start(), new_key()
        await revocations.start()
        await revocations.deny_session(session, until=later())
        for _ in range(2):
            await revocations.stop()
            await revocations.stop()
            await revocations.start()
            assert revocations.denied(session, None, now())

    @together
    async def test_every_worker_learns_every_kind_of_denial(self, workers: Workers[Revocations]) -> None:
        """One that follows, and one that starts later."""
        first, second, late, cut_off = await workers.start(), await workers.start(), await workers.make(), now()
        sessions, owner = [new_key() for _ in range(50)], new_key()
        for number, session in enumerate(sessions):
            await (first, second)[number % 2].deny_session(session, until=later())
        await first.deny_owner(owner, before=cut_off, until=later())
        await second.deny_all(before=cut_off - 100)
        await late.start()

        def knows_all(worker: Revocations) -> bool:
            return (
                all(worker.denied(session, None, cut_off) for session in sessions)
                and worker.denied(new_key(), owner, cut_off - 1)
                and worker.denied(new_key(), None, cut_off - 101)
            )

        assert knows_all(late)
        for worker in (first, second, late):
            await eventually(partial(knows_all, worker))
            assert not worker.denied(new_key(), new_key(), cut_off)

    @together
    async def test_a_worker_that_starts_late_knows_every_denial_from_its_first_moment(
        self, workers: Workers[Revocations]
    ) -> None:
        """However many there are."""
        first, late = await workers.start(), await workers.make()
        sessions = [new_key() for _ in range(_MANY)]
        for some in range(0, _MANY, _AT_A_TIME):
            denying = (first.deny_session(session, until=later()) for session in sessions[some : some + _AT_A_TIME])
            await asyncio.gather(*denying)
        await late.start()
        assert all(late.denied(session, None, now()) for session in sessions)

    @together
    async def test_a_cut_off_that_is_raised_reaches_the_others(self, workers: Workers[Revocations]) -> None:
        """As the first one did."""
        first, second, session, owner, cut_off = (
            await workers.start(),
            await workers.start(),
            new_key(),
            new_key(),
            now(),
        )
        await first.deny_owner(owner, before=cut_off, until=later())
        await eventually(lambda: second.denied(session, owner, cut_off - 1))
        await first.deny_owner(owner, before=cut_off + 10, until=later())
        await eventually(lambda: second.denied(session, owner, cut_off + 9))

    @together
    async def test_one_that_was_stopped_learns_what_it_missed_when_it_starts_again(
        self, workers: Workers[Revocations]
    ) -> None:
        """And keeps what it knew."""
        first, second, known, missed = await workers.start(), await workers.start(), new_key(), new_key()
        await first.deny_session(known, until=later())
        await eventually(lambda: second.denied(known, None, now()))
        await second.stop()
        await first.deny_session(missed, until=later())
        await second.start()
        assert second.denied(known, None, now())
        assert second.denied(missed, None, now())

    @together
    async def test_before_it_is_started_nothing_is_known_and_nobody_let_in(self, workers: Workers[Revocations]) -> None:
        """It cannot say no, so it raises."""
        revocations = await workers.make()
        with pytest.raises(StoreUnavailableError):
            revocations.denied(new_key(), None, now())
