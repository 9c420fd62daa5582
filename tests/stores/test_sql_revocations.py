"""What is special about SQLAlchemyRevocations: the order of commits, lost denials, sweeping."""

import asyncio
import time
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import create_async_engine

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import SQLAlchemyRevocations, sqlalchemy_revocations
from fastsession.stores.sqlalchemy_revocations import _row, _table
from fastsession.stores.sqlalchemy_sweep import MARGIN
from fastsession.stores.sqlalchemy_tables import DENIALS
from fastsession.testing import Clock
from tests.processes import PATIENCE
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio


def later():
    return int(time.time()) + 600


@pytest.fixture(params=["postgres", "mariadb"])
def server(request):
    server = request.getfixturevalue(request.param)
    server.empty()
    return server


@asynccontextmanager
async def following(server, workers):
    made = [SQLAlchemyRevocations(server.url(), timeout=PATIENCE) for _ in range(workers)]
    told = []
    for worker in made:
        worker.tell_to(told.append)
        await worker.start()
    yield *made, told
    for worker in made:
        await worker.stop()


def knows(worker, *sessions):
    return all(worker.denied(session, None, 0) for session in sessions)


# In a thread, here and below: a statement that changes a table waits for those of the workers, and they for the loop.
async def until_kept(server, count):
    """Wait until the table has so many denials; the workers go on meanwhile."""
    query = f"SELECT count(DISTINCT denial) FROM {DENIALS} WHERE number > 0"
    async with asyncio.timeout(PATIENCE):
        while int(await asyncio.to_thread(server.sql, query)) != count:  # noqa: ASYNC110  (a table gives no event)
            await asyncio.sleep(0.05)


async def test_a_denial_that_is_committed_after_later_ones_is_not_missed(server):
    slow, quick = token_hex(16), [token_hex(16) for _ in range(5)]
    engine = create_async_engine(server.url())
    async with following(server, 2) as (first, second, told):
        async with engine.begin() as transaction:
            # It has its number from here on.
            await transaction.execute(insert(_table), _row(f"s{slow[:16]}", later()))
            for session in quick:
                await first.deny_session(session, until=later())
            await eventually(lambda: knows(second, *quick))
            late = SQLAlchemyRevocations(server.url(), timeout=PATIENCE)
            await late.start()
            assert knows(late, *quick)
            assert not late.denied(slow, None, 0)
        for worker in (first, second, late):
            await eventually(lambda worker=worker: knows(worker, slow))
        await late.stop()
        assert told == []
    await engine.dispose()


async def test_what_a_worker_has_made_itself_it_does_not_hold_for_lost(server):
    sessions = [token_hex(16) for _ in range(200)]
    async with following(server, 2) as (first, second, told):
        for some in range(0, 200, 5):
            await asyncio.gather(*(first.deny_session(name, until=later()) for name in sessions[some : some + 5]))
        await eventually(lambda: knows(second, *sessions))
        assert told == []


@pytest.mark.parametrize("order", ["before the workers look", "after"])
async def test_the_end_of_a_history_that_was_lost_is_given_back(server, order):
    """As a replica that takes over too early has lost it: and it gives the same numbers again."""
    lost, kept, new = [token_hex(16) for _ in range(3)], token_hex(16), token_hex(16)
    async with following(server, 2) as (first, second, told):
        await first.deny_session(kept, until=later())
        number = int(await asyncio.to_thread(server.sql, f"SELECT max(number) FROM {DENIALS}"))
        for session in lost:
            await first.deny_session(session, until=later())
        await eventually(lambda: knows(second, *lost))
        restart = {
            "postgresql": f"ALTER TABLE {DENIALS} ALTER COLUMN number RESTART WITH {number + 1}",
            "mariadb": f"ALTER TABLE {DENIALS} AUTO_INCREMENT = {number + 1}",
        }[server.name]
        values = f"(denial, until, mark) VALUES ('s{new[:16]}', {later()}, 5)"
        forgotten = [f"DELETE FROM {DENIALS} WHERE number > {number}", restart]
        if order == "before the workers look":
            await asyncio.to_thread(server.sql, *forgotten, f"INSERT INTO {DENIALS} {values}")
        else:
            await asyncio.to_thread(server.sql, *forgotten)
            await eventually(lambda: told)
            await asyncio.to_thread(server.sql, f"INSERT INTO {DENIALS} {values}")
        await eventually(lambda: knows(first, new) and knows(second, new))
        await eventually(lambda: told)
        await until_kept(server, 5)
        late = SQLAlchemyRevocations(server.url(), timeout=PATIENCE)
        await late.start()
        assert knows(late, kept, new, *lost)
        await late.stop()
    assert all("The database has lost denials" in sentence for sentence in told)


class Overtaken(SQLAlchemyRevocations):
    """Another worker denies a session between what this one reads of everything and what it gives back."""

    other = denied_meanwhile = None

    async def _give_back(self, history, there):
        if self.other is not None:
            await self.other.deny_session(self.denied_meanwhile, until=later())
        return await super()._give_back(history, there)


