"""`store=OnDemand(...)`: the store is asked by those that look at the session, and by no others."""

import asyncio
import sys

import pytest
from fastapi import Request, WebSocket

from fastsession import (
    ConfigurationError,
    SessionMiddleware,
    StoreUnavailableError,
    closing_when_over,
    get_session,
    recheck,
)
from fastsession.session_status import session_status_router
from fastsession.stores import MemoryStore, OnDemand, SessionStore
from tests.inspector.local import PAGE, inspected_shop, local_browser, logger_kept, status
from tests.processes import PATIENCE
from tests.server_side.counting import Counting
from tests.server_side.site import browser, router, site
from tests.shop import IDLE, SECRET, Current, ShopSession, set_cookies, shop
from tests.shop import browser as socket_browser
from tests.wire import http_scope

pytestmark = pytest.mark.anyio
DUE = IDLE // 2


@pytest.fixture
def store(request, clock):
    return getattr(request, "param", Counting)(MemoryStore(clock=clock))


@pytest.fixture
async def app(store, clock):
    async with site(store=OnDemand(store), clock=clock) as app:
        yield app


def test_every_operation_is_the_stores_own():
    store = MemoryStore()
    operations = [name for name in vars(SessionStore) if not name.startswith("_")]
    assert len(operations) == 10
    assert all(getattr(OnDemand(store), name) == getattr(store, name) for name in operations)


async def test_a_request_that_does_not_look_does_not_ask(app, client, store):
    store.calls.clear()
    response = await client.get("/public")
    assert (response.status_code, set_cookies(response), store.names) == (200, [], [])


async def calls_of_an_untouched_request(**options):
    """The calls of Python and C functions that a request with a session makes when no one looks at it."""
    app = SessionMiddleware(answer, secret_key=SECRET, **options)
    sign_in = SessionMiddleware(write, secret_key=SECRET, **options)
    sent, count = [], 0

    async def send(message):
        sent.append(message)

    await sign_in(http_scope("/"), None, send)
    [cookie] = [value.partition(b";")[0] for name, value in sent[0]["headers"] if name == b"set-cookie"]
    for _ in range(2):
        # The first request of a process has more to do.
        scope, count = http_scope("/", headers=[(b"cookie", cookie)]), 0

        def hook(frame, event, argument):
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(hook)
        try:
            await app(scope, None, send)
        finally:
            sys.setprofile(None)
    return count


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def write(scope, receive, send):
    await get_session(Request(scope))
    scope["session"]["user_id"] = 42
    await answer(scope, receive, send)


async def test_a_request_that_does_not_look_is_hardly_more_work_than_without_a_store():
    stateless = await calls_of_an_untouched_request()
    assert await calls_of_an_untouched_request(store=OnDemand(MemoryStore())) <= 1.5 * stateless
    assert await calls_of_an_untouched_request(store=MemoryStore()) > 2 * stateless


async def test_a_request_that_does_not_look_needs_no_store(app, client, store):
    store.fail_on = "read"
    assert (await client.get("/public")).status_code == 200
    assert (await client.get("/who")).status_code == 503


async def test_everything_else_is_as_with_the_store_itself(app, client, store):
    await client.post("/cart/tea")
    await client.post("/note/3")
    assert (await client.get("/who")).json() == [42, "valid"]
    assert (await client.get("/cart")).json() == ["tea"]
    other = browser(app)
    await other.post("/login/42")
    assert len((await client.get("/sessions")).json()) == 2
    await client.post("/end-others")
    assert (await other.get("/who")).json() == [None, "revoked"]
    assert (await client.get("/cart")).json() == ["tea"]
    await client.post("/logout")
    assert (await client.get("/who")).json() == [None, "absent"]


async def test_a_due_session_is_renewed_though_no_one_looks(app, client, store, clock):
    await client.post("/cart/tea")
    clock.advance(DUE)
    store.calls.clear()
    assert set_cookies(await client.get("/public")) != []
    assert store.names == ["read", "replace"]
    clock.advance(IDLE - 1)
    assert (await client.get("/cart")).json() == ["tea"]


async def test_a_renewal_that_cannot_be_made_is_left_for_the_next_response(app, client, store, clock):
    await client.post("/cart/tea")
    clock.advance(DUE)
    store.fail_on = "read"
    response = await client.get("/public")
    assert (response.status_code, set_cookies(response)) == (200, [])
    store.fail_on = None
    assert set_cookies(await client.get("/public")) != []
    assert (await client.get("/cart")).json() == ["tea"]


