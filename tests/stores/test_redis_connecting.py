"""How connections to Redis are made: in storms, over TLS, in several event loops, and when Redis refuses them."""

import asyncio
import os
import re
import ssl
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from secrets import token_hex

import pytest
import redis
from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.sentinel import Sentinel

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import Record, RedisRevocations, RedisStore
from fastsession.stores.redis_faults import as_unavailable
from tests.browser.certificate import make_certificate
from tests.processes import free_port
from tests.server_side.site import BUSY
from tests.stores.proxy import proxied
from tests.stores.redis_server import running
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

BURST = 200
# What the documentation tells operators to allow a store, and revocations.
STORE_USER, REVOCATIONS_USER = re.findall(
    r"^ACL SETUSER shop\S* on >password (.+)$",
    (Path(__file__).parents[2] / "docs/stores.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
# Where scripts are forgotten, and with `replicas=`.
NEEDED_LATER = {"+eval", "+wait"}


def later():
    return int(time.time()) + 600


@asynccontextmanager
async def opened(made):
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@contextmanager
def tls_redis(folder):
    """A Redis that speaks TLS only, and the certificate by which it is trusted."""
    folder.mkdir()
    certificate = make_certificate(["localhost"], folder)
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate.file), "--tls-key-file")
    options += (str(certificate.key_file), "--tls-auth-clients", "no", "--save", "")
    with running(folder / "data", *options):
        yield port, certificate.file


async def burst(store, key):
    """How many of many reads at once are answered."""
    answers = await asyncio.gather(*(store.read(key) for _ in range(BURST)), return_exceptions=True)
    assert all(isinstance(answer, Record | StoreUnavailableError) for answer in answers)
    return sum(isinstance(answer, Record) for answer in answers)


async def converges(store, key):
    """The counts of bursts up to one that is answered whole; on a quiet machine the third at the latest."""
    counts = [await burst(store, key)]
    while counts[-1] < BURST:
        assert len(counts) < 30, counts
        counts.append(await burst(store, key))
    return counts


async def time_enough(server, prefix, key):
    """How long an operation may take here, in seconds: by default 0.25, on a busy machine several bursts' time."""
    async with opened(RedisStore(server.url, prefix=prefix, max_connections=2, timeout=BUSY)) as warm:
        await warm.create(key, b"sealed", expires_at=later(), owner=None)
        started = time.monotonic()
        assert await burst(warm, key) == BURST
        return max(0.25, 4 * (time.monotonic() - started))


@pytest.mark.parametrize("kind", ["url", "function", "pool of two", "given pool of two"])
async def test_a_cold_store_serves_bursts_whole_after_few(kind, redis_server, prefix, figure):
    key = token_hex(16)
    timeout = await time_enough(redis_server, prefix, key)
    small = Redis.from_pool(ConnectionPool(port=redis_server.port, max_connections=2))
    store = {
        "url": lambda: RedisStore(redis_server.url, prefix=prefix, timeout=timeout),
        "function": lambda: RedisStore(lambda: Redis(port=redis_server.port), prefix=prefix, timeout=timeout),
        "pool of two": lambda: RedisStore(redis_server.url, prefix=prefix, max_connections=2, timeout=timeout),
        "given pool of two": lambda: RedisStore(small, prefix=prefix, timeout=timeout),
    }[kind]()
    try:
        counts = await converges(store, key)
    finally:
        await store.stop()
        await small.aclose()
    figure(f"{kind}: {counts} of {BURST}")


