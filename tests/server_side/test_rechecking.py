"""`recheck` and `closing_when_over`: a session that ends while its request goes on."""

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from fastapi import Depends, Request, WebSocket
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect, WebSocketState

from fastsession import (
    ConfigurationError,
    Session,
    SessionMiddleware,
    StoreUnavailableError,
    closing_when_over,
    recheck,
    session_of,
)
from fastsession.formats import Migration
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.formats.vector import vector
from tests.server_side.site import Home, router
from tests.shop import ABSOLUTE, IDLE, SECRET, Current, ShopSession, browser, shop

MODES = ["cookies", "revocations", "store", "both"]
CHAT = "wss://testserver/chat"
OVER = 4401
# A socket that is not closed fails its test after this long, and holds nobody up.
MOST_SECONDS = 15

everywhere = pytest.mark.parametrize("mode", MODES)
server_side = pytest.mark.parametrize("mode", MODES[1:])


def options(mode, clock):
    return {"clock": clock} if mode == "cookies" else Home("memory", {}, clock).options(mode)


class Site:
    """A shop with a chat, and what its handlers saw."""

    def __init__(self, **given):
        self.app = shop(**given)
        self.app.include_router(router)
        self.ended = []
        self.left_over = None
        self.app.websocket("/chat")(self.chat)
        self.app.get("/stream")(self.stream)

    async def chat(self, socket: WebSocket, session: Current):
        if socket.query_params.get("login"):
            session.regenerate()
            session.user_id = 42
        await socket.accept()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                async with closing_when_over(socket):
                    while (text := await socket.receive_text()) not in ("leave", "close"):
                        await self.answer(socket, text)
                    if text == "close":
                        await socket.close(4000)
                self.ended.append("after the block")
                if socket.application_state is WebSocketState.CONNECTED:
                    await socket.send_text("left")
        except WebSocketDisconnect:
            self.ended.append("the client has left")
        finally:
            self.left_over = [task for task in asyncio.all_tasks() if "_Watch" in repr(task)]

    async def answer(self, socket, text):
        if text == "fail":
            raise ZeroDivisionError
        if text == "push":
            while True:
                await socket.send_text("news")
                await asyncio.sleep(0.01)
        else:
            await socket.send_text(f"{text} {await recheck(socket)}")

    async def stream(self, session: Current):
        assert session.info is not None
        return StreamingResponse(iter(()))


@pytest.fixture
def site(mode, clock):
    return Site(**options(mode, clock))


@pytest.fixture
def client(site):
    with browser(site.app) as client:
        client.post("/login/42")
        yield client


def other_browser(site, user_id):
    other = browser(site.app)
    other.post(f"/login/{user_id}")
    return other


def close_code(socket):
    """The code with which the socket is closed, whatever is sent before."""
    while (message := socket.receive())["type"] != "websocket.close":
        assert message["type"] == "websocket.send"
    return message["code"]


@everywhere
def test_a_socket_stays_open_while_its_session_is_good(site, client):
    with client.websocket_connect(CHAT) as socket:
        for _ in range(2):
            socket.send_text("hello")
            assert socket.receive_text() == "hello valid"
        socket.send_text("leave")
        assert socket.receive_text() == "left"
    assert site.left_over == []


