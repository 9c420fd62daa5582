"""A test client is signed in by one line, wherever sessions are kept, in an event loop or outside of one."""

import asyncio

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import MemoryRevocations, MemoryStore, SQLiteRevocations, SQLiteStore
from fastsession.testing import (
    extras_of,
    opened_session,
    opened_session_async,
    sealed_cookies,
    set_session,
    set_session_async,
)
from tests.shop import ShopSession, browser, shop

HOST = "https://testserver"
MODES = {
    "cookies": lambda _: {},
    "memory revocations": lambda _: {"revocations": MemoryRevocations()},
    "SQLite revocations": lambda folder: {"revocations": SQLiteRevocations(folder / "revocations.db")},
    "memory store": lambda _: {"store": MemoryStore()},
    "SQLite store": lambda folder: {"store": SQLiteStore(folder / "sessions.db")},
    "both": lambda folder: {
        "store": SQLiteStore(folder / "sessions.db"),
        "revocations": SQLiteRevocations(folder / "revocations.db"),
    },
    "anonymous": lambda folder: {
        "store": MemoryStore(),
        "revocations": SQLiteRevocations(folder / "revocations.db"),
        "store_outage": "anonymous",
    },
}


@pytest.fixture(params=MODES)
def app(request, tmp_path):
    app = shop(**MODES[request.param](tmp_path))

    @app.get("/theme")
    async def theme(request: Request) -> str:
        return request.session["theme"]

    @app.post("/theme/{name}")
    async def choose(name: str, request: Request) -> None:
        request.session["theme"] = name

    return app


@pytest.fixture
def client(app):
    with TestClient(app, base_url=HOST) as client:
        yield client


def test_a_client_is_signed_in_by_one_line(app, client):
    set_session(app, client, ShopSession(user_id=1, cart=["tea"]))
    assert client.get("/cart").json() == ["tea"]
    client.post("/cart/milk")
    assert opened_session(app, client) == ShopSession(user_id=1, cart=["tea", "milk"])


def test_it_can_be_signed_in_before_the_application_has_started(app):
    client = TestClient(app, base_url=HOST)
    set_session(app, client, ShopSession(user_id=1))
    with client:
        assert client.get("/view").json() == {"user_id": 1}


def test_it_is_signed_out_by_the_application(app, client):
    set_session(app, client, ShopSession(user_id=1))
    cookies = dict(client.cookies)
    client.post("/logout")
    assert opened_session(app, client) == ShopSession()
    assert client.get("/view").json() == {}
    assert cookies


def test_the_extras_are_set_and_seen(app, client):
    set_session(app, client, ShopSession(user_id=1), extras={"theme": "dark"})
    assert client.get("/theme").json() == "dark"
    client.post("/theme/light")
    assert extras_of(opened_session(app, client)) == {"theme": "light"}


def test_the_asynchronous_client_is_signed_in_by_one_line_too(app):
    async def visit():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            await set_session_async(app, client, ShopSession(user_id=1, cart=["tea"]), extras={"theme": "dark"})
            await client.post("/cart/milk")
            opened = await opened_session_async(app, client)
            return opened, extras_of(opened), (await client.get("/theme")).json()

    session = ShopSession(user_id=1, cart=["tea", "milk"])
    assert asyncio.run(visit()) == (session, {"theme": "dark"}, "dark")


def test_the_plain_line_works_inside_of_an_event_loop(app):
    async def visit():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            set_session(app, client, ShopSession(user_id=1))
            await client.post("/cart/milk")
            return opened_session(app, client)

    assert asyncio.run(visit()) == ShopSession(user_id=1, cart=["milk"])


def test_as_many_sessions_as_a_subject_may_have_are_kept():
    app = shop(store=MemoryStore(), max_sessions=1)
    first, second = browser(app), browser(app)
    for client in (first, second):
        set_session(app, client, ShopSession(user_id=1))
    assert opened_session(app, first).info.status == "revoked"
    assert opened_session(app, second).user_id == 1


class BoundToALoop(MemoryStore):
    """A store that works in one event loop only, as one with a client of the application's own."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    async def create(self, *args, **options):
        if asyncio.get_running_loop() is not self.loop:
            raise StoreUnavailableError("got Future attached to a different loop")
        await super().create(*args, **options)


def test_a_store_of_one_event_loop_is_reached_from_there():
    async def visit():
        app = shop(store=BoundToALoop(asyncio.get_running_loop()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
            with pytest.raises(StoreUnavailableError) as caught:
                set_session(app, client, ShopSession(user_id=1))
            await set_session_async(app, client, ShopSession(user_id=1))
            return caught.value.__notes__, (await client.get("/view")).json()

    notes, view = asyncio.run(visit())
    assert "await set_session_async(...)" in notes[0]
    assert view == {"user_id": 1}


def test_a_field_is_no_extra():
    with pytest.raises(ConfigurationError, match="'cart' is a field"):
        sealed_cookies(shop(), ShopSession(), extras={"cart": []})


def test_a_client_without_a_host_is_told_what_to_write():
    with pytest.raises(ConfigurationError, match='base_url="https://testserver"'):
        set_session(shop(), httpx.AsyncClient(), ShopSession())
