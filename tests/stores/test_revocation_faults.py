"""RedisRevocations and SQLiteRevocations while the system behind them is away or has lost its memory."""

import asyncio
import sqlite3
import time
from secrets import token_hex

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fastsession import StoreUnavailableError
from fastsession.stores import RedisRevocations, SQLiteRevocations
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.stores import moments
from tests.stores.proxy import proxied
from tests.stores.waiting import eventually, seconds_of, slowest_refusal, until_it_works

pytestmark = pytest.mark.anyio

ANSWER, RECOVERY = 0.3, 1.0


@pytest.fixture
async def revocations(mortal_redis):
    made = RedisRevocations(mortal_redis.url)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def remote(mortal_redis):
    """A worker behind a network of its own."""
    async with proxied(mortal_redis.port) as proxy:
        made = RedisRevocations(proxy.url)
        await made.start()
        yield made, proxy
        await made.stop()


@pytest.fixture
async def client(mortal_redis):
    async with Redis(port=mortal_redis.port) as client:
        yield client


async def denied_sessions(revocations, count=20):
    sessions = [token_hex(16) for _ in range(count)]
    for session in sessions:
        await until_it_works(lambda session=session: revocations.deny_session(session, until=moments.later()))
    return sessions


def all_denied(revocations, sessions):
    return all(revocations.denied(session, None, moments.now()) for session in sessions)


async def stored(client):
    try:
        return await client.zcard("fastsession:{revocations}:denied")
    except RedisError:
        return 0


async def until_denying_works(revocations):
    """Seconds until a denial is stored again."""
    return await until_it_works(lambda: revocations.deny_session(token_hex(16), until=moments.later()))


@pytest.mark.parametrize("fault", ["killed", "stopped"])
async def test_while_redis_is_away_what_was_denied_stays_so_and_new_denials_raise(
    revocations, mortal_redis, fault, figure, now, later
):
    sessions = await denied_sessions(revocations)
    mortal_redis.kill() if fault == "killed" else mortal_redis.pause()
    new, slowest = token_hex(16), 0.0
    for _ in range(5):
        slowest = max(slowest, await slowest_refusal([revocations.deny_session(new, until=later)]))
    assert all_denied(revocations, sessions)
    assert not revocations.denied(new, None, now)
    mortal_redis.start() if fault == "killed" else mortal_redis.resume()
    recovery = await until_denying_works(revocations)
    assert all_denied(revocations, sessions)
    figure(f"{fault}: refused within {slowest * 1000:.0f} ms, back after {recovery * 1000:.0f} ms")
    assert slowest < ANSWER
    assert recovery < RECOVERY


async def test_after_an_outage_a_worker_learns_what_was_denied_within_a_second(
    revocations, mortal_redis, figure, later
):
    other = RedisRevocations(mortal_redis.url)
    await other.start()
    await denied_sessions(other)
    mortal_redis.kill()
    mortal_redis.start()
    sessions = [token_hex(16)]
    await until_denying_works(other)
    await other.deny_session(sessions[0], until=later)
    recovery = await eventually(lambda: all_denied(revocations, sessions))
    figure(f"restarted: a denial of another worker known after {recovery * 1000:.0f} ms")
    assert recovery < RECOVERY
    await other.stop()


async def test_a_worker_that_was_cut_off_learns_what_it_missed(revocations, remote, now):
    cut_off, proxy = remote
    proxy.delay = 3600
    proxy.cut()
    sessions = await denied_sessions(revocations)
    assert not any(cut_off.denied(session, None, now) for session in sessions)
    proxy.delay = 0
    proxy.cut()
    await eventually(lambda: all_denied(cut_off, sessions))


async def test_a_worker_learns_what_it_missed_even_when_the_changes_were_trimmed_away(revocations, remote, client):
    cut_off, proxy = remote
    await denied_sessions(revocations)
    proxy.delay = 3600
    proxy.cut()
    sessions = await denied_sessions(revocations, 40)
    assert await client.xtrim("fastsession:{revocations}:changes", maxlen=1, approximate=False) > 0
    proxy.delay = 0
    proxy.cut()
    await eventually(lambda: all_denied(cut_off, sessions))


