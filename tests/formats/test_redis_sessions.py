"""connect-redis's sessions, read from a real Redis."""

import asyncio

import pytest
from redis.asyncio import Redis

from fastsession import ConfigurationError, SessionStatus, StoreUnavailableError
from fastsession.errors import Rejected
from fastsession.formats import ExpressSession, RedisSessionReader
from tests.formats.vector import vector
from tests.processes import free_port
from tests.stores.redis_server import running

VECTOR = vector("express-session/A01")
(STORED,) = VECTOR.fields["store"].values()
STORE_KEY = VECTOR.expected["store_key_connect_redis"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("redis"), "--save", "") as server:
        yield server.url


def load(url, make=RedisSessionReader, *, stored=STORED, prefix="sess:"):
    """What `ExpressSession` finds after connect-redis has stored a session."""

    async def run():
        async with Redis.from_url(url) as client:
            await client.flushdb()
            if stored is not None:
                await client.set(STORE_KEY.replace("sess:", prefix), stored)
            reader = ExpressSession(secret="keyboard cat", store=make(client))
            return await reader.load(VECTOR.cookies, now=VECTOR.now)

    return asyncio.run(run())


def test_a_session_is_read_under_its_prefix(url):
    session = load(url)
    assert (session.data, session.id) == ({"user_id": 42}, VECTOR.expected["sid"])
    assert session.expires_at == VECTOR.expected["expires_at"]


def test_a_client_stands_for_its_reader(url):
    assert load(url, lambda client: client).data == {"user_id": 42}


def test_another_prefix_is_an_option(url):
    assert load(url, lambda client: RedisSessionReader(client, prefix="app:"), prefix="app:").data == {"user_id": 42}


@pytest.mark.parametrize("missing", [{"stored": None}, {"prefix": "app:"}])
def test_a_session_that_the_store_has_no_more_is_expired(url, missing):
    with pytest.raises(Rejected) as rejection:
        load(url, **missing)
    assert rejection.value.status is SessionStatus.EXPIRED_ABSOLUTE


def test_a_redis_that_does_not_answer_is_a_store_that_is_down():
    async def run():
        store = RedisSessionReader(f"redis://127.0.0.1:{free_port()}")
        reader = ExpressSession(secret="keyboard cat", store=store)
        with pytest.raises(StoreUnavailableError):
            await reader.load(VECTOR.cookies, now=VECTOR.now)
        with pytest.raises(Rejected):
            await reader.load({"connect.sid": "s:forged.id"}, now=VECTOR.now)

    asyncio.run(run())


def test_a_store_to_await_is_not_read_at_once():
    reader = ExpressSession(secret="keyboard cat", store=RedisSessionReader("redis://127.0.0.1:1"))
    with pytest.raises(ConfigurationError, match="await"):
        reader.read(VECTOR.cookies, now=VECTOR.now)
