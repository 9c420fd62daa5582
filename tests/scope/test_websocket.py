from typing import Annotated

import pytest
from fastapi import Depends, WebSocket
from starlette.responses import PlainTextResponse
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from fastsession import LateSessionChangeError, require
from fastsession.testing import opened_session, sealed_cookies
from tests.shop import CLEARED, COOKIE, IDLE, Current, ShopSession, browser, shop

SIGNED_IN = require(lambda session: session.user_id is not None)
LIVE = "wss://testserver/live"


@pytest.fixture
def app(clock, events):
    app = shop(clock=clock, on_event=events.append)

    @app.websocket("/live")
    async def live(socket: WebSocket, session: Current) -> None:
        order = socket.query_params.get("do")
        if order == "add":
            session.cart.append("before accept")
        elif order == "destroy":
            session.destroy()
        elif order == "deny":
            session.cart.append("before denial")
            await socket.send_denial_response(PlainTextResponse("no", status_code=403))
            return
        elif order == "deny-500":
            session.cart.append("before denial")
            await socket.send_denial_response(PlainTextResponse("no", status_code=500))
            return
        await socket.accept()
        if order == "late":
            session.cart.append("after accept")
            with pytest.raises(LateSessionChangeError):
                session.destroy()
        await socket.send_json(session.cart)
        await socket.close()

    return app


def accepted_cookies(socket):
    return [value.decode() for name, value in socket.extra_headers if name == b"set-cookie"]


@pytest.fixture
def client(app, clock):
    return browser(app)


def test_the_session_is_readable_before_the_socket_is_accepted(app, client):
    client.post("/cart/tea")
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_json() == ["tea"]
        assert accepted_cookies(socket) == []


def test_a_change_before_accept_travels_in_its_headers(app, client):
    with client.websocket_connect(f"{LIVE}?do=add") as socket:
        [cookie] = accepted_cookies(socket)
    client.headers["cookie"] = cookie.partition(";")[0]
    assert client.get("/cart").json() == ["before accept"]


def test_a_session_destroyed_before_accept_is_cleared_by_its_headers(client):
    client.post("/cart/tea")
    with client.websocket_connect(f"{LIVE}?do=destroy") as socket:
        assert accepted_cookies(socket) == [CLEARED]


def test_a_due_session_is_renewed_by_accept(client, clock):
    client.post("/cart/tea")
    clock.advance(IDLE // 4)
    with client.websocket_connect(LIVE) as socket:
        assert len(accepted_cookies(socket)) == 1


def test_a_change_after_accept_is_a_late_change(client, events):
    with client.websocket_connect(f"{LIVE}?do=late") as socket:
        assert socket.receive_json() == ["after accept"]
        assert accepted_cookies(socket) == []
        assert socket.receive() == {"type": "websocket.close", "code": 1000, "reason": ""}
    assert [(event.kind, event.method, event.path, event.detail) for event in events] == [
        ("late_change", "WEBSOCKET", "/live", "fields: cart")
    ]


@pytest.mark.parametrize(("order", "cookies"), [("deny", 1), ("deny-500", 0)])
def test_a_denial_is_a_response_and_decides_as_one(client, order, cookies):
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(f"{LIVE}?do={order}"):
        pass
    assert len(denied.value.headers.get_list("set-cookie")) == cookies


def test_a_change_before_a_refusal_without_headers_is_a_late_change(app, client, events):
    @app.websocket("/closed")
    async def closed(socket: WebSocket, session: Current) -> None:
        session.cart.append("lost")
        await socket.close()

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/closed"):
        pass
    assert [(event.kind, event.detail) for event in events] == [("late_change", "no response was sent")]


def test_accept_keeps_the_headers_of_the_application(app, client):
    @app.websocket("/headers")
    async def headers(socket: WebSocket, session: Current) -> None:
        session.cart.append("tea")
        await socket.accept(headers=[(b"x-shop", b"open")])
        await socket.close()

    with client.websocket_connect("wss://testserver/headers") as socket:
        names = [name for name, _ in socket.extra_headers]
    assert {b"x-shop", b"set-cookie", b"vary", b"cache-control"} <= set(names)


def test_request_session_works_on_a_socket(app, client):
    @app.websocket("/dict")
    async def as_dict(socket: WebSocket) -> None:
        socket.session["seen"] = True
        await socket.accept()
        await socket.close()

    with client.websocket_connect("wss://testserver/dict") as socket:
        [cookie] = accepted_cookies(socket)
    client.headers["cookie"] = cookie.partition(";")[0]
    assert client.get("/view").json() == {"seen": True}


def test_require_turns_a_visitor_away_before_accept(app, client):
    @app.websocket("/private")
    async def private(socket: WebSocket, session: Annotated[ShopSession, Depends(SIGNED_IN)]) -> None:
        await socket.accept()
        await socket.send_json(session.user_id)
        await socket.close()

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/private"):
        pass
    client.cookies.update(sealed_cookies(app, ShopSession(user_id=7)))
    with client.websocket_connect("wss://testserver/private") as socket:
        assert socket.receive_json() == 7


def test_a_rejected_cookie_is_one_event_on_a_socket_too(app, events):
    client = browser(app)
    client.headers["cookie"] = f"{COOKIE}=garbage"
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_json() == []
        assert accepted_cookies(socket) == []
    assert [(event.kind, event.status) for event in events] == [("rejected", "malformed")]
    assert opened_session(app, client).cart == []