@pytest.mark.parametrize("loss", ["restarted without data", "flushed"])
async def test_what_redis_has_lost_the_workers_keep_and_give_back(
    revocations, mortal_redis, client, loss, figure, now, later
):
    sessions = await denied_sessions(revocations)
    await revocations.deny_owner("aa", before=now, until=later)
    await revocations.deny_all(before=now - 100)
    if loss == "flushed":
        await client.flushall()
    else:
        mortal_redis.kill()
        mortal_redis.forget()
        mortal_redis.start()
    assert all_denied(revocations, sessions)
    with ProcessClock() as clock:
        async with asyncio.timeout(PATIENCE):
            while await stored(client) < 22:
                pass
        figure(f"{loss}: given back after {clock.seconds * 1000:.0f} ms")
    late = RedisRevocations(mortal_redis.url)
    await late.start()
    assert all_denied(late, sessions)
    assert late.denied(token_hex(16), "aa", now - 1)
    assert late.denied(token_hex(16), None, now - 101)
    new = await denied_sessions(late)
    await eventually(lambda: all_denied(revocations, new))
    await late.stop()


async def test_nobody_is_let_in_on_knowledge_older_than_max_staleness(mortal_redis, now):
    stale = RedisRevocations(mortal_redis.url, max_staleness=1.5)
    await stale.start()
    session = token_hex(16)
    assert not stale.denied(session, None, now)
    mortal_redis.pause()
    begun = time.monotonic()
    with ProcessClock() as clock:
        with pytest.raises(StoreUnavailableError, match=r"not been confirmed for 1\.5 seconds"):
            await eventually(lambda: stale.denied(session, None, now))
        assert time.monotonic() - begun > 0.4
        assert clock.seconds < 1.6
    mortal_redis.resume()

    async def look_up():
        assert not stale.denied(session, None, now)

    assert await until_it_works(look_up) < RECOVERY
    await stale.stop()


async def test_an_idle_redis_keeps_a_worker_fresh(mortal_redis, now):
    idle = RedisRevocations(mortal_redis.url, max_staleness=1.5)
    await idle.start()
    ends = time.monotonic() + 4
    # Would raise as soon as nothing had been confirmed for too long.
    await eventually(lambda: idle.denied("ab" * 16, None, now) or time.monotonic() > ends)
    await idle.stop()


async def test_started_while_redis_is_away_it_lets_nobody_in_until_it_knows(mortal_redis, caplog, now):
    first = RedisRevocations(mortal_redis.url)
    sessions = await denied_sessions(first)
    await first.stop()
    mortal_redis.kill()
    late = RedisRevocations(mortal_redis.url)
    seconds, error = await seconds_of(late.start())
    assert error is None
    assert seconds < ANSWER
    with pytest.raises(StoreUnavailableError):
        late.denied(sessions[0], None, now)
    mortal_redis.start()

    def knows():
        try:
            return all_denied(late, sessions)
        except StoreUnavailableError:
            return False

    assert await eventually(knows) < RECOVERY
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "RedisRevocations cannot be followed",
        "RedisRevocations is followed again",
    ]
    await late.stop()


async def test_a_sqlite_file_that_is_locked_by_another_refuses_denials_in_time_and_is_read_all_the_same(
    tmp_path, later
):
    path = tmp_path / "revocations.db"
    revocations = SQLiteRevocations(path, timeout=0.25)
    await revocations.start()
    sessions = await denied_sessions(revocations)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert await slowest_refusal([revocations.deny_session(token_hex(16), until=later)]) < ANSWER
    assert all_denied(revocations, sessions)
    holder.execute("COMMIT")
    holder.close()
    assert await until_denying_works(revocations) < RECOVERY
    await revocations.stop()


async def test_a_place_where_no_file_can_be_made_lets_nobody_in(tmp_path, now, later):
    revocations = SQLiteRevocations(tmp_path / "missing" / "revocations.db")
    await revocations.start()
    with pytest.raises(StoreUnavailableError, match="not been confirmed since the start"):
        revocations.denied("ab" * 16, None, now)
    with pytest.raises(StoreUnavailableError, match="its folder has to exist"):
        await revocations.deny_session("ab" * 16, until=later)
    (tmp_path / "missing").mkdir()
    await until_denying_works(revocations)
    await revocations.stop()


async def test_a_denial_is_in_force_while_it_is_being_stored(tmp_path, now, later):
    revocations = SQLiteRevocations(tmp_path / "revocations.db")
    await revocations.start()
    name, owner = token_hex(16), token_hex(16)
    denying = [
        asyncio.create_task(revocations.deny_owner(owner, before=now, until=later)),
        # Two requests that end one session at the same time.
        asyncio.create_task(revocations.deny_session(name, until=later)),
        asyncio.create_task(revocations.deny_session(name, until=later)),
    ]
    await asyncio.sleep(0)
    assert not any(task.done() for task in denying)
    for _ in range(2):
        assert revocations.denied(name, None, now)
        assert revocations.denied(token_hex(16), owner, now - 1)
        assert not revocations.denied(token_hex(16), owner, now)
        assert not revocations.denied(token_hex(16), token_hex(16), now - 1)
        await asyncio.gather(*denying)
    await revocations.stop()