async def test_over_tls_a_storm_makes_one_context_beside_the_loop_and_few_connections_at_a_time(
    tmp_path, prefix, monkeypatch, figure
):
    """Counted, not timed: what held the loop were dozens of contexts and handshakes at once."""
    contexts, make = [], ssl.create_default_context
    monkeypatch.setattr(
        ssl, "create_default_context", lambda *args, **kw: contexts.append(threading.get_ident()) or make(*args, **kw)
    )
    with tls_redis(tmp_path / "tls") as (port, certificate):
        url = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
        store, key = RedisStore(url, prefix=prefix), token_hex(16)
        making = most = 0
        async with opened(store):
            pool = store._redis.client.connection_pool
            connect = pool.connection_class._connect

            async def counted(connection):
                nonlocal making, most
                turns = connection._making.turns
                most = max(most, 4 - turns._value)
                return await connect(connection)

            monkeypatch.setattr(pool.connection_class, "_connect", counted)
            await store.create(key, b"sealed", expires_at=later(), owner=None)
            counts = await converges(store, key)
    figure(f"tls: {counts} of {BURST}, {len(contexts)} contexts")
    assert len(contexts) == 1
    assert contexts[0] != threading.get_ident()
    assert 0 < most <= 4


async def test_a_connection_that_takes_longer_than_a_request_waits_is_there_for_a_later_one(redis_server, prefix):
    async with proxied(redis_server.port) as proxy:
        store = RedisStore(proxy.url, prefix=prefix, timeout=0.1)
        proxy.delay = 0.09  # Twice for each question: two questions are needed for a connection and an answer.
        with pytest.raises(StoreUnavailableError):
            await store.read(token_hex(16))
        proxy.delay = 0
        await eventually(lambda: store._redis.client.connection_pool._available_connections)
        assert await store.read(token_hex(16)) is None
        await store.stop()


async def test_a_start_makes_connections_before_the_first_request(redis_server, prefix):
    async with opened(RedisStore(redis_server.url, prefix=prefix)) as store:
        pool = store._redis.client.connection_pool
        assert sum(connection.is_connected for connection in pool._available_connections) >= 4


def refused(tmp_path, kind):
    return {
        "store": lambda url: RedisStore(url, prefix="shop:"),
        "revocations": lambda url: RedisRevocations(url, prefix="shop:"),
    }[kind]


@pytest.mark.parametrize("kind", ["store", "revocations"])
async def test_a_wrong_password_is_told_at_the_start(kind, tmp_path):
    with running(tmp_path / "redis", "--save", "", "--requirepass", "right") as server:
        for url in (f"redis://:wrong@127.0.0.1:{server.port}", server.url):
            made = refused(tmp_path, kind)(url)
            with pytest.raises(
                ConfigurationError, match=r"refused by Redis.*(Password|password|NOAUTH|uthenti)"
            ) as caught:
                await made.start()
            assert "wrong" not in str(caught.value)
            await made.stop()
        async with opened(refused(tmp_path, kind)(f"redis://:right@127.0.0.1:{server.port}")):
            pass