@everywhere
@pytest.mark.parametrize(("seconds", "refreshed"), [(IDLE, False), (ABSOLUTE, True)], ids=["idle", "absolute"])
def test_a_socket_is_closed_when_a_timeout_passes(site, client, clock, seconds, refreshed):
    if refreshed:
        for _ in range(2 * ABSOLUTE // IDLE - 1):
            clock.advance(IDLE // 2)
            client.get("/public")
    with client.websocket_connect(CHAT) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello valid"
        clock.advance(IDLE // 2 if refreshed else seconds)
        assert close_code(socket) == OVER
    assert site.ended == ["after the block"]
    assert site.left_over == []


@server_side
@pytest.mark.parametrize("path", ["/logout", "/end-all", "/login/42"])
def test_a_socket_is_closed_when_another_tab_ends_its_session(site, client, path):
    with client.websocket_connect(CHAT) as socket:
        client.post(path)
        assert close_code(socket) == OVER
    assert site.left_over == []


@server_side
@pytest.mark.parametrize("path", ["/end-others", "/end-all?subject=user-42"])
def test_a_socket_is_closed_from_another_device_and_a_strangers_is_not(site, client, path):
    laptop, stranger = other_browser(site, 42), other_browser(site, 7)
    with client.websocket_connect(CHAT) as socket, stranger.websocket_connect(CHAT) as their_socket:
        laptop.post(path)
        assert close_code(socket) == OVER
        their_socket.send_text("still")
        assert their_socket.receive_text() == "still valid"


@pytest.mark.parametrize("mode", ["revocations", "both"])
def test_a_socket_is_closed_by_the_cut_off_for_all(site, client, clock):
    revocations = site.app.user_middleware[0].kwargs["revocations"]
    with client.websocket_connect(CHAT) as socket:
        client.portal.call(lambda: revocations.deny_all(before=int(clock()) + 1))
        assert close_code(socket) == OVER


@server_side
def test_a_handler_that_only_sends_is_stopped_too(site, client):
    with client.websocket_connect(CHAT) as socket:
        socket.send_text("push")
        client.post("/logout")
        assert close_code(socket) == OVER
    assert site.ended == ["after the block"]


@pytest.mark.parametrize("mode", ["store", "both"])
def test_with_a_store_the_idle_deadline_is_the_one_that_other_tabs_have_moved(site, client, clock):
    with client.websocket_connect(CHAT) as socket:
        clock.advance(IDLE - 1)
        client.get("/public")
        clock.advance(IDLE - 1)
        for _ in range(2):
            socket.send_text("hello")
            assert socket.receive_text() == "hello valid"
        clock.advance(1)
        assert close_code(socket) == OVER


@everywhere
def test_a_session_that_begins_with_the_handshake_is_the_one_that_counts(site, clock):
    with browser(site.app) as visitor, visitor.websocket_connect(CHAT + "?login=1") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello valid"
        clock.advance(IDLE)
        assert close_code(socket) == OVER


@server_side
def test_a_handshake_that_regenerates_the_session_does_not_close_its_own_socket(site, client):
    with client.websocket_connect(CHAT + "?login=1") as socket:
        for _ in range(2):
            socket.send_text("hello")
            assert socket.receive_text() == "hello valid"


@everywhere
def test_without_a_cookie_there_is_no_session_that_could_be_over(site, clock):
    with browser(site.app) as visitor, visitor.websocket_connect(CHAT) as socket:
        clock.advance(timedelta(days=3))
        socket.send_text("hello")
        assert socket.receive_text() == "hello absent"


@everywhere
def test_a_cookie_that_is_over_closes_the_socket_at_once(site, client, clock):
    clock.advance(IDLE)
    with client.websocket_connect(CHAT) as socket:
        assert close_code(socket) == OVER


@everywhere
def test_an_exception_of_the_block_passes_through(site, client):
    def visit():
        with client.websocket_connect(CHAT) as socket:
            socket.send_text("fail")
            close_code(socket)

    with pytest.raises(ZeroDivisionError):
        visit()
    assert site.left_over == []


@everywhere
def test_a_socket_that_the_application_closes_is_not_closed_again(site, client):
    with client.websocket_connect(CHAT) as socket:
        socket.send_text("close")
        assert close_code(socket) == 4000
    assert site.left_over == []


@pytest.mark.parametrize("mode", ["revocations"])
@pytest.mark.parametrize("code", [4401, 4999, 3000, 1008])
def test_the_close_code_can_be_chosen(site, client, code):
    @site.app.websocket("/coded")
    async def coded(socket: WebSocket):
        await socket.accept()
        async with closing_when_over(socket, code):
            await socket.receive_text()

    with client.websocket_connect("wss://testserver/coded") as socket:
        client.post("/logout")
        assert close_code(socket) == code


@pytest.mark.parametrize("mode", ["cookies"])
@pytest.mark.parametrize(
    ("accept", "code", "advice"),
    [(False, 4401, "before `async with"), (True, 5000, "3000 to 4999"), (True, 1006, "1000")],
)
def test_a_mistake_is_a_configuration_error(site, client, accept, code, advice):
    @site.app.websocket("/mistaken")
    async def mistaken(socket: WebSocket):
        if accept:
            await socket.accept()
        with pytest.raises(ConfigurationError, match=advice):
            async with closing_when_over(socket, code):
                pass
        await socket.close()

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/mistaken") as socket:
        socket.receive_text()


@pytest.mark.parametrize("mode", ["cookies"])
def test_a_request_in_place_of_a_socket_is_a_configuration_error(site, client):
    @site.app.get("/mistaken")
    async def mistaken(request: Request):
        async with closing_when_over(request):
            pass

    with pytest.raises(ConfigurationError, match=r"recheck\(request\)"):
        client.get("/mistaken")


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["cookies"])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_cancellation_from_outside_is_not_swallowed(site, client, cancelled):
    """A handler called as a server does it, whose socket is over or not when the server gives up."""
    received, sent, accepted = asyncio.Queue(), [], asyncio.Event()
    cookie = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
    scope = {
        "type": "websocket",
        "path": "/chat",
        "headers": [(b"cookie", cookie.encode())],
        "query_string": b"",
        "client": None,
        "scheme": "wss",
        "subprotocols": [],
    }

    async def send(message):
        sent.append(message["type"])
        accepted.set()

    await received.put({"type": "websocket.connect"})
    before = asyncio.all_tasks()
    running = asyncio.create_task(site.app(scope, received.get, send))
    await accepted.wait()
    if cancelled:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert site.ended == []
    else:
        await received.put({"type": "websocket.disconnect", "code": 1001})
        await running
        assert site.ended == ["the client has left"]
    assert sent == ["websocket.accept"]
    assert asyncio.all_tasks() == before


class Away:
    """A store and revocations that stop answering."""

    away = False


def gone(home):
    class Store(MemoryStore):
        async def read(self, key):
            if home.away:
                raise StoreUnavailableError("away")
            return await super().read(key)

    class Revocations(MemoryRevocations):
        def denied(self, session, owner, created_at):
            if home.away:
                raise StoreUnavailableError("away")
            return super().denied(session, owner, created_at)

    return Store, Revocations


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
def test_a_socket_survives_a_short_outage_of_the_store(clock, outage):
    home = Away()
    store, _ = gone(home)
    site = Site(clock=clock, store=store(clock=clock), store_outage=outage)
    with browser(site.app) as client:
        client.post("/login/42")
        with client.websocket_connect(CHAT) as socket:
            home.away = True
            client.portal.call(asyncio.sleep, 1)
            home.away = False
            socket.send_text("hello")
            assert socket.receive_text() == "hello valid"


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
def test_a_socket_is_closed_when_nobody_knows_any_more_who_is_revoked(clock, outage):
    home = Away()
    _, revocations = gone(home)
    site = Site(clock=clock, revocations=revocations(clock=clock), store_outage=outage)
    with browser(site.app) as client:
        client.post("/login/42")
        with client.websocket_connect(CHAT) as socket:
            home.away = True
            assert close_code(socket) == 1013


def statuses(site, client, then):
    """How a streaming response's session stands, before and after something happened."""
    seen = []

    @site.app.get("/events")
    async def events(request: Request, session: Current):
        if request.query_params.get("login"):
            session.regenerate()
            session.user_id = 42
        if request.query_params.get("logout"):
            session.destroy()

        async def lines():
            seen.append(await recheck(request))
            await then()
            seen.append(await recheck(request))
            yield b""

        return StreamingResponse(lines())

    return seen


@server_side
def test_a_stream_learns_that_its_session_was_ended(site, client, clock):
    async def end_elsewhere():
        await asyncio.to_thread(other_browser(site, 42).post, "/end-all")

    seen = statuses(site, client, end_elsewhere)
    client.get("/events")
    assert seen == ["valid", "revoked"]


@everywhere
def test_a_stream_learns_that_its_session_has_timed_out(site, client, clock):
    async def advance():
        clock.advance(IDLE)

    seen = statuses(site, client, advance)
    client.get("/events")
    assert seen == ["valid", "expired_idle"]


@everywhere
def test_a_response_that_ended_its_own_session_has_none(site, client):
    seen = statuses(site, client, lambda: asyncio.sleep(0))
    client.get("/events?logout=1")
    assert seen == ["revoked", "revoked"]


@everywhere
def test_a_response_that_began_a_session_has_it(site):
    with browser(site.app) as visitor:
        seen = statuses(site, visitor, lambda: asyncio.sleep(0))
        visitor.get("/events?login=1")
        visitor.get("/events")
    assert seen == ["valid"] * 4


@everywhere
def test_a_cookie_that_was_rejected_stays_so(site, client, clock):
    clock.advance(IDLE)
    seen = statuses(site, client, lambda: asyncio.sleep(0))
    client.get("/events")
    assert seen == ["expired_idle"] * 2


def test_among_several_middlewares_the_model_chooses(clock):
    class Other(Session):
        pass

    site = Site(clock=clock)
    site.app.add_middleware(SessionMiddleware, model=Other, session_cookie="other", secret_key=SECRET)
    seen = []

    @site.app.get("/both")
    async def both(request: Request):
        seen.extend(
            [await recheck(request), await recheck(request, model=Other), await recheck(request, model=ShopSession)]
        )

    @site.app.post("/shop-login")
    async def shop_login(session: Annotated[ShopSession, Depends(session_of(ShopSession))]):
        session.user_id = 42

    with browser(site.app) as visitor:
        visitor.post("/shop-login")
        visitor.get("/both")
    assert seen == ["valid", "absent", "valid"]


@pytest.mark.parametrize("given", [{}, {"revocations": MemoryRevocations()}, {"store": MemoryStore()}])
def test_a_session_of_another_system_is_valid_before_it_has_been_taken_over(clock, given):
    old = vector("starlette/A01")
    clock.now = old.now
    migration = Migration(old.reader(), accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    app = shop(migrate_from=[migration], clock=clock, **given)

    @app.get("/asked-early")
    async def asked_early(request: Request, session: Current) -> list[object]:
        return [await recheck(request), session.user_id]

    with browser(app) as client:
        client.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in old.cookies.items())
        assert client.get("/asked-early").json() == ["valid", 42]


@pytest.mark.parametrize("first", ["application", "client"])
def test_a_socket_that_either_side_has_closed_is_left_alone(clock, first):
    """The handler goes on after that, and is ended with its session."""
    app, sent, ended = shop(clock=clock), [], threading.Event()

    @app.websocket("/closing")
    async def closing(socket: WebSocket):
        await socket.accept()
        async with closing_when_over(socket):
            if first == "application":
                await socket.close(4000)
            else:
                with suppress(WebSocketDisconnect):
                    await socket.receive_text()
            clock.advance(IDLE)
            await asyncio.sleep(MOST_SECONDS)
            sent.append("too late")

    async def noting(scope, receive, send):
        async def note(message):
            if scope["type"] == "websocket":
                sent.append(message["type"])
            await send(message)

        await app(scope, receive, note)
        if scope["type"] == "websocket":
            ended.set()

    with browser(noting) as client:
        client.post("/cart/tea")
        with client.websocket_connect("wss://testserver/closing") as socket:
            if first == "client":
                socket.close(1001)
            else:
                assert close_code(socket) == 4000
            assert ended.wait(MOST_SECONDS)
    assert sent == (["websocket.accept", "websocket.close"] if first == "application" else ["websocket.accept"])
