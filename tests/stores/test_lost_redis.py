"""A Redis that has lost everything together with all workers, and one that is set to lose things."""

import asyncio
import time
from secrets import token_hex

import pytest
import redis

from fastsession import ConfigurationError
from fastsession.stores import RedisRevocations, RedisStore
from tests.processes import PATIENCE
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio


def now():
    return int(time.time())


def later():
    return now() + 600


async def with_denials(url, **options):
    """Sessions that a worker denied before it ended."""
    sessions = [token_hex(16) for _ in range(5)]
    async_worker = RedisRevocations(url, timeout=PATIENCE, **options)
    await async_worker.start()
    for session in sessions:
        await async_worker.deny_session(session, until=later())
    await async_worker.stop()
    return sessions


def emptied(server):
    server.kill()
    server.forget()
    server.start()


async def test_with_sign_out_a_redis_that_was_emptied_ends_every_session_from_before(mortal_redis):
    sessions = await with_denials(mortal_redis.url)
    emptied(mortal_redis)
    told = []
    workers = [RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="sign_out") for _ in range(3)]
    for worker in workers:
        worker.tell_to(told.append)
        await worker.start()
    for worker in workers:
        await eventually(lambda worker=worker: worker.denied(token_hex(16), None, now() - 60))
        assert all(worker.denied(session, None, now() - 60) for session in sessions)
        # Who signs in afterwards is let in.
        assert not worker.denied(token_hex(16), None, now() + 2)
    # One of them did it, and nobody does it again.
    assert len([detail for detail in told if "forgotten" in detail]) == 1
    cut_off = workers[0]._denials._all_before
    for worker in workers:
        await worker.stop()
    last = RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="sign_out")
    last.tell_to(told.append)
    await last.start()
    assert last._denials._all_before == cut_off
    assert len(told) == 1
    await last.stop()


async def test_with_accept_a_redis_that_was_emptied_is_told_and_goes_on(mortal_redis, caplog):
    sessions = await with_denials(mortal_redis.url)
    emptied(mortal_redis)
    worker = RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="accept")
    await worker.start()
    let_in = [not worker.denied(session, None, now()) for session in sessions]
    await worker.stop()
    assert all(let_in)
    [line] = [record.getMessage() for record in caplog.records]
    assert "has forgotten every denial" in line


async def test_a_first_start_that_is_said_to_be_one_tells_nothing(mortal_redis, caplog):
    worker = RedisRevocations(mortal_redis.url, timeout=PATIENCE)
    await worker.start()
    await worker.stop()
    again = RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="sign_out")
    await again.start()
    assert not again.denied(token_hex(16), None, 0)
    await again.stop()
    assert caplog.records == []


async def test_denials_that_are_stored_while_others_are_read_are_not_told_as_lost(mortal_redis):
    told = []
    worker = RedisRevocations(mortal_redis.url, timeout=PATIENCE)
    worker.tell_to(told.append)
    await worker.start()

    async def deny():
        while not reading.done():
            await worker.deny_session(token_hex(16), until=later())

    async def read():
        for _ in range(200):
            await worker._read_everything()

    reading = asyncio.create_task(read())
    await asyncio.gather(reading, *(deny() for _ in range(4)))
    await worker.stop()
    assert told == []


async def test_denials_that_ran_out_are_not_lost(mortal_redis, caplog):
    worker = RedisRevocations(mortal_redis.url, timeout=PATIENCE)
    await worker.start()
    await worker.deny_session(token_hex(16), until=now() + 1)
    await worker.stop()
    with redis.Redis(port=mortal_redis.port) as client:
        await eventually(lambda: client.exists("fastsession:{revocations}:denied") == 0, within=20)
    again = RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="sign_out")
    await again.start()
    assert not again.denied(token_hex(16), None, 0)
    await again.stop()
    assert caplog.records == []


@pytest.mark.parametrize("key", ["denied", "mark"])
async def test_a_key_that_was_evicted_is_a_loss(mortal_redis, key):
    await with_denials(mortal_redis.url)
    with redis.Redis(port=mortal_redis.port) as client:
        assert client.delete(f"fastsession:{{revocations}}:{key}") == 1
    worker = RedisRevocations(mortal_redis.url, timeout=PATIENCE, on_lost="sign_out")
    await worker.start()
    assert worker.denied(token_hex(16), None, now() - 60)
    await worker.stop()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl", "noeviction"])
@pytest.mark.parametrize("kind", [RedisRevocations, RedisStore])
async def test_a_policy_that_evicts_is_warned_of_at_the_start(mortal_redis, kind, policy, caplog):
    with redis.Redis(port=mortal_redis.port) as client:
        client.config_set("maxmemory-policy", policy)
    made = kind(mortal_redis.url)
    await made.start()
    await made.stop()
    lines = [record.getMessage() for record in caplog.records]
    assert [policy in line and "noeviction" in line for line in lines] == ([] if policy == "noeviction" else [True])


def test_on_lost_is_one_of_two():
    with pytest.raises(ConfigurationError, match="'sign_out' or 'accept'"):
        RedisRevocations("redis://localhost", on_lost="ignore")
