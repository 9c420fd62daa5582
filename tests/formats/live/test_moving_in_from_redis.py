"""express-session's sessions in a real Redis, where connect-redis keeps them."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from redis.asyncio import Redis

from fastsession.formats import ExpressSession, Migration, RedisSessionReader
from tests.shop import COOKIE, set_cookies, shop
from tests.stores.redis_server import running

SECRET = "what the old system has kept secret"
DATA = {"user_id": 42, "cart": ["tea"], "theme": "dark"}
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def redis_server(tmp_path):
    with running(tmp_path / "redis") as server:
        yield server


@asynccontextmanager
async def visiting(server, events):
    """A client of the new app, and one of the store it migrates from."""
    async with Redis(port=server.port) as redis:
        reader = ExpressSession(secret=SECRET, store=RedisSessionReader(redis))
        migration = Migration(reader, accept_until=datetime(2100, 1, 1, tzinfo=UTC))
        app = shop(migrate_from=[migration], on_event=events.append)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
            yield client, redis


async def old_session(redis, peer):
    """The Cookie header of a session that express-session wrote, put where connect-redis puts it."""
    cookies, store = peer.seal("express-session", {"secret": [SECRET], "cookie": {"maxAge": 3_600_000}}, DATA)
    for session_id, text in store.items():
        await redis.set(f"sess:{session_id}", text, ex=3600)
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


async def commands(redis):
    """How many times the store has been asked for a key."""
    return (await redis.info("commandstats")).get("cmdstat_get", {"calls": 0})["calls"]


async def test_a_session_moves_in_and_redis_is_asked_once(redis_server, events, peer):
    async with visiting(redis_server, events) as (client, redis):
        response = await client.get("/view", headers=await old_session(redis, peer))
        assert response.json() == DATA
        assert [line.partition("=")[0] for line in set_cookies(response)] == [COOKIE, "connect.sid"]
        assert (await client.get("/view")).json() == DATA
        assert await commands(redis) == 1
    assert [(event.kind, event.detail) for event in events] == [("migrated", "ExpressSession")]


async def test_redis_is_asked_for_no_forged_id_and_for_none_at_all_without_a_cookie(redis_server, events, peer):
    async with visiting(redis_server, events) as (client, redis):
        header = await old_session(redis, peer)
        forged = header["cookie"].rpartition(".")[0] + "." + "A" * 43
        assert (await client.get("/info", headers={"cookie": forged})).json()["status"] == "forged"
        assert (await client.get("/info")).json()["status"] == "absent"
        assert await commands(redis) == 0
    assert [event.status for event in events] == ["forged"]


async def test_a_session_that_the_store_has_lost_is_expired(redis_server, events, peer):
    async with visiting(redis_server, events) as (client, redis):
        header = await old_session(redis, peer)
        await redis.flushall()
        assert (await client.get("/info", headers=header)).json()["status"] == "expired_absolute"


async def test_what_is_no_session_in_the_store_is_rejected_and_no_error(redis_server, events, peer):
    async with visiting(redis_server, events) as (client, redis):
        header = await old_session(redis, peer)
        [key] = await redis.keys("sess:*")
        for text, status in [("not JSON", "malformed"), ("[]", "incompatible"), ('{"user_id": 1}', "incompatible")]:
            await redis.set(key, text)
            assert (await client.get("/info", headers=header)).json()["status"] == status


async def test_with_the_store_down_there_is_no_session_and_the_old_cookie_stays(redis_server, events, peer):
    async with visiting(redis_server, events) as (client, redis):
        header = await old_session(redis, peer)
        redis_server.kill()
        response = await client.get("/info", headers=header)
        assert (response.status_code, response.json()["status"]) == (200, "store_down")
        assert set_cookies(response) == []
        redis_server.start()
        assert (await client.get("/view", headers=header)).json() == DATA
    told = [(event.kind, event.status) for event in events]
    assert told == [("unavailable", "store_down"), ("rejected", "store_down"), ("migrated", "valid")]
