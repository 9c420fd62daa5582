"""Requests that go on after the proof is over: `recheck` and `closing_when_over` let them, until the session ends."""

import asyncio
from contextlib import suppress

import pytest
from fastapi import WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastsession import closing_when_over, recheck
from tests.device_binding.bank import LIFETIME, bank
from tests.device_binding.modelled_browser import Browser
from tests.shop import IDLE, Current

CHAT = "wss://testserver/chat"
OVER = 4401
MOST_SECONDS = 15


@pytest.fixture
def app(mode, clock, events):
    app = bank(mode, clock=clock, on_event=events.append)

    @app.websocket("/chat")
    async def chat(socket: WebSocket, session: Current):
        assert session.info is not None
        await socket.accept()
        with suppress(WebSocketDisconnect):
            async with asyncio.timeout(MOST_SECONDS), closing_when_over(socket):
                while True:
                    text = await socket.receive_text()
                    await socket.send_text(f"{text} {await recheck(socket)}")

    return app


@pytest.fixture
def serving(app):
    with TestClient(app, base_url="https://testserver") as client:
        yield client


def connect(serving, browser):
    """A socket with the cookies that the browser has now."""
    return serving.websocket_connect(CHAT, headers={"cookie": browser.cookie_header()})


def close_code(socket):
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    return closed.value.code


def test_a_socket_outlives_its_proof(serving, user, clock):
    with connect(serving, user) as socket:
        clock.advance(LIFETIME)
        socket.send_text("hello")
        assert socket.receive_text() == "hello valid"


def test_and_it_ends_with_the_session(serving, user, clock):
    with connect(serving, user) as socket:
        clock.advance(IDLE)
        assert close_code(socket) == OVER


def test_a_handshake_without_a_proof_is_closed_at_once(serving, user, clock):
    clock.advance(LIFETIME)
    with connect(serving, user) as socket:
        assert close_code(socket) == OVER


def test_a_socket_from_before_the_registration_stays_open(serving, offered):
    """With revocations, copies of the cookies from then are denied; the browser's own socket is no copy."""
    with connect(serving, offered) as socket:
        offered.register()
        assert offered.is_bound
        socket.send_text("hello")
        assert socket.receive_text() == "hello valid"


@pytest.mark.parametrize("mode", ["revocations", "store"], indirect=True)
def test_a_socket_of_a_bound_session_is_closed_when_it_is_ended(serving, app, user, clock):
    other = Browser(app, clock)
    other.post("/login")
    clock.advance(1)
    with connect(serving, user) as socket:
        other.post("/end-all")
        assert close_code(socket) == OVER
