"""RedisStore while a real Redis is killed, stopped, restarted, slow or cut off."""

import asyncio
import time
from secrets import token_hex

import pytest
from redis.asyncio import Redis

from fastsession import StoreUnavailableError
from fastsession.stores import Record, RedisStore
from fastsession.stores.redis_faults import as_unavailable
from tests.processes import PATIENCE
from tests.stores import moments
from tests.stores.everything import owned_by
from tests.stores.proxy import proxied
from tests.stores.waiting import error_of, seconds_of, slowest_refusal, until_it_works

pytestmark = pytest.mark.anyio

ANSWER, RECOVERY = 0.3, 1.0


@pytest.fixture(params=["url", "client"])
async def store(request, mortal_redis):
    """On a URL, and on a client with redis-py's own defaults: 5 seconds and retries."""
    client = Redis(port=mortal_redis.port)
    store = RedisStore(mortal_redis.url if request.param == "url" else client)
    yield store
    await store.stop()
    await client.aclose()


def every_operation(store, key):
    return [
        store.read(key),
        store.create(token_hex(16), b"new", expires_at=moments.later(), owner="aa"),
        store.replace(key, b"new", version=1, expires_at=moments.later(), owner="aa"),
        store.touch(key, expires_at=moments.later()),
        store.delete(key),
        store.owned("aa"),
        store.end_owned("bb"),
        store.supersede(
            key,
            token_hex(16),
            b"new",
            version=1,
            expires_at=moments.later(),
            owner="aa",
            note=b"note",
            note_until=moments.later(),
        ),
    ]


async def recovered(store, key):
    """Seconds until a record is read again."""

    async def read():
        assert await store.read(key) is not None

    return await until_it_works(read)


async def longest_refusal(store, key, times=4):
    """Everything is refused, a dozen at a time: seconds of the slowest."""
    return max([await slowest_refusal(every_operation(store, key) + every_operation(store, key)) for _ in range(times)])


async def test_killed_every_operation_says_so_in_time_and_a_restart_brings_everything_back(
    store, mortal_redis, figure, later
):
    keys = [token_hex(16) for _ in range(50)]
    for key in keys:
        await store.create(key, key.encode(), expires_at=later, owner="aa")
    mortal_redis.kill()
    slowest = await longest_refusal(store, keys[0])
    mortal_redis.start()
    recovery = await recovered(store, keys[0])
    figure(f"killed: refused within {slowest * 1000:.0f} ms, back after {recovery * 1000:.0f} ms")
    assert slowest < ANSWER
    assert recovery < RECOVERY
    assert await owned_by(store, "aa") == {key: Record(key.encode(), 1) for key in keys}


async def test_restarted_without_its_data_it_knows_no_session_and_adopts_none(store, mortal_redis, later):
    key = token_hex(16)
    await store.create(key, b"sealed", expires_at=later, owner="aa")
    mortal_redis.kill()
    mortal_redis.forget()
    mortal_redis.start()
    await seconds_of(store.read(key))
    assert await store.read(key) is None
    assert await store.replace(key, b"back", version=1, expires_at=later, owner="aa") is False
    assert await store.touch(key, expires_at=later) is False
    assert await store.read(key) is None
    assert await owned_by(store, "aa") == {}


async def test_stopped_for_5_seconds_every_operation_says_so_in_time(store, mortal_redis, figure, later):
    key = token_hex(16)
    await store.create(key, b"sealed", expires_at=later, owner="aa")
    mortal_redis.pause()
    slowest, ends = 0.0, time.monotonic() + 5
    while time.monotonic() < ends:
        # Reads only: what a stopped server was sent, it still does when it goes on.
        slowest = max(slowest, await slowest_refusal([store.read(key) for _ in range(10)]))
    mortal_redis.resume()
    recovery = await recovered(store, key)
    figure(f"stopped: refused within {slowest * 1000:.0f} ms, back after {recovery * 1000:.0f} ms")
    assert slowest < ANSWER
    assert recovery < RECOVERY
    assert await store.read(key) == Record(b"sealed", 1)


async def test_a_slow_network_is_waited_for_up_to_the_timeout_and_no_longer(mortal_redis, figure, later):
    key = token_hex(16)
    async with proxied(mortal_redis.port) as proxy:
        store = RedisStore(proxy.url)
        await store.create(key, b"sealed", expires_at=later, owner=None)
        proxy.delay = 0.05
        seconds, error = await seconds_of(store.read(key))
        assert error is None
        proxy.delay = 0.4
        slowest = await longest_refusal(store, key)
        proxy.delay = 0
        recovery = await recovered(store, key)
        await store.stop()
    figure(
        f"slow: 100 ms of network, read in {seconds * 1000:.0f} ms; 800 ms, refused within {slowest * 1000:.0f} ms; "
        f"back after {recovery * 1000:.0f} ms"
    )
    assert slowest < ANSWER
    assert recovery < RECOVERY


async def test_a_longer_timeout_is_the_clients_too(mortal_redis, later):
    key = token_hex(16)
    async with proxied(mortal_redis.port) as proxy:
        store = RedisStore(proxy.url, timeout=PATIENCE)
        await store.create(key, b"sealed", expires_at=later, owner=None)
        # On each way.
        proxy.delay = 1.2
        assert await store.read(key) == Record(b"sealed", 1)
        await store.stop()


async def test_cut_connections_are_replaced(mortal_redis, later):
    key = token_hex(16)
    async with proxied(mortal_redis.port) as proxy:
        store = RedisStore(proxy.url)
        await store.create(key, b"sealed", expires_at=later, owner=None)
        for _ in range(20):
            reads = [asyncio.ensure_future(error_of(store.read(key))) for _ in range(20)]
            await asyncio.sleep(0)
            proxy.cut()
            assert {type(error) for error in await asyncio.gather(*reads)} <= {StoreUnavailableError, type(None)}
            assert await recovered(store, key) < RECOVERY
        await store.stop()


@pytest.mark.parametrize("max_connections", [1, 50])
async def test_a_long_outage_uses_up_no_connection(mortal_redis, max_connections, later):
    key = token_hex(16)
    store = RedisStore(mortal_redis.url, max_connections=max_connections)
    await store.create(key, b"sealed", expires_at=later, owner=None)
    mortal_redis.pause()
    for _ in range(4):
        await asyncio.gather(*(error_of(store.read(key)) for _ in range(200)))
    mortal_redis.resume()
    await recovered(store, key)
    for _ in range(5):
        reads = await asyncio.gather(*(store.read(key) for _ in range(10)))
        assert reads == [Record(b"sealed", 1)] * 10
    await store.stop()


async def test_an_error_that_redis_answers_is_a_fault_of_the_system(store, mortal_redis, later):
    key = token_hex(16)
    await store.create(key, b"sealed", expires_at=later, owner=None)
    async with Redis(port=mortal_redis.port) as client:
        await client.config_set("maxmemory", 1)
        await client.config_set("maxmemory-policy", "noeviction")
        with pytest.raises(StoreUnavailableError):
            await store.replace(key, b"new", version=1, expires_at=later, owner=None)
        await client.config_set("maxmemory", 0)
    assert await store.read(key) == Record(b"sealed", 1)


def test_nodes_that_are_replaced_while_an_old_client_looks_through_them_are_an_outage():
    """As the client of redis-py 5 does it (tests on the oldest versions meet it)."""
    nodes = {"first": 1}

    def look_through():
        with as_unavailable():
            for _ in nodes:
                nodes["second"] = 2

    with pytest.raises(StoreUnavailableError, match="replaced"):
        look_through()