@pytest.mark.parametrize("kind", ["store", "revocations"])
async def test_a_certificate_that_is_not_trusted_is_told_at_the_start(kind, tmp_path):
    with tls_redis(tmp_path / "tls") as (port, certificate):
        for url in (f"rediss://localhost:{port}", f"rediss://localhost:{port}?ssl_ca_certs=/missing.pem"):
            made = refused(tmp_path, kind)(url)
            with pytest.raises(ConfigurationError, match="refuse"):
                await made.start()
            await made.stop()
        async with opened(refused(tmp_path, kind)(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")):
            pass


def as_user(server, rules):
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "shop", "reset", "on", ">secret", *rules.split())
    return f"redis://shop:secret@127.0.0.1:{server.port}"


@pytest.mark.parametrize("kind", ["store", "revocations"])
async def test_the_permissions_that_the_documentation_names_are_enough_and_each_is_needed(kind, tmp_path):
    rules = STORE_USER if kind == "store" else REVOCATIONS_USER
    with running(tmp_path / "redis", "--save", "") as server:
        made = refused(tmp_path, kind)(as_user(server, rules))
        async with opened(made):
            await used(made)
        for missing in set(rules.split()[1:]) - NEEDED_LATER:
            left = " ".join(rule for rule in rules.split() if rule != missing)
            made = refused(tmp_path, kind)(as_user(server, left))
            with pytest.raises(ConfigurationError, match="refused by Redis"):
                await made.start()
            await made.stop()


@pytest.mark.parametrize("kind", ["store", "revocations"])
async def test_with_replicas_the_permission_to_wait_for_them_is_needed_too(kind, tmp_path):
    rules = STORE_USER if kind == "store" else REVOCATIONS_USER
    with running(tmp_path / "redis", "--save", "") as server:
        made_by = {"store": RedisStore, "revocations": RedisRevocations}[kind]
        without = " ".join(rule for rule in rules.split() if rule != "+wait")
        made = made_by(as_user(server, without), prefix="shop:", replicas=1)
        with pytest.raises(ConfigurationError, match=r"refused by Redis.*wait"):
            await made.start()
        await made.stop()
        made = made_by(as_user(server, rules), prefix="shop:", replicas=1)
        async with opened(made):
            with pytest.raises(StoreUnavailableError, match=r"0 of 1 replicas|No answer"):
                await used(made)


async def test_a_start_without_the_replicas_says_what_is_missing(redis_server, prefix, caplog):
    async with opened(RedisStore(redis_server.url, prefix=prefix, replicas=1)):
        [line] = [record.getMessage() for record in caplog.records]
    # On a busy machine the start may take too long.
    assert line.partition(": ")[2] in ("0 of 1 replicas have confirmed it.", "TimeoutError")


async def used(made):
    if isinstance(made, RedisRevocations):
        await made.deny_session(token_hex(16), until=later())
        await made.deny_owner("aa", before=later(), until=later())
        return
    key = token_hex(16)
    await made.create(key, b"sealed", expires_at=later(), owner="aa")
    assert await made.replace(key, b"new", version=1, expires_at=later(), owner="bb") is True
    assert await made.touch(key, expires_at=later()) is True
    assert await made.delete(key) is True


async def test_a_server_that_cannot_be_reached_is_logged_with_its_cause_and_used_later(mortal_redis, caplog):
    mortal_redis.kill()
    async with opened(RedisStore(mortal_redis.url)) as store:
        [line] = [record.getMessage() for record in caplog.records]
        assert line.startswith("RedisStore cannot use Redis yet: ConnectionError")
        mortal_redis.start()
        assert await store.read(token_hex(16)) is None


async def test_an_outage_is_told_with_its_cause(mortal_redis):
    store = RedisStore(mortal_redis.url)
    mortal_redis.kill()
    with pytest.raises(StoreUnavailableError, match=r"Redis failed: ConnectionError: .*connect"):
        await store.read(token_hex(16))
    await store.stop()


async def test_a_server_that_takes_no_writes_is_told_by_its_code(mortal_redis):
    store = RedisStore(mortal_redis.url)
    with redis.Redis(port=mortal_redis.port) as administrator:
        administrator.config_set("min-replicas-to-write", 1)
        try:
            with pytest.raises(StoreUnavailableError, match=r"Redis failed: ResponseError: NOREPLICAS$"):
                await store.create(token_hex(16), b"sealed", expires_at=int(time.time()) + 600, owner=None)
        finally:
            administrator.config_set("min-replicas-to-write", 0)
    await store.stop()


async def test_stopping_never_raises_for_a_server_that_hangs(mortal_redis):
    store = RedisStore(mortal_redis.url)
    await store.start()
    mortal_redis.pause()
    reads = [asyncio.ensure_future(store.read(token_hex(16))) for _ in range(20)]
    await asyncio.wait(reads)
    await store.stop()
    mortal_redis.resume()
    assert {type(read.exception()) for read in reads} == {StoreUnavailableError}


def in_a_loop_of_its_own(work):
    return asyncio.run(work())


SOURCES = {
    "url": lambda server, cluster, sentinel: server.url,
    "function": lambda server, cluster, sentinel: lambda: Redis(port=server.port),
    "function for a cluster": lambda server, cluster, sentinel: lambda: RedisCluster("127.0.0.1", cluster.port),
    "function for sentinels": lambda server, cluster, sentinel: (
        lambda: Sentinel([("127.0.0.1", sentinel.port)]).master_for("main")
    ),
    "cluster url": lambda server, cluster, sentinel: f"redis+cluster://127.0.0.1:{cluster.port}",
    "sentinel url": lambda server, cluster, sentinel: f"redis+sentinel://127.0.0.1:{sentinel.port}/main",
}


@pytest.fixture(params=SOURCES)
def source(request, redis_server, redis_cluster, redis_sentinel):
    return SOURCES[request.param](redis_server, redis_cluster, redis_sentinel)


def test_one_store_serves_several_event_loops_and_a_forked_process(source, prefix):
    store, key = RedisStore(source, prefix=prefix), token_hex(16)
    revocations = RedisRevocations(source, prefix=prefix)

    async def visit():
        await revocations.start()
        if await store.read(key) is None:
            await store.create(key, b"sealed", expires_at=later(), owner="aa")
            await revocations.deny_session(key, until=later())
        assert await store.read(key) == Record(b"sealed", 1)
        assert revocations.denied(key, None, 0)
        await store.stop()
        await revocations.stop()

    for _ in range(2):
        asyncio.run(visit())
    child = os.fork()
    if child == 0:
        # Nothing of the test runner may go on here.
        failed = 1
        try:
            asyncio.run(visit())
            failed = 0
        finally:
            os._exit(failed)
    _, status = os.waitpid(child, 0)
    assert status == 0


def test_a_given_client_in_another_event_loop_says_what_to_give(redis_server):
    client = Redis(port=redis_server.port)
    store = RedisStore(client)

    async def read():
        await asyncio.gather(*(store.read(token_hex(16)) for _ in range(3)))

    loop = asyncio.new_event_loop()
    loop.run_until_complete(read())
    other = asyncio.new_event_loop()
    try:
        with pytest.raises(ConfigurationError, match="lambda: Redis"):
            other.run_until_complete(read())
    finally:
        loop.run_until_complete(client.aclose())
        loop.close()
        other.close()


BAD_URLS = [
    "http://localhost",
    "redis+magic://localhost",
    "redis+sentinel://h1,h2",
    "redis+sentinel://h1,,h2/main",
    "redis+cluster://",
    "redis://localhost?no_such_option=1",
    "redis+cluster://localhost?no_such_option=1",
    "redis://localhost?socket_timeout=soon",
    "redis://localhost:port",
    "unix+cluster:///tmp/redis",
    "localhost:6379",
]


@pytest.mark.parametrize("url", BAD_URLS)
@pytest.mark.parametrize("kind", [RedisStore, RedisRevocations])
def test_a_url_that_says_nothing_useful_is_refused_when_it_is_given(url, kind):
    with pytest.raises(ConfigurationError) as caught:
        kind(url.replace("://", "://user:topsecret@", 1))
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("servers", ["redis://localhost/0", "redis+cluster://localhost", "redis+sentinel://h1,h2/main"])
@pytest.mark.parametrize(
    ("query", "told"),
    [("socket_timout=1", "socket_timout"), ("socket_timeout=soon", "socket_timeout"), ("decode_responses=1", "bytes")],
)
def test_the_option_of_a_url_that_is_wrong_is_named(servers, query, told):
    with pytest.raises(ConfigurationError, match=told):
        RedisStore(f"{servers}?health_check_interval=9&{query}")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        *(("redis://localhost/sessions", "number of a database"), ("rediss://localhost/0/1", "number of a database")),
        ("redis+sentinel://localhost/main/sessions", "number of a database"),
        ("redis+cluster://localhost/1", "no numbered databases"),
    ],
)
def test_a_path_that_names_no_database_is_not_taken_for_the_first(url, told):
    with pytest.raises(ConfigurationError, match=told):
        RedisStore(url)


@pytest.mark.parametrize("error", [AttributeError("x", obj=object()), RuntimeError("another cause")])
def test_an_error_that_is_no_failure_of_redis_is_its_own(error):
    with pytest.raises(type(error)) as raised, as_unavailable():
        raise error
    assert raised.value is error


def test_a_connection_that_was_closed_under_a_command_is_an_outage():
    with pytest.raises(StoreUnavailableError, match="the connection was closed"), as_unavailable():
        raise AttributeError("'NoneType' object has no attribute 'write'", obj=None)
