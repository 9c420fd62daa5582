"""A cookie of another system under our name: the event says that something else writes it, and by its look what."""

import base64
import hashlib
import hmac
import json
import uuid
from urllib.parse import quote

import itsdangerous
import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware as StarletteMiddleware
from starlette.responses import Response
from starlette.routing import Route

from fastsession.formats import Iron, IronSession
from fastsession.formats.contract import ForeignSession
from tests.shop import COOKIE, SECRET, browser, cookie_header, shop, shown

PASSWORD = "the forty lanterns of the harbour burn until the morning"
JOSE = b'{"alg":"HS256"}'
PRIVATE = {"user": "ada lovelace"}
BY_LOOK = "something else writes a cookie of this name, by its look "


def starlettes():
    async def sign_in(request):
        request.session.update(PRIVATE)
        return Response()

    app = Starlette(routes=[Route("/", sign_in)])
    app.add_middleware(StarletteMiddleware, secret_key=PASSWORD)
    client = browser(app)
    client.get("/")
    return client.cookies["session"]


def flasks(data):
    return itsdangerous.URLSafeTimedSerializer(PASSWORD, salt="cookie-session").dumps(data)


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def json_web_token():
    signed = f"{part(JOSE)}.{part(json.dumps(PRIVATE).encode())}"
    return f"{signed}.{part(hmac.digest(PASSWORD.encode(), signed.encode(), hashlib.sha256))}"


def sealed(format_):
    [value] = format_.write(ForeignSession(PRIVATE), now=0).values()
    return value


VALUES = {
    "Starlette": (starlettes, "Starlette's or Flask's signed session"),
    "Flask": (lambda: flasks(PRIVATE), "Starlette's or Flask's signed session"),
    "Flask, compressed": (lambda: flasks({"text": "a" * 500}), "Starlette's or Flask's signed session"),
    "JWT": (json_web_token, "a JSON Web Token"),
    "JWE": (lambda: f"{part(JOSE)}..{part(bytes(12))}.{part(bytes(9))}.{part(bytes(16))}", "an encrypted"),
    "JSON": (lambda: json.dumps(PRIVATE, separators=(",", ":")), "JSON"),
    "JSON, quoted": (lambda: quote(json.dumps(PRIVATE)), "JSON"),
    "JSON, Express": (lambda: f"j:{json.dumps(PRIVATE)}", "JSON"),
    "JSON, base64": (lambda: part(json.dumps(PRIVATE).encode()), "JSON"),
    "Express": (lambda: quote(f"s:{uuid.uuid4()}.{part(bytes(32))}"), "express-session's signed id"),
    "iron-session": (lambda: sealed(IronSession(password=PASSWORD, cookie_name="s")), "a seal of iron-session"),
    "iron": (lambda: sealed(Iron(password=PASSWORD, cookie_name="s")), "a seal of iron-session"),
    "Fernet": (lambda: Fernet(Fernet.generate_key()).encrypt(b"ada").decode(), "a Fernet token"),
    "Django": (lambda: f"eyJ1c2VyIjoxfQ:1tSlxm:{part(bytes(32))}", "Django's signed session"),
    "UUID": (lambda: str(uuid.uuid4()), "a UUID"),
    "PHP": (lambda: "q8k3tmu1r0v5h2p6c9d4j7b0n1", "none that is known here"),
    "Django, in a store": (lambda: "x" * 32, "none that is known here"),
    "empty": (lambda: "", "none that is known here"),
    "a number": (lambda: "1", "none that is known here"),
}


def detail_of(value, **options):
    events = []
    shown(shop(on_event=events.append, **options), f"{options.get('session_cookie', COOKIE)}={value}", "/info")
    [event] = events
    assert (event.kind, event.status) == ("rejected", "malformed")
    assert len(value) < 5 or value not in event.detail
    return event.detail


@pytest.mark.parametrize("writer", VALUES)
@pytest.mark.parametrize("options", [{}, {"session_cookie": "session", "https_only": False}], ids=["prefix", "bare"])
def test_the_detail_says_that_something_else_writes_this_name(writer, options):
    write, look = VALUES[writer]
    detail = detail_of(write(), **options)
    assert BY_LOOK + look in detail
    assert "ada" not in detail


def test_a_cookie_of_ours_that_was_cut_short_is_not_put_down_to_another_system(client):
    client.post("/cart/tea")
    value = cookie_header(client).partition("=")[2]
    for cut in (value[:20], value[:-1] + "~", "2.AAAAAAAA."):
        assert "something else" not in detail_of(cut)


def test_a_value_longer_than_any_token_is_told_by_its_length_alone(events):
    shown(shop(on_event=events.append), f"{COOKIE}={json.dumps({'text': 'a' * 12_988})}", "/info")
    assert [(event.status, event.detail) for event in events] == [("oversize", "13000 characters")]


def test_the_session_that_follows_has_the_name_to_itself(events):
    client = browser(shop(on_event=events.append))
    client.post("/cart/tea", headers={"cookie": f"{COOKIE}={starlettes()}"})
    assert client.get("/cart").json() == ["tea"]
    assert SECRET not in repr(events)
