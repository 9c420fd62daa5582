"""One session on two servers: a Node server with the real package, a FastAPI app, and one cookie jar between them."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fastsession.formats import ClientSessions, Iron, IronSession, Yar
from tests.formats.live.servers import asgi_server, node_shop
from tests.shop import IDLE, shop

PASSWORD = "what both servers know, and nobody else does"


@dataclass(frozen=True)
class Pair:
    """One format's two ends."""

    package: str
    options: dict[str, Any]
    format: Any


HAPI_ALGORITHM = {"saltBits": 256, "iterations": 1, "minPasswordlength": 32}
PAIRS = [
    Pair(
        "iron-session",
        {"cookieName": "shop", "password": {"1": "before " + PASSWORD, "2": PASSWORD}, "ttl": IDLE},
        IronSession(password={1: "before " + PASSWORD, 2: PASSWORD}, cookie_name="shop", ttl=IDLE),
    ),
    Pair(
        "iron-session",
        {"cookieName": "shop", "password": PASSWORD, "ttl": IDLE, "chunk": True},
        IronSession(password=PASSWORD, cookie_name="shop", ttl=IDLE, chunk=True),
    ),
    Pair(
        "@hapi/iron",
        {"cookieName": "shop", "password": PASSWORD, "ttl": IDLE * 1000},
        Iron(password=PASSWORD, cookie_name="shop", ttl=IDLE),
    ),
    Pair(
        "@hapi/yar",
        {
            "name": "shop",
            "maxCookieSize": 3800,
            "cookieOptions": {
                "password": PASSWORD,
                "isSecure": False,
                # @hapi/iron's own defaults, but for the ttl.
                "iron": {
                    "encryption": {**HAPI_ALGORITHM, "algorithm": "aes-256-cbc"},
                    "integrity": {**HAPI_ALGORITHM, "algorithm": "sha256"},
                    "ttl": IDLE * 1000,
                    "timestampSkewSec": 60,
                    "localtimeOffsetMsec": 0,
                },
            },
        },
        Yar(password=PASSWORD, cookie_name="shop", ttl=IDLE),
    ),
    Pair(
        "client-sessions",
        {"cookieName": "shop", "secret": PASSWORD, "duration": IDLE * 1000, "activeDuration": 300_000},
        ClientSessions(secret=PASSWORD, cookie_name="shop", duration=IDLE, active_duration=300),
    ),
]


@contextmanager
def running(pair):
    """A browser, and the addresses of the FastAPI and the Node server."""
    app = shop(format=pair.format, https_only=False)
    with asgi_server(app) as python, node_shop(pair.package, pair.options) as node, httpx.Client() as browser:
        yield browser, python, node


@pytest.fixture(params=PAIRS, ids=lambda pair: pair.package)
def servers(request, peer):
    with running(request.param) as servers:
        yield servers


def test_both_servers_add_to_one_cart_and_logout_at_fastapi_ends_it_at_node(servers):
    browser, python, node = servers
    browser.post(f"{python}/login")
    browser.post(f"{python}/cart/tea")
    before = browser.get(f"{node}/session").json()
    assert browser.post(f"{node}/cart/milk").json()["cart"] == ["tea", "milk"]
    assert browser.post(f"{python}/cart/bread").json() == ["tea", "milk", "bread"]
    after = browser.get(f"{node}/session").json()
    assert (after["user_id"], after["cart"]) == (42, ["tea", "milk", "bread"])
    kept = ("id", "created_at", "authenticated_at")
    assert [after["_fastsession"][name] for name in kept] == [before["_fastsession"][name] for name in kept]
    browser.post(f"{python}/logout")
    assert list(browser.cookies.jar) == []
    assert browser.get(f"{node}/session").json() == {}


def test_a_session_that_node_began_is_known_at_fastapi_and_logout_at_node_ends_it(servers):
    browser, python, node = servers
    browser.post(f"{node}/cart/tea")
    assert browser.get(f"{python}/cart").json() == ["tea"]
    first, second = (browser.get(f"{python}/info").json() for _ in range(2))
    assert (first["id"], first["status"]) == (second["id"], "valid")
    assert browser.post(f"{node}/cart/milk").json()["cart"] == ["tea", "milk"]
    assert browser.get(f"{python}/info").json()["id"] == first["id"]
    browser.post(f"{node}/logout")
    assert browser.get(f"{python}/view").json() == {}
    assert not browser.get(f"{node}/session").json().get("cart")


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.options.get("chunk")], ids=lambda pair: pair.package)
def test_a_session_of_several_cookies_goes_both_ways_and_leaves_none_behind(pair, peer):
    with running(pair) as (browser, python, node):
        browser.post(f"{python}/note/6000")
        assert len(list(browser.cookies.jar)) > 1
        assert len(browser.post(f"{node}/cart/tea").json()["note"]) == 6000
        assert browser.get(f"{python}/cart").json() == ["tea"]
        browser.post(f"{python}/note/1")
        assert [cookie.name for cookie in browser.cookies.jar] == ["shop"]
        browser.post(f"{python}/note/6000")
        browser.post(f"{python}/logout")
        assert list(browser.cookies.jar) == []