async def test_what_is_denied_while_a_worker_gives_back_what_was_lost_is_known_to_it(server):
    lost, new = token_hex(16), token_hex(16)
    async with following(server, 1) as (other, _):
        overtaken = Overtaken(server.url(), timeout=PATIENCE)
        await overtaken.start()
        await overtaken.deny_session(lost, until=later())
        await eventually(lambda: knows(other, lost))
        overtaken.other, overtaken.denied_meanwhile = other, new
        await asyncio.to_thread(server.sql, f"DELETE FROM {DENIALS} WHERE number > 0")
        try:
            await eventually(lambda: knows(overtaken, lost, new))
        finally:
            await overtaken.stop()


async def test_an_empty_table_gets_back_all_that_workers_know_and_hardly_anything_twice(server):
    sessions, owner = [token_hex(16) for _ in range(600)], token_hex(16)
    async with following(server, 4) as (first, second, third, fourth, told):
        for some in range(0, len(sessions), 5):
            await asyncio.gather(*(first.deny_session(name, until=later()) for name in sessions[some : some + 5]))
        cut_off = int(time.time()) - 1000
        await first.deny_owner(owner, before=cut_off + 500, until=later())
        await first.deny_all(before=cut_off)
        workers = (first, second, third, fourth)
        await eventually(
            lambda: all(
                knows(worker, sessions[-1]) and worker.denied("0" * 32, None, cut_off - 1) for worker in workers
            )
        )
        await asyncio.to_thread(server.empty)
        await eventually(lambda: len(told) > 0)
        await until_kept(server, 602)
    late = SQLAlchemyRevocations(server.url(), timeout=PATIENCE)
    await late.start()
    assert knows(late, *sessions)
    assert late.denied("0" * 32, owner, cut_off + 499)
    assert late.denied("0" * 32, None, cut_off - 1)
    await late.stop()


async def test_a_denial_of_this_worker_that_is_lost_before_it_is_read_is_given_back(server):
    session = token_hex(16)
    async with following(server, 1) as (worker, told):
        await worker.stop()
        await worker.deny_session(session, until=later())
        await asyncio.to_thread(server.empty)
        await worker.start()
        assert knows(worker, session)
    late = SQLAlchemyRevocations(server.url(), timeout=PATIENCE)
    await late.start()
    assert knows(late, session)
    await late.stop()
    assert told != []


async def test_a_table_that_is_emptied_while_it_is_read_is_read_again(server, monkeypatch):
    """A worker starts with more denials than a page, and the database loses them between two pages."""
    monkeypatch.setattr(sqlalchemy_revocations, "_PAGE", 3)
    sessions, read = [token_hex(16) for _ in range(5)], []
    async with following(server, 1) as (worker, _):
        for session in sessions:
            await worker.deny_session(session, until=later())
    engine, told = create_async_engine(server.url()), []

    def lose(connection, cursor, statement, *_):
        if statement.startswith("SELECT") and "mark" in statement and "LIMIT" in statement:
            read.append(statement)
            if len(read) == 2:
                server.sql(f"DELETE FROM {DENIALS} WHERE number > 0")

    event.listen(engine.sync_engine, "before_cursor_execute", lose)
    late = SQLAlchemyRevocations(engine, timeout=PATIENCE)
    late.tell_to(told.append)
    await late.start()
    await eventually(lambda: is_known(late, *sessions[:3]))
    await eventually(lambda: told)
    await until_kept(server, 3)
    await late.stop()
    await engine.dispose()
    assert told == ["The database has lost denials; this worker has given 3 back"]


def is_known(worker, *sessions):
    """Whether they are denied, and the worker lets anybody in."""
    try:
        return knows(worker, *sessions)
    except StoreUnavailableError:
        return False


async def test_a_denial_made_while_everything_is_read_again_is_awaited_and_given_back(server):
    before, meanwhile = token_hex(16), token_hex(16)
    async with following(server, 1) as (worker, told):
        await worker.deny_session(before, until=later())
        give_back = worker._give_back

        async def deny_lose_and_give_back(history, there):
            worker._give_back = give_back
            await worker.deny_session(meanwhile, until=later())
            await asyncio.to_thread(server.sql, f"DELETE FROM {DENIALS} WHERE denial = 's{meanwhile[:16]}'")
            return await give_back(history, there)

        worker._give_back = deny_lose_and_give_back
        await asyncio.to_thread(server.empty)
        await until_kept(server, 2)
        assert knows(worker, before, meanwhile)
        await eventually(lambda: not worker._history.unread(time.time()))
        assert told != []


