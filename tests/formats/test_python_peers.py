"""Starlette, Flask and Litestar seal, FastSession reads: 200 random sessions each, expired and tampered ones refused."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from litestar.middleware.session.client_side import ClientSideSessionBackend, CookieBackendConfig
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fastsession import SessionStatus
from fastsession.formats import FlaskSession, LitestarSession, StarletteSession
from tests.formats.random_json import sessions
from tests.formats.reception import status_of

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

SECRET, OLDER = "a secret of the other system", "the one that it had before"
KEY = bytes(range(32))
HOUR = 3600
ROUNDS = 200


def raw(set_cookie):
    name, _, value = set_cookie.partition(";")[0].removeprefix("Set-Cookie: ").partition("=")
    return name.strip(), value


class StarlettePeer:
    reader = StarletteSession(secret_key=SECRET, max_age=HOUR)

    def __init__(self):
        async def answer(request):
            if request.method == "POST":
                request.session.update(await request.json())
                return Response()
            return JSONResponse(request.session)

        app = Starlette(
            routes=[Route("/", answer, methods=["GET", "POST"])],
            middleware=[Middleware(SessionMiddleware, secret_key=SECRET, max_age=HOUR)],
        )
        self._client = TestClient(app)

    def seal(self, data):
        self._client.cookies.clear()
        return dict([raw(self._client.post("/", content=json.dumps(data)).headers["set-cookie"])])

    def open(self, cookies):
        self._client.cookies.clear()
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return self._client.get("/", headers={"cookie": header}).json() or None


class FlaskPeer:
    reader = FlaskSession(secret_key="its newest secret", fallbacks=[SECRET, OLDER], max_age=HOUR)

    def __init__(self):
        app = Flask(__name__)
        app.secret_key = SECRET
        self._serializer = SecureCookieSessionInterface().get_signing_serializer(app)

    def seal(self, data):
        return {"session": self._serializer.dumps(data)}

    def open(self, cookies):
        try:
            return self._serializer.loads(cookies["session"], max_age=HOUR)
        except BadSignature:
            return None


class LitestarPeer:
    reader = LitestarSession(secret=KEY)

    def __init__(self):
        self._backend = ClientSideSessionBackend(CookieBackendConfig(secret=KEY, max_age=HOUR))

    def seal(self, data):
        cookies = self._backend._create_session_cookies(self._backend.dump_data(data))
        return dict(raw(cookie.to_header()) for cookie in cookies)

    def open(self, cookies):
        try:
            return self._backend.load_data([value.strip('"').encode() for value in cookies.values()])
        except Exception:  # noqa: BLE001  (whatever it does with a broken cookie)
            return None


def without_lone_surrogates(value: Any) -> Any:
    """The value without what msgspec, which Litestar writes with, cannot encode."""
    if isinstance(value, str):
        return value.replace("\ud83c", "")
    if isinstance(value, list):
        return [without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_lone_surrogates(key): without_lone_surrogates(item) for key, item in value.items()}
    return value


PEERS = [StarlettePeer, FlaskPeer, LitestarPeer]
EVERY = pytest.mark.parametrize("make", PEERS, ids=lambda make: make.__name__)


@EVERY
def test_what_the_package_seals_is_read(make):
    peer = make()
    for data in sessions(make.__name__, ROUNDS):
        sealed = without_lone_surrogates(data) if make is LitestarPeer else data
        assert make.reader.read(peer.seal(sealed), now=time.time()).data == sealed


@EVERY
def test_a_tampered_cookie_is_refused_by_both(make):
    peer = make()
    cookies = peer.seal({"user_id": 42, "cart": ["apple", "pear"]})
    (value,) = cookies.values()
    changed = {"session": value[:20] + ("A" if value[20] != "A" else "B") + value[21:]}
    assert peer.open(cookies) == {"user_id": 42, "cart": ["apple", "pear"]}
    assert peer.open(changed) is None
    assert status_of(make.reader, changed, time.time()) is SessionStatus.FORGED


@EVERY
def test_what_the_package_seals_expires(make):
    cookies = make().seal({"user_id": 42})
    now = time.time()
    assert make.reader.read(cookies, now=now).expires_at == pytest.approx(now + HOUR, abs=2)
    assert status_of(make.reader, cookies, now + HOUR + 2) is SessionStatus.EXPIRED_ABSOLUTE


def test_flasks_types_come_back():
    moment = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
    uuid = UUID("12345678-1234-5678-1234-567812345678")
    data = {
        "pair": (1, ("a", [b"\x00\xff"])),
        "moment": moment,
        "id": uuid,
        "markup": Markup("<b>x</b>"),
        "looks tagged": {" t": [1, 2]},
        "looks escaped": {" t__": 1},
        "one": {"key": {" u": "no uuid"}},
    }
    session = FlaskPeer.reader.read(FlaskPeer().seal(data), now=time.time())
    assert session.data == data
    assert type(session.data["markup"]) is str


@pytest.mark.parametrize("size", [9_000, 20_000, 33_000])
def test_litestars_chunks_are_read_even_where_it_cannot_read_them(size):
    data = {"user_id": 42, "blob": "x" * size}
    cookies = LitestarPeer().seal(data)
    assert LitestarPeer.reader.read(cookies, now=time.time()).data == data
    backwards = dict(reversed(cookies.items()))
    assert LitestarPeer.reader.read(backwards, now=time.time()).data == data


def test_litestars_chunks_are_read_in_the_order_in_which_it_reads_them():
    texts = list(LitestarPeer().seal({"blob": "x" * 33_000}).values())
    assert len(texts) > 10
    names = sorted(f"session-{number}" for number in range(len(texts)))
    session = LitestarPeer.reader.read(dict(zip(names, texts, strict=True)), now=time.time())
    assert session.data == {"blob": "x" * 33_000}
