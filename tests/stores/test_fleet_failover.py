"""Stores on a real Cluster and behind real sentinels of which servers hang or die.

tests/soak/failovers.py does it to each of them, under load.
"""

import asyncio
import gc
import time
import warnings
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
import redis
from redis.asyncio import RedisCluster
from redis.asyncio.sentinel import Sentinel

from fastsession import StoreUnavailableError
from fastsession.stores import Record, RedisRevocations, RedisStore
from tests.stores.fleets import cluster, watched
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

# Seconds within which a fleet that has lost a server serves everyone again; a failover takes two to four.
RECOVERED = 60


@pytest.fixture(scope="module")
def redis_cluster_of_six(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as fleet:
        yield fleet


@pytest.fixture
def redis_watched(tmp_path):
    with watched(tmp_path) as fleet:
        yield fleet


# redis-py closes idle connections when the master has changed, and drops those that others make meanwhile unclosed.
@pytest.fixture
def dropped_connections():
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def later():
    return int(time.time()) + 600


@asynccontextmanager
async def store_on(source, **options):
    store = RedisStore(source, **options)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def served_again(store, keys):
    """Seconds until all keys are read, at the same time and three times in a row."""
    begun, whole = time.monotonic(), 0
    while whole < 3:
        answers = await asyncio.gather(*(store.read(key) for key in keys), return_exceptions=True)
        unexpected = [each for each in answers if not isinstance(each, Record | StoreUnavailableError)]
        assert unexpected == []
        whole = whole + 1 if all(isinstance(each, Record) for each in answers) else 0
        assert time.monotonic() < begun + RECOVERED, answers
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def created(store, count):
    keys = [token_hex(16) for _ in range(count)]
    for key in keys:
        await store.create(key, key.encode(), expires_at=later(), owner="aa")
    return keys


def source_for(kind, fleet):
    """A URL, or a client with redis-py's own limits."""
    port = fleet.servers[0].port
    return fleet.url if kind == "url" else lambda: RedisCluster(host="127.0.0.1", port=port)


@pytest.mark.parametrize("kind", ["url", "function"])
async def test_a_cluster_whose_master_hangs_is_served_by_its_replica(kind, redis_cluster_of_six, figure):
    fleet, prefix = redis_cluster_of_six, f"{token_hex(4)}:"
    async with store_on(source_for(kind, fleet), prefix=prefix) as store:
        keys = await created(store, 30)
        hanging = fleet.master_of(f"{prefix}session:{keys[0]}")
        await until_replicas_have(fleet)
        hanging.pause()
        try:
            seconds = await served_again(store, keys)
        finally:
            hanging.resume()
        await served_again(store, keys)
    figure(f"cluster, {kind}: a master hangs, served after {seconds:.1f} s")


async def until_replicas_have(fleet):
    """Asynchronous replication of what was written so far."""
    await asyncio.sleep(0.3)


def watched_source(kind, fleet):
    """A URL, or a client with redis-py's own limits, from a function or given."""
    if kind == "url":
        return fleet.url
    places = [("127.0.0.1", sentinel.port) for sentinel in fleet.sentinels]

    def made():
        return Sentinel(places).master_for("main")

    return made if kind == "function" else made()


@pytest.mark.usefixtures("dropped_connections")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["url", "function", "client"])
async def test_when_the_first_sentinel_hangs_with_the_master_the_replica_is_found(kind, redis_watched, figure):
    fleet = redis_watched
    async with store_on(watched_source(kind, fleet)) as store:
        keys = await created(store, 10)
        await asyncio.sleep(0.3)
        fleet.sentinels[0].pause()
        fleet.master.pause()
        seconds = await served_again(store, keys)
        assert await store.delete(keys[0]) is True
        fleet.sentinels[0].resume()
        fleet.master.resume()
        await served_again(store, keys[1:])
        assert await store.read(keys[0]) is None
    figure(f"sentinel, {kind}: master and first sentinel hang, served after {seconds:.1f} s")


@pytest.mark.usefixtures("dropped_connections")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["url", "function", "client"])
async def test_a_master_that_comes_back_brings_no_session_back(kind, redis_watched, tmp_path):
    fleet, configuration = redis_watched, tmp_path / "sentinel0" / "sentinel.conf"
    outdated, *others = fleet.sentinels
    async with store_on(watched_source(kind, fleet)) as store:
        keys = await created(store, 10)
        await asyncio.sleep(0.3)
        outdated.kill()
        before = configuration.read_text()
        fleet.master.pause()
        await served_again(store, keys)
        assert await store.delete(keys[0]) is True
        # One sentinel of three that knows of no failover, and connections from before it that were in use.
        for sentinel in others:
            sentinel.pause()
        fleet.master.resume()
        configuration.write_text(before)
        outdated.start(ready="+monitor master main")
        for number in range(16):
            if number == 8:
                with redis.Redis(port=fleet.replica.port) as new_master:
                    new_master.client_kill_filter(_type="normal", skipme=True)
            assert await read_or_refused(store, keys[0]) is None
        for sentinel in others:
            sentinel.resume()
        await served_again(store, keys[1:])
        assert await store.read(keys[0]) is None


async def read_or_refused(store, key):
    try:
        return await store.read(key)
    except StoreUnavailableError:
        return None


@pytest.mark.usefixtures("dropped_connections")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_revocations_follow_a_failover_of_sentinels(redis_watched, figure):
    fleet, sessions = redis_watched, [token_hex(16) for _ in range(5)]
    first, second = RedisRevocations(fleet.url), RedisRevocations(fleet.url)
    await first.start()
    await second.start()
    for session in sessions:
        await first.deny_session(session, until=later())
    fleet.sentinels[0].kill()
    fleet.master.kill()
    begun = time.monotonic()
    while True:
        try:
            await first.deny_session(session := token_hex(16), until=later())
            break
        except StoreUnavailableError:
            assert time.monotonic() < begun + RECOVERED
            await asyncio.sleep(0.05)
    seconds = time.monotonic() - begun
    await eventually(lambda: second.denied(session, None, 0), within=RECOVERED)
    late = RedisRevocations(fleet.url)
    await late.start()
    assert all(worker.denied(each, None, 0) for worker in (first, second, late) for each in [*sessions, session])
    for worker in (first, second, late):
        await worker.stop()
    figure(f"sentinel: master and first sentinel die, denials again after {seconds:.1f} s")