async def test_an_ended_session_is_not_renewed(app, client, clock):
    other = browser(app, cookies=client.cookies)
    await client.post("/logout")
    clock.advance(DUE)
    assert set_cookies(await other.get("/public")) == []
    assert (await other.get("/who")).json() == [None, "revoked"]


class Distant(Counting):
    """A store that others run beside."""

    async def read(self, key):
        await asyncio.sleep(0)
        return await super().read(key)


@pytest.mark.parametrize("store", [Counting, Distant], indirect=True)
async def test_whoever_asks_at_the_same_time_asks_once(app, client, store):
    async def put(request, item):
        session = await get_session(request)
        session.cart.append(item)

    @app.post("/both")
    async def both(request: Request) -> None:
        await asyncio.gather(put(request, "tea"), put(request, "milk"))

    store.calls.clear()
    await client.post("/both")
    assert store.names == ["read", "replace"]
    assert (await client.get("/cart")).json() == ["tea", "milk"]


async def test_a_look_that_cannot_wait_says_what_to_write(app, client):
    with pytest.raises(ConfigurationError, match=r"await get_session\(request\)"):
        await client.get("/view")


async def test_a_sign_out_that_cannot_wait_says_so_too(app, client):
    @app.post("/clear")
    async def clear(request: Request) -> None:
        request.session.clear()

    @app.post("/replace")
    async def replace(request: Request) -> None:
        request.scope["session"] = {}

    for path in ("/clear", "/replace"):
        with pytest.raises(ConfigurationError, match=r"await get_session\(request\)"):
            await client.post(path)
    assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_look_that_cannot_wait_may_follow_one_that_does(app, client):
    @app.get("/after")
    async def after(request: Request, session: Current) -> int | None:
        return request.session["user_id"]

    assert (await client.get("/after")).json() == 42


async def test_a_route_that_goes_on_without_its_session_loses_nothing(app, client, store, clock):
    @app.post("/anyway")
    async def anyway(request: Request) -> str:
        try:
            session = await get_session(request)
        except StoreUnavailableError:
            return "without"
        session.note = "with"
        return "with"

    await client.post("/cart/tea")
    clock.advance(DUE)
    store.fail_on = "read"
    assert (await client.post("/anyway")).json() == "without"
    store.fail_on = None
    assert (await client.get("/cart")).json() == ["tea"]
    assert (await client.post("/anyway")).json() == "with"
    assert (await client.get("/cart")).json() == ["tea"]


async def test_an_outage_may_leave_those_that_look_without_a_session(store, clock):
    async with site(store=OnDemand(store), store_outage="anonymous", clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        store.fail_on = "read"
        assert (await client.get("/who")).json() == [None, "store_down"]
        store.fail_on = None
        assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_session_is_asked_for_again_though_no_one_has_looked(app, client):
    @app.get("/recheck")
    async def check(request: Request) -> str:
        return await recheck(request)

    other = browser(app, cookies=client.cookies)
    assert (await client.get("/recheck")).json() == "valid"
    await client.post("/logout")
    assert (await other.get("/recheck")).json() == "revoked"


def test_a_socket_is_closed_when_its_session_is_over_though_no_one_has_looked(store, clock):
    app = shop(store=OnDemand(store), clock=clock)
    app.include_router(router)

    @app.websocket("/chat")
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        async with closing_when_over(socket):
            async with asyncio.timeout(PATIENCE):
                await socket.receive_text()

    with socket_browser(app) as client:
        client.post("/login/42")
        with client.websocket_connect("wss://testserver/chat") as socket:
            client.post("/logout")
            assert socket.receive() == {"type": "websocket.close", "code": 4401, "reason": ""}


async def test_the_status_of_a_session_is_told(app, client):
    app.include_router(session_status_router(model=ShopSession))
    told = (await client.get("/session")).json()
    assert told["signed_in"] is True


def test_the_inspector_shows_a_session(store, clock):
    app = inspected_shop(store=OnDemand(store), clock=clock)
    with logger_kept(), local_browser(app) as client:
        client.post("/login")
        clock.advance(DUE)
        assert status(client.get(PAGE)) == "valid"
