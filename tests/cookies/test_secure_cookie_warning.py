"""What somebody meets in the first hour: a Secure cookie that a browser will not keep, and nothing else to trip over."""

import logging

import pytest
from fastapi import WebSocket

from tests.shop import COOKIE, browser, set_cookies, shop
from tests.wire import call, http_scope

WARNING = "A Secure session cookie was sent over plain http"


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    "host", ["shop.example", "10.0.0.7:8000", "192.168.1.5", "[2001:db8::1]:8000", "localhost.example"]
)
def test_a_secure_cookie_over_plain_http_to_another_host_is_warned_about(caplog, host):
    client = browser(shop(), base_url=f"http://{host}")
    assert len(set_cookies(client.post("/cart/tea"))) == 1
    [message] = warnings(caplog)
    assert message.startswith(WARNING)


def test_the_warning_names_every_cure(caplog):
    browser(shop(), base_url="http://shop.example").post("/cart/tea")
    [message] = warnings(caplog)
    for cure in ("TLS", "X-Forwarded-Proto", "--proxy-headers", "https_only=False", "https://testserver"):
        assert cure in message


def test_the_warning_comes_once(caplog):
    client = browser(shop(), base_url="http://shop.example")
    for _ in range(3):
        client.post("/cart/tea")
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "shop.localhost:8000"]
)
def test_loopback_needs_no_tls(caplog, host):
    browser(shop(), base_url=f"http://{host}").post("/cart/tea")
    assert warnings(caplog) == []


def test_tls_and_plain_cookies_and_requests_that_set_none_are_not_warned_about(caplog):
    browser(shop(), base_url="https://shop.example").post("/cart/tea")
    browser(shop(https_only=False), base_url="http://shop.example").post("/cart/tea")
    browser(shop(), base_url="http://shop.example").get("/cart")
    assert warnings(caplog) == []


def test_clearing_a_cookie_is_not_warned_about(caplog):
    caplog.set_level(logging.CRITICAL + 1, "fastsession")
    client = browser(shop(), base_url="http://shop.example")
    client.get("/cart", headers={"cookie": f"{COOKIE}=garbage"})
    assert warnings(caplog) == []


@pytest.mark.parametrize(("scheme", "warned"), [("ws", 1), ("wss", 0)])
def test_a_websocket_handshake_is_a_request_too(caplog, scheme, warned):
    app = shop()

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        socket.session["seen"] = True
        await socket.accept()
        await socket.close()

    with browser(app).websocket_connect(f"{scheme}://shop.example/live"):
        pass
    assert len(warnings(caplog)) == warned


@pytest.mark.parametrize("host", [b"", b"\xff", b"[", b":80", b"[::1", b"a" * 10_000])
def test_no_host_header_is_an_error(caplog, host):
    scope = http_scope("/cart/tea", method="POST", scheme="http")
    scope["headers"] = [(b"host", host)]
    assert call(shop(), scope)[0]["status"] == 200


def test_a_request_without_a_host_header_is_no_error():
    scope = http_scope("/cart/tea", method="POST", scheme="http")
    scope["headers"] = []
    assert call(shop(), scope)[0]["status"] == 200
