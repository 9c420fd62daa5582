"""Requests that are cancelled while they wait for Redis: nobody gets an answer that was for another."""

import asyncio
import random
from functools import partial
from secrets import token_hex

import pytest
from redis.asyncio import Redis

from fastsession import StoreUnavailableError
from fastsession.stores import Record, RedisStore
from tests.processes import PATIENCE
from tests.stores.everything import owned_by
from tests.stores.proxy import proxied

pytestmark = pytest.mark.anyio

STORM = 2000


@pytest.mark.parametrize("kind", ["url", "client", "resp3"])
async def test_a_storm_of_cancelled_operations_gives_nobody_a_wrong_answer(kind, redis_server, prefix, figure, later):
    choose = random.Random(1)
    keys = [token_hex(16) for _ in range(100)]
    async with (
        proxied(redis_server.port) as proxy,
        Redis(port=proxy.port, protocol=3 if kind == "resp3" else 2) as client,
    ):
        store = RedisStore(proxy.url if kind == "url" else client, prefix=prefix, timeout=PATIENCE)
        for key in keys:
            await store.create(key, key.encode(), expires_at=later, owner=key)
        proxy.delay = 0.002
        counts = {"answered": 0, "cancelled": 0, "unavailable": 0}
        wrong = []

        async def ask():
            key = choose.choice(keys)
            ask_for = choose.choice([store.read, partial(owned_by, store), partial(store.touch, expires_at=later)])
            task = asyncio.ensure_future(ask_for(key))
            if choose.random() < 0.7:
                asyncio.get_running_loop().call_later(choose.uniform(0, 0.02), task.cancel)
            await asyncio.wait([task])
            if task.cancelled():
                counts["cancelled"] += 1
            elif isinstance(task.exception(), StoreUnavailableError):
                counts["unavailable"] += 1
            else:
                counts["answered"] += 1
                if task.result() not in (Record(key.encode(), 1), {key: Record(key.encode(), 1)}, True):
                    wrong.append(task.result())

        for _ in range(STORM // 40):
            await asyncio.gather(*(ask() for _ in range(40)))
        proxy.delay = 0
        after = [await store.read(key) for key in keys]
        await store.stop()
    figure(f"{kind}: {counts}, {len(wrong)} wrong")
    assert wrong == []
    assert after == [Record(key.encode(), 1) for key in keys]
    assert counts["answered"] > STORM / 10
    assert counts["cancelled"] > STORM / 10


async def test_a_write_whose_request_is_cancelled_is_done_whole_or_not_at_all(redis_server, prefix, later):
    async with proxied(redis_server.port) as proxy:
        store = RedisStore(proxy.url, prefix=prefix, timeout=PATIENCE)
        proxy.delay = 0.002
        keys = [token_hex(16) for _ in range(100)]
        for number, key in enumerate(keys):
            task = asyncio.ensure_future(store.create(key, b"sealed", expires_at=later, owner="aa"))
            asyncio.get_running_loop().call_later(number / 10_000, task.cancel)
            await asyncio.wait([task])
        proxy.delay = 0
        there = {key for key in keys if await store.read(key)}
        # Whatever has been written, its owner's sessions include it.
        assert set(await owned_by(store, "aa")) == there
        assert there
        await store.stop()


@pytest.mark.parametrize("turns", range(1, 16))
async def test_an_operation_without_a_caller_opens_no_connection_after_the_end(redis_server, prefix, later, turns):
    """At each turn of the event loop, so that it is cancelled wherever it can be: once by its caller, once by `stop`."""
    name, others = token_hex(8), asyncio.all_tasks()
    store = RedisStore(f"{redis_server.url}?client_name={name}", prefix=prefix, timeout=PATIENCE)
    async with Redis(port=redis_server.port) as client:
        # So that a script takes two commands.
        await client.script_flush()
        tasks = [asyncio.ensure_future(store.create(token_hex(16), b"", expires_at=later, owner="a")) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await store.stop()
        if left := asyncio.all_tasks() - others:
            await asyncio.wait(left)
        # The server sees the end of a connection a moment later.
        async with asyncio.timeout(PATIENCE):
            while name in (await client.execute_command("CLIENT", "LIST")).decode():
                assert store._redis._home is None, "its connections are never closed"
                await asyncio.sleep(0.01)
