"""A test client is signed in by one line, wherever sessions are kept, in an event loop or outside of one."""

import asyncio
import time
from types import SimpleNamespace

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from fastsession import ConfigurationError, SignedIn, StoreUnavailableError
from fastsession.formats import AuthjsSession
from fastsession.stores import MemoryRevocations, MemoryStore, SQLiteRevocations, SQLiteStore
from fastsession.testing import (
    extras_of,
    opened_session,
    opened_session_async,
    sealed_cookies,
    set_session,
    set_session_async,
)
from tests.front_ends import AUTH_SECRET, AUTHJS_COOKIE, authjs_cookie
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


def tenant(connection):
    return connection.headers["x-tenant"].encode()


def host(connection):
    return connection.url.netloc.encode()


BOUND = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}


@pytest.fixture(params=BOUND)
def bound_to(request):
    """A shop whose sessions are bound, and where they are kept."""
    options = BOUND[request.param]()
    return lambda binding: shop(binding=binding, **options)


def test_a_session_of_a_test_is_bound_as_the_clients_requests_are(bound_to):
    app = bound_to(tenant)
    client = browser(app)
    client.headers["X-Tenant"] = "red"
    set_session(app, client, ShopSession(user_id=1, cart=["tea"]))
    assert client.get("/cart").json() == ["tea"]
    assert opened_session(app, client).cart == ["tea"]
    assert opened_session(app, client.post("/cart/milk")).cart == ["tea", "milk"]
    client.headers["X-Tenant"] = "blue"
    assert client.get("/cart").json() == []
    assert opened_session(app, client).info.status == "binding"


def test_a_binding_sees_the_clients_address(bound_to):
    app = bound_to(host)
    client = browser(app)
    set_session(app, client, ShopSession(cart=["tea"]))
    assert client.get("/cart").json() == ["tea"]


def test_an_asynchronous_test_binds_its_session_too(bound_to):
    app = bound_to(tenant)

    async def sign_in():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers={"x-tenant": "red"}) as client:
            await set_session_async(app, client, ShopSession(cart=["tea"]))
            assert (await client.get("/cart")).json() == ["tea"]
            assert (await opened_session_async(app, client)).cart == ["tea"]

    asyncio.run(sign_in())


def test_what_a_binding_returns_can_be_given(bound_to):
    app = bound_to(lambda connection: connection.scope["extensions"]["tls"]["client"])
    client = browser(app)
    with pytest.raises(KeyError) as raised:
        set_session(app, client, ShopSession())
    assert "binding=b'...'" in raised.value.__notes__[0]
    set_session(app, client, ShopSession(cart=["tea"]), binding=b"thumbprint")
    assert opened_session(app, client, binding=b"thumbprint").cart == ["tea"]
    assert opened_session(app, client, binding=b"another").info.status == "binding"


def test_cookies_without_a_client_need_what_the_binding_returns(bound_to):
    app = bound_to(tenant)
    with pytest.raises(ConfigurationError, match=r"binding=b'...'"):
        sealed_cookies(app, ShopSession())
    cookies = sealed_cookies(app, ShopSession(cart=["tea"]), binding=b"red")
    client = TestClient(app, base_url=HOST, cookies=cookies, headers={"x-tenant": "red"})
    assert client.get("/cart").json() == ["tea"]
    with pytest.raises(ConfigurationError, match=r"binding=b'...'"):
        opened_session(app, SimpleNamespace(cookies=cookies))


@pytest.mark.parametrize("kept", BOUND)
def test_a_binding_that_the_app_does_not_have_is_refused(kept):
    app = shop(**BOUND[kept]())
    with pytest.raises(ConfigurationError, match="has no binding="):
        sealed_cookies(app, ShopSession(), binding=b"red")


@pytest.mark.parametrize("kept", BOUND)
def test_a_session_is_bound_to_who_is_signed_in_at_the_front_end(kept):
    app = shop(binding=SignedIn(AuthjsSession(secret=AUTH_SECRET)), **BOUND[kept]())
    client = browser(app)
    now = int(time.time())
    client.cookies.set(AUTHJS_COOKIE, authjs_cookie("ada", at=now), domain="testserver.local")
    set_session(app, client, ShopSession(cart=["tea"]))
    assert client.get("/cart").json() == ["tea"]
    assert opened_session(app, client).cart == ["tea"]
    client.cookies.delete(AUTHJS_COOKIE)
    assert client.get("/cart").json() == []


@pytest.mark.parametrize("kept", BOUND)
def test_a_session_is_remembered_from_the_start_as_the_apps_are(kept):
    app = shop(remember=True, **BOUND[kept]())
    client = browser(app)
    set_session(app, client, ShopSession(user_id=1))
    assert opened_session(app, client).info.remembered
    declined = ShopSession(user_id=1)
    declined.remember(False)
    set_session(app, client, declined)
    assert not opened_session(app, client).info.remembered
