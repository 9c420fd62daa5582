"""How often a request asks Redis, counted by a proxy between the two, and what it sends."""

import time
from secrets import token_hex

import pytest
import redis

from fastsession.stores import OnDemand, RedisStore
from tests.server_side.site import browser, site
from tests.shop import IDLE
from tests.stores.proxy import proxied

pytestmark = pytest.mark.anyio


@pytest.fixture
async def network(redis_server):
    async with proxied(redis_server.port) as proxy:
        yield proxy


@pytest.fixture(params=["before the application", "on demand"])
async def app(network, clock, request):
    store = RedisStore(network.url, prefix=f"{token_hex(4)}:", timeout=5)
    clock.advance(time.time() - clock())
    async with site(store=OnDemand(store) if request.param == "on demand" else store, clock=clock) as app:
        warm = browser(app)
        # The server knows the scripts of every kind of request from here on.
        for path in ("/login/1", "/cart/tea", "/end-others", "/logout"):
            await warm.post(path)
        app.state.untouched = 0 if request.param == "on demand" else 1
        yield app


@pytest.fixture
def asked(network):
    async def asked(request):
        network.asked = 0
        response = await request
        assert response.is_success
        return network.asked

    return asked


async def test_a_visitor_without_a_session_asks_nobody(app, asked):
    assert await asked(browser(app).get("/who")) == 0


async def test_a_request_that_does_not_look_asks_once_or_on_demand_nobody(app, asked):
    client = browser(app)
    await client.post("/login/42")
    assert await asked(client.get("/public")) == app.state.untouched


async def test_a_renewal_asks_twice_whether_or_not_anyone_looks(app, asked, clock):
    client = browser(app)
    await client.post("/login/42")
    for path in ("/public", "/who"):
        clock.advance(IDLE // 2)
        assert await asked(client.get(path)) == 2


async def test_a_read_asks_once(app, asked):
    client = browser(app)
    await client.post("/login/42")
    assert await asked(client.get("/who")) == 1


async def test_a_write_of_a_user_asks_twice(app, asked):
    client = browser(app)
    await client.post("/login/42")
    assert await asked(client.post("/cart/tea")) == 2


async def test_a_login_asks_once_without_and_twice_with_a_session_from_before(app, asked):
    client = browser(app)
    assert await asked(client.post("/login/42")) == 1
    assert await asked(client.post("/login/43")) == 2


async def test_a_logout_asks_twice(app, asked):
    client = browser(app)
    await client.post("/login/42")
    assert await asked(client.post("/logout")) == 2


@pytest.mark.parametrize("others", [1, 4, 50])
async def test_ending_the_others_asks_three_times_and_once_a_page(app, asked, others):
    clients = [browser(app) for _ in range(others + 1)]
    for client in clients:
        await client.post("/login/77")
    assert await asked(clients[0].post("/end-others")) <= 4
    assert (await clients[0].get("/who")).json() == [77, "valid"]
    assert (await clients[1].get("/who")).json() == [None, "revoked"]


async def test_a_list_asks_for_a_page_at_a_time(app, asked):
    clients = [browser(app) for _ in range(5)]
    for client in clients:
        await client.post("/login/99")
    assert await asked(clients[0].get("/sessions")) <= 3


async def test_scripts_are_sent_by_their_digests(app, redis_server, network):
    with redis.Redis(port=redis_server.port) as client:
        client.config_resetstat()
        visitor = browser(app)
        await visitor.post("/login/42")
        await visitor.post("/cart/tea")
        await visitor.post("/logout")
        commands = client.info("commandstats")
    assert "cmdstat_evalsha" in commands
    assert "cmdstat_eval" not in commands
