"""What all revocations must do. Add an implementation of your own to `KINDS` and to `opened`."""

from contextlib import asynccontextmanager
from secrets import token_hex

import pytest

from fastsession import StoreUnavailableError
from fastsession.stores import MemoryRevocations, RedisRevocations, SQLiteRevocations
from tests.processes import PATIENCE
from tests.stores.conftest import KINDS_OF_REDIS, client_of
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

KINDS = ["memory", "sqlite", *(f"redis-{kind}" for kind in KINDS_OF_REDIS)]
SHARED = [kind for kind in KINDS if kind != "memory"]


@asynccontextmanager
async def opened(kind, fixture, workers=1):
    """Revocations not yet started, as that many workers would have them."""
    if kind == "memory":
        made = [MemoryRevocations()]
    elif kind == "sqlite":
        made = [SQLiteRevocations(fixture("tmp_path") / "revocations.db", timeout=PATIENCE) for _ in range(workers)]
    else:
        async with client_of(kind.removeprefix("redis-"), fixture) as client:
            made = [RedisRevocations(client, prefix=fixture("prefix"), timeout=PATIENCE) for _ in range(workers)]
            yield made
            for revocations in made:
                await revocations.stop()
        return
    yield made
    for revocations in made:
        await revocations.stop()


@pytest.fixture(params=KINDS)
async def revocations(request):
    async with opened(request.param, request.getfixturevalue) as made:
        await made[0].start()
        yield made[0]


@pytest.fixture(params=SHARED)
async def workers(request):
    """Two that follow one another, and a third that has not started."""
    async with opened(request.param, request.getfixturevalue, workers=3) as made:
        await made[0].start()
        await made[1].start()
        yield made


@pytest.fixture
def session():
    return token_hex(16)


@pytest.fixture
def owner():
    return token_hex(16)


async def test_nobody_is_denied_at_first(revocations, session, owner, now):
    assert not revocations.denied(session, owner, 0)
    assert not revocations.denied(session, None, now)


async def test_a_denied_session_is_denied_at_once_and_no_other(revocations, session, owner, now, later):
    await revocations.deny_session(session, until=later)
    assert revocations.denied(session, None, now)
    assert revocations.denied(session, owner, now)
    assert not revocations.denied(token_hex(16), owner, now)


async def test_an_owner_is_denied_what_began_before_the_cut_off(revocations, session, owner, now, later):
    await revocations.deny_owner(owner, before=now, until=later)
    assert revocations.denied(session, owner, now - 1)
    assert not revocations.denied(session, owner, now)
    assert not revocations.denied(session, token_hex(16), now - 1)
    assert not revocations.denied(session, None, now - 1)


async def test_all_are_denied_what_began_before_the_cut_off(revocations, session, owner, now):
    await revocations.deny_all(before=now)
    assert revocations.denied(session, None, now - 1)
    assert revocations.denied(session, owner, now - 1)
    assert not revocations.denied(session, owner, now)


async def test_the_latest_cut_off_holds_in_whatever_order_they_come(revocations, session, owner, now, later):
    for before in (now - 10, now, now - 5):
        await revocations.deny_owner(owner, before=before, until=later)
    assert revocations.denied(session, owner, now - 1)
    assert not revocations.denied(session, owner, now)
    for before in (now + 10, now + 20, now + 15):
        await revocations.deny_all(before=before)
    assert revocations.denied(session, owner, now + 19)
    assert not revocations.denied(session, owner, now + 20)


async def test_denying_again_changes_nothing(revocations, session, now, later):
    for _ in range(3):
        await revocations.deny_session(session, until=later)
    assert revocations.denied(session, None, now)


async def test_starting_and_stopping_again_and_again_keeps_what_is_denied(revocations, session, now, later):
    await revocations.start()
    await revocations.deny_session(session, until=later)
    for _ in range(2):
        await revocations.stop()
        await revocations.stop()
        await revocations.start()
        assert revocations.denied(session, None, now)


async def test_every_worker_learns_every_kind_of_denial(workers, owner, now, later):
    first, second, late = workers
    sessions = [token_hex(16) for _ in range(50)]
    for number, session in enumerate(sessions):
        await workers[number % 2].deny_session(session, until=later)
    await first.deny_owner(owner, before=now, until=later)
    await second.deny_all(before=now - 100)
    await late.start()
    for worker in workers:
        await eventually(lambda worker=worker: all(worker.denied(session, None, now) for session in sessions))
        await eventually(lambda worker=worker: worker.denied(token_hex(16), owner, now - 1))
        await eventually(lambda worker=worker: worker.denied(token_hex(16), None, now - 101))
        assert not worker.denied(token_hex(16), token_hex(16), now)


async def test_a_worker_that_starts_late_knows_every_denial_from_its_first_moment(workers, now, later):
    first, _, late = workers
    sessions = [token_hex(16) for _ in range(1200)]
    for session in sessions:
        await first.deny_session(session, until=later)
    await late.start()
    assert all(late.denied(session, None, now) for session in sessions)


async def test_a_cut_off_that_is_raised_reaches_the_others(workers, session, owner, now, later):
    first, second, _ = workers
    await first.deny_owner(owner, before=now, until=later)
    await eventually(lambda: second.denied(session, owner, now - 1))
    await first.deny_owner(owner, before=now + 10, until=later)
    await eventually(lambda: second.denied(session, owner, now + 9))


async def test_before_it_is_started_nothing_is_known_and_nobody_let_in(workers, session, now):
    with pytest.raises(StoreUnavailableError):
        workers[2].denied(session, None, now)
