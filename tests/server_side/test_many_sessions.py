"""A subject with more sessions than can be read at once: they are listed, ended and limited all the same."""

import asyncio
from secrets import token_hex

import pytest

from fastsession.stores import MemoryStore, RedisStore, SQLiteStore
from tests.server_side.site import browser, site

pytestmark = pytest.mark.anyio

# More than the few hundred of a page, by far. The soak does it with 100,000.
MANY = 1000


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "sessions.db")
    return RedisStore(request.getfixturevalue("redis_server").url, prefix=f"{token_hex(4)}:", timeout=2)


async def signed_in_often(app, user_id, count):
    """Sign in again and again, as a thief of the password might."""
    clients = [browser(app) for _ in range(8)]

    async def sign_in(client):
        for _ in range(count // len(clients)):
            client.cookies.clear()
            assert (await client.post(f"/login/{user_id}")).status_code == 200

    await asyncio.gather(*map(sign_in, clients))


async def test_many_sessions_of_one_user_are_listed_and_ended(store):
    async with site(store=store) as app:
        mine, thief = browser(app), browser(app)
        for client in (mine, thief):
            await client.post("/login/42")
        await signed_in_often(app, 42, MANY)
        assert len((await mine.get("/sessions")).json()) >= MANY
        assert (await mine.post("/end-others")).status_code == 200
        assert (await mine.get("/who")).json() == [42, "valid"]
        assert (await thief.get("/who")).json() == [None, "revoked"]
        assert len((await mine.get("/sessions")).json()) == 1
        await signed_in_often(app, 42, 400)
        assert (await mine.post("/end-all")).status_code == 200
        assert (await mine.get("/who")).json() == [None, "revoked"]


async def test_a_limit_that_comes_later_leaves_the_newest(store):
    async with site(store=store) as app:
        old = browser(app)
        await old.post("/login/42")
        await signed_in_often(app, 42, 400)
        # Sessions are told apart by the second in which they began.
        await asyncio.sleep(1.1)
        newest = browser(app)
        await newest.post("/login/42")
    async with site(store=store, max_sessions=3) as app:
        client = browser(app)
        assert (await client.post("/login/42")).status_code == 200
        assert len((await client.get("/sessions")).json()) == 3
        assert (await browser(app, old.cookies).get("/who")).json() == [None, "revoked"]
        assert (await browser(app, newest.cookies).get("/who")).json() == [42, "valid"]


async def test_a_limit_that_refuses_counts_them_all(store):
    async with site(store=store) as app:
        await signed_in_often(app, 42, 400)
    async with site(store=store, max_sessions=400, when_full="refuse") as app:
        assert (await browser(app).post("/login/42")).status_code == 403