async def test_expired_denials_disappear_from_memory_and_table(server):
    clock, session, lasting = Clock(), token_hex(16), token_hex(16)
    revocations = SQLAlchemyRevocations(server.url(), timeout=PATIENCE, clock=clock)
    await revocations.start()
    await revocations.deny_session(session, until=int(clock()) + 10)
    await eventually(revocations._sweep._task.done)
    clock.advance(10 + MARGIN + 120)
    await revocations.deny_session(lasting, until=int(clock()) + 600)
    await eventually(revocations._sweep._task.done)
    denials = await asyncio.to_thread(server.sql, f"SELECT denial FROM {DENIALS} WHERE number > 0")
    await eventually(lambda: not revocations.denied(session, None, 0))
    await revocations.stop()
    assert denials == f"s{lasting[:16]}"


async def test_a_database_that_begins_anew_after_all_has_expired_is_followed(server):
    clock, session = Clock(), token_hex(16)
    worker, other = (SQLAlchemyRevocations(server.url(), timeout=PATIENCE, clock=clock) for _ in range(2))
    await worker.start()
    for _ in range(3):
        await other.deny_session(token_hex(16), until=int(clock()) + 10)
    await eventually(lambda: worker._history.last > 2)
    clock.advance(10)
    begin = {
        "postgresql": f"TRUNCATE {DENIALS} RESTART IDENTITY",
        "mariadb": f"TRUNCATE {DENIALS}",
    }[server.name]
    await asyncio.to_thread(server.sql, begin)
    await other.deny_session(session, until=int(clock()) + 600)
    await eventually(lambda: knows(worker, session))
    await worker.stop()
    await other.stop()


async def test_a_denial_that_has_expired_when_it_is_made_is_not_awaited(server):
    async with following(server, 1) as (worker, told):
        await worker.deny_all(before=500)
        session = token_hex(16)
        await worker.deny_session(session, until=later())
        await eventually(lambda: not worker._history.unread(time.time()))
        assert told == []


@asynccontextmanager
async def starting(server, workers, on_lost, **options):
    """Workers that start at the same time, with what to do when the database has forgotten everything."""
    made = [SQLAlchemyRevocations(server.url(), timeout=PATIENCE, on_lost=on_lost, **options) for _ in range(workers)]
    told = []
    for worker in made:
        worker.tell_to(told.append)
    await asyncio.gather(*(worker.start() for worker in made))
    yield *made, told
    for worker in made:
        await worker.stop()


async def keep_one_denial(server):
    """A first start, and all workers stopped again."""
    session = token_hex(16)
    async with starting(server, 1, None) as (worker, told):
        await worker.deny_session(session, until=later())
    assert told == []
    return session


async def test_a_database_forgotten_together_with_all_workers_signs_everyone_out(server):
    session, now = await keep_one_denial(server), int(time.time())
    await asyncio.to_thread(server.empty)
    async with starting(server, 4, "sign_out") as (*workers, told):
        assert len(told) == 1
        assert all(worker.denied(session, None, now) for worker in workers)
        assert not any(worker.denied(session, None, int(time.time()) + 60) for worker in workers)
    async with starting(server, 1, "sign_out") as (late, told_later):
        assert told_later == []
        assert late.denied(session, None, now)
        assert not late.denied(session, None, int(time.time()) + 60)


async def test_a_database_forgotten_together_with_all_workers_may_be_accepted(server):
    session = await keep_one_denial(server)
    await asyncio.to_thread(server.empty)
    async with starting(server, 1, "accept") as (worker, told):
        assert len(told) == 1
        assert not worker.denied(session, None, 0)


async def test_a_database_that_has_kept_denials_has_forgotten_none(server):
    session = await keep_one_denial(server)
    async with starting(server, 2, "sign_out") as (first, second, told):
        assert told == []
        assert knows(first, session)
        assert not second.denied(token_hex(16), None, 0)


async def test_a_database_forgotten_while_workers_run_gets_everything_back(server):
    async with starting(server, 2, "sign_out") as (first, second, told):
        told.clear()
        session, other = token_hex(16), token_hex(16)
        await first.deny_session(session, until=later())
        await eventually(lambda: knows(second, session))
        await asyncio.to_thread(server.empty)
        await eventually(lambda: told)
        assert all("has given" in sentence for sentence in told)
        assert not first.denied(other, None, int(time.time()) + 60)
    async with starting(server, 1, "sign_out") as (late, told):
        assert told == []
        assert knows(late, session)


async def test_that_denials_were_kept_is_remembered_longer_than_the_denials(server):
    clock = Clock(time.time())
    async with starting(server, 1, None, clock=clock) as (worker, told):
        await worker.deny_session(token_hex(16), until=int(clock()) + 10)
        await eventually(worker._sweep._task.done)
        clock.advance(10 + MARGIN + 120)
        await worker.deny_session(token_hex(16), until=int(clock()) + 10)
        await eventually(worker._sweep._task.done)
    async with starting(server, 1, "sign_out", clock=clock) as (worker, told):
        assert told == []


def test_on_lost_takes_two_answers(server):
    with pytest.raises(ConfigurationError, match="sign_out"):
        SQLAlchemyRevocations(server.url(), on_lost="ignore")
