"""Sessions that the real packages have just written, brought to an app that migrates from them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, session
from litestar import Litestar, Request, post
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.testing import TestClient as LitestarClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fastsession.formats import (
    ClientSessions,
    CookieSession,
    ExpressSession,
    FastifySecureSession,
    FlaskSession,
    Iron,
    IronSession,
    LitestarSession,
    Migration,
    StarletteSession,
    Yar,
)
from tests.shop import COOKIE, browser, set_cookies, shop

SECRET, OLDER = "what the old system has kept secret", "and what it kept secret before that"
KEY = bytes(range(32))
DATA = {"user_id": 42, "cart": ["tea", "milk"], "theme": "dark", "seen": {"pages": [1, 2.5, None, True]}}


def raw(lines):
    """Names and values of Set-Cookie lines, as they stand there."""
    pairs = (line.partition(";")[0].partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def starlette_cookies(data):
    async def write(request):
        request.session.update(await request.json())
        return Response()

    old = Starlette(
        routes=[Route("/", write, methods=["POST"])],
        middleware=[Middleware(SessionMiddleware, secret_key=SECRET)],
    )
    return raw(TestClient(old).post("/", json=data).headers.get_list("set-cookie"))


def flask_cookies(data):
    old = Flask(__name__)
    old.secret_key = SECRET
    old.add_url_rule("/", view_func=lambda: session.update(data) or "")
    return raw(old.test_client().get("/").headers.getlist("Set-Cookie"))


def litestar_cookies(data):
    @post("/", sync_to_thread=False)
    def write(request: Request) -> None:
        request.set_session(data)

    old = Litestar([write], middleware=[CookieBackendConfig(secret=KEY).middleware])
    with LitestarClient(old) as client:
        return raw(client.post("/").headers.get_list("set-cookie"))


@dataclass(frozen=True)
class NodePackage:
    """A package of tests/formats/peers, and its options there."""

    format: str
    options: dict[str, Any] = field(repr=False)


IRON_SESSION = {"cookieName": "app", "password": SECRET, "ttl": 3600}
SYSTEMS = {
    "StarletteSession": (starlette_cookies, StarletteSession(secret_key=SECRET)),
    "FlaskSession": (flask_cookies, FlaskSession(secret_key="its newest secret", fallbacks=[SECRET])),
    "LitestarSession": (litestar_cookies, LitestarSession(secret=KEY)),
    "IronSession": (
        NodePackage("iron-session", IRON_SESSION),
        IronSession(password=SECRET, cookie_name="app", ttl=3600),
    ),
    "IronSession, chunks": (
        NodePackage("iron-session", {**IRON_SESSION, "chunk": True}),
        IronSession(password=SECRET, cookie_name="app", ttl=3600),
    ),
    "Iron": (
        NodePackage("hapi-iron", {"cookieName": "app", "password": SECRET}),
        Iron(password=SECRET, cookie_name="app"),
    ),
    "Yar": (NodePackage("hapi-yar", {"cookieOptions": {"password": SECRET, "isSecure": False}}), Yar(password=SECRET)),
    "ClientSessions": (
        NodePackage("client-sessions", {"cookieName": "session_state", "secret": SECRET}),
        ClientSessions(secret=SECRET),
    ),
    "CookieSession": (
        NodePackage("cookie-session", {"name": "session", "keys": [OLDER]}),
        CookieSession(keys=[SECRET, OLDER]),
    ),
    "FastifySecureSession": (
        NodePackage("fastify-secure-session", {"key": [KEY.hex()]}),
        FastifySecureSession(key=KEY),
    ),
}
CHUNKED = {"IronSession, chunks", "LitestarSession"}


def moved_in(reader, cookies):
    """A browser with the old system's cookies, its first response from the new app, and the events."""
    events = []
    migration = Migration(reader, accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    client = browser(shop(migrate_from=[migration], on_event=events.append))
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return client, client.get("/view", headers={"cookie": header}), events


def written(system, data, peer):
    source, reader = SYSTEMS[system]
    if isinstance(source, NodePackage):
        return peer.seal(source.format, source.options, data)[0], reader
    return source(data), reader


def assert_moved(response, client, cookies, events, data):
    assert response.json() == data
    lines = set_cookies(response)
    assert {line.partition("=")[0] for line in lines if "Max-Age=0" in line} == set(cookies)
    assert {cookie.name.removesuffix(".1") for cookie in client.cookies.jar} == {COOKIE}
    assert [event.kind for event in events if event.kind != "near_limit"] == ["migrated"]
    assert client.get("/view").json() == data


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_session_moves_in_whole(system, peer):
    cookies, reader = written(system, DATA, peer)
    client, response, events = moved_in(reader, cookies)
    assert_moved(response, client, cookies, events, DATA)


@pytest.mark.parametrize("system", sorted(CHUNKED))
def test_a_session_in_chunks_moves_in_whole(system, peer):
    data = {**DATA, "note": "n" * 4000}
    cookies, reader = written(system, data, peer)
    assert len(cookies) > 1
    client, response, events = moved_in(reader, cookies)
    assert_moved(response, client, cookies, events, data)


def test_express_session_moves_in_from_a_store_that_is_a_dict(peer):
    cookies, store = peer.seal("express-session", {"secret": [OLDER]}, DATA)
    client, response, events = moved_in(ExpressSession(secret=[SECRET, OLDER], store=store), cookies)
    assert_moved(response, client, cookies, events, DATA)
    assert json.loads(next(iter(store.values())))["user_id"] == 42
