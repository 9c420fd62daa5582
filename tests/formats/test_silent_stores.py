"""A store of express-session's that does not answer: the request goes on without its session, and soon."""

import asyncio
import socket
import time
from datetime import UTC, datetime

import httpx
import pytest
import redis.asyncio

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.formats import ExpressSession, Migration, RedisSessionReader
from tests.formats.vector import vector
from tests.shop import shop
from tests.wire import Message

VECTOR = vector("express-session/A01")
# The limits are a quarter and half of a second; without them there was no answer after twelve.
MOST_SECONDS = 8
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture
def silent():
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


class Hanging:
    """An application's own store."""

    async def get(self, _session_id, /):
        await asyncio.sleep(3600)


async def answered(store) -> Message:
    """What a visitor with an authentic cookie gets, on a route that looks at the session and one that does not."""
    reader = ExpressSession(secret="keyboard cat", store=store)
    app = shop(migrate_from=[Migration(reader, accept_until=datetime(2100, 1, 1, tzinfo=UTC))])
    cookie = "; ".join(f"{name}={value}" for name, value in VECTOR.cookies.items())
    begun = time.monotonic()
    async with (
        asyncio.timeout(MOST_SECONDS),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://testserver") as client,
    ):
        assert (await client.get("/public", headers={"cookie": cookie})).status_code == 200
        info = (await client.get("/info", headers={"cookie": cookie})).json()
    assert time.monotonic() - begun < MOST_SECONDS
    return info


async def test_a_redis_made_from_a_url(silent):
    assert (await answered(RedisSessionReader(silent)))["status"] == "store_down"


async def test_a_given_client_without_limits_of_its_own(silent):
    async with redis.asyncio.Redis.from_url(silent) as client:
        assert (await answered(RedisSessionReader(client)))["status"] == "store_down"
        assert (await answered(client))["status"] == "store_down"


async def test_a_store_of_the_applications_own():
    assert (await answered(Hanging()))["status"] == "store_down"


async def test_the_limit_can_be_chosen(silent):
    with pytest.raises(StoreUnavailableError):
        await RedisSessionReader(silent, timeout=0.01).get("id")
    slow = ExpressSession(secret="keyboard cat", store=Hanging(), timeout=0.01)
    with pytest.raises(StoreUnavailableError, match=r"0\.01 seconds"):
        await slow.load(VECTOR.cookies, now=VECTOR.now)


@pytest.mark.parametrize("timeout", [0, -1, "1", True])
def test_a_limit_is_a_number_of_seconds(timeout):
    with pytest.raises(ConfigurationError, match="timeout"):
        ExpressSession(secret="keyboard cat", store={}, timeout=timeout)
    with pytest.raises(ConfigurationError, match="timeout"):
        RedisSessionReader("redis://localhost", timeout=timeout)
