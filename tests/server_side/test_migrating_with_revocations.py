"""Sessions of a store that has to be awaited move into cookies, beside revocations."""

from datetime import UTC, datetime

import pytest

from fastsession import generate_key
from fastsession.formats import ExpressSession, Migration
from fastsession.stores import MemoryRevocations
from tests.server_side.site import router
from tests.server_side.test_migrating import express_cookie
from tests.shop import COOKIE, IDLE, START, browser, set_cookies, shop


class Express:
    """The store of the other system, which answers later; it counts how often it is asked."""

    asked = 0

    async def get(self, session_id, /):
        self.asked += 1
        return '{"cookie": {"expires": null}, "user_id": 7}'


@pytest.fixture
def express():
    return Express()


@pytest.fixture
def client(clock, express):
    secret = generate_key()
    until = datetime.fromtimestamp(START + IDLE, UTC)
    migration = Migration(ExpressSession(secret=secret, store=express), accept_until=until)
    app = shop(clock=clock, revocations=MemoryRevocations(clock=clock), migrate_from=[migration])
    app.include_router(router)
    client = browser(app)
    client.cookies.set("connect.sid", express_cookie("express-id", secret))
    return client


def test_a_session_that_has_moved_needs_the_old_store_no_more(client, express):
    for _ in range(2):
        assert client.get("/who").json() == [7, "valid"]
    assert express.asked == 1


def test_a_session_moves_with_a_response_that_did_not_look_at_it(client, express):
    written = set_cookies(client.get("/public"))
    assert {line.partition("=")[0] for line in written} == {COOKIE, "connect.sid"}
    assert client.get("/who").json() == [7, "valid"]
    assert express.asked == 1
