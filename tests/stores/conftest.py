import time
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
import redis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import Sentinel

from tests.processes import PATIENCE
from tests.stores import database_server, moments
from tests.stores.redis_server import running, sentinel_of


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    options = ("--save", "", "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    with running(tmp_path_factory.mktemp("cluster"), *options) as server:
        take_every_slot(server)
        yield server


@pytest.fixture(scope="session")
def redis_sentinel(redis_server, tmp_path_factory):
    with sentinel_of(redis_server, tmp_path_factory.mktemp("sentinel") / "data") as sentinel:
        yield sentinel


def take_every_slot(server):
    with redis.Redis(port=server.port) as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        give_up = time.monotonic() + PATIENCE
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < give_up, "the cluster does not get ready"


@pytest.fixture(scope="session")
def postgres():
    with database_server.running(database_server.PostgresServer) as server:
        server.create_tables()
        yield server


@pytest.fixture(scope="session")
def mariadb():
    with database_server.running(database_server.MariaDBServer) as server:
        server.create_tables()
        yield server


@pytest.fixture
def mortal_postgres():
    """A PostgreSQL of this test's own, to be killed."""
    with database_server.running(database_server.PostgresServer) as server:
        server.create_tables()
        yield server


@pytest.fixture
def mortal_redis(tmp_path):
    """A Redis of this test's own, to be killed."""
    with running(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def now():
    return moments.now()


@pytest.fixture
def later():
    return moments.later()


@pytest.fixture
def prefix():
    return f"test-{token_hex(4)}:"


KINDS_OF_REDIS = ["url", "client", "resp3", "sentinel", "cluster"]


@asynccontextmanager
async def client_of(kind, fixture):
    if kind == "url":
        yield fixture("redis_server").url
    elif kind == "cluster":
        async with RedisCluster(host="127.0.0.1", port=fixture("redis_cluster").port) as client:
            yield client
    elif kind == "sentinel":
        sentinel = Sentinel([("127.0.0.1", fixture("redis_sentinel").port)])
        async with sentinel.master_for("main") as client:
            yield client
        for watcher in sentinel.sentinels:
            await watcher.aclose()
    else:
        protocol = 3 if kind == "resp3" else 2
        async with Redis(port=fixture("redis_server").port, protocol=protocol) as client:
            yield client
