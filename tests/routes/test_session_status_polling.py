"""Polling leaves a session as it is, wherever it is kept; and no answer claims what a store did not do."""

from uuid import UUID, uuid4

from pydantic import Field

from fastsession import Session
from fastsession.formats import Migration
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock, sealed_cookies, set_session
from tests.formats.test_migrating import FOREVER, header
from tests.formats.vector import vector
from tests.server_side.counting import Counting
from tests.server_side.site import router as sign_in_router
from tests.shop import COOKIE, IDLE, MINUTE, OLD_SECRET, SECRET, ShopSession, set_cookies, shop
from tests.timed_shop import status, timed_shop, visitor


def test_polling_leaves_a_session_under_the_key_it_came_with(clock):
    client = visitor(timed_shop(clock=clock, secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET]), signed_in=False)
    client.cookies.update(sealed_cookies(shop(clock=clock, secret_key=OLD_SECRET), ShopSession(user_id=1)))
    assert set_cookies(client.get("/session")) == []
    assert status(client)["signed_in"] is True
    assert len(set_cookies(client.post("/session"))) == 1


def test_polling_leaves_a_session_of_another_system_where_it_is():
    old = vector("starlette/A01")
    migration = Migration(old.reader(), accept_until=FOREVER)
    client = visitor(timed_shop(clock=Clock(old.now), migrate_from=[migration]), signed_in=False)
    response = client.get("/session", headers=header(old.cookies))
    assert (response.json()["idle_left"], set_cookies(response)) == (IDLE, [])
    assert COOKIE in client.post("/session", headers=header(old.cookies)).headers["set-cookie"]


def test_polling_saves_no_model_that_the_code_of_today_writes_otherwise(clock):
    class Numbered(Session):
        ticket: UUID = Field(default_factory=uuid4)

    old = shop(clock=clock, model=Session)
    client = visitor(timed_shop(clock=clock, model=Numbered), signed_in=False)
    assert set_cookies(client.get("/session")) == []
    set_session(old, client, Session())
    response = client.get("/session")
    assert (response.json()["signed_in"], set_cookies(response)) == (True, [])


def test_a_session_that_was_revoked_with_all_of_its_user_is_over(clock):
    app = timed_shop(clock=clock, revocations=MemoryRevocations(clock=clock))
    app.include_router(sign_in_router)
    with visitor(app) as client, visitor(app) as other:
        other.post("/end-all")
        response = client.get("/session")
        assert (response.json()["signed_in"], set_cookies(response)) == (False, [])
        assert client.post("/session").status_code == 401


def failing_store(clock):
    store = Counting(MemoryStore(clock=clock))
    return store, timed_shop(clock=clock, store=store)


def test_polling_reads_a_store_and_writes_nothing(clock):
    store, app = failing_store(clock)
    with visitor(app) as client:
        del store.calls[:]
        clock.advance(IDLE - 1)
        status(client)
    assert store.names == ["read"]


def test_a_renewal_that_the_store_did_not_take_shows_in_the_next_status(clock):
    store, app = failing_store(clock)
    with visitor(app) as client:
        clock.advance(IDLE - MINUTE)
        store.fail_on = "replace"
        client.post("/session")
        assert status(client)["idle_left"] == MINUTE


def test_a_session_that_the_store_cannot_end_is_not_ended(clock):
    store, app = failing_store(clock)
    with visitor(app) as client:
        store.fail_on = "replace"
        response = client.delete("/session")
        assert (response.status_code, set_cookies(response)) == (503, [])
        assert status(client)["signed_in"] is True
