"""`fastsession.starlette.SessionMiddleware`: Starlette's signature, our cookies, and nobody is signed out."""

import importlib.util
import logging
import sys
from datetime import UTC, datetime
from secrets import token_hex

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Secret
from starlette.middleware import Middleware
from starlette.middleware.sessions import Session as TheirSession
from starlette.middleware.sessions import SessionMiddleware as TheirMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

import fastsession.starlette
from fastsession import ConfigurationError, CurrentSession, generate_key
from fastsession.starlette import Session, SessionMiddleware
from fastsession.testing import opened_session, set_session

SECRET = generate_key()
DAY = 24 * 60 * 60


async def view(request: Request) -> JSONResponse:
    return JSONResponse(dict(request.session))


async def write(request: Request) -> JSONResponse:
    request.session.update(await request.json())
    return JSONResponse(dict(request.session))


async def clear(request: Request) -> JSONResponse:
    request.session.clear()
    return JSONResponse({})


async def socket(websocket):
    await websocket.accept()
    await websocket.send_json(dict(websocket.session))
    await websocket.close()


ROUTES = [
    Route("/", view),
    Route("/write", write, methods=["POST"]),
    Route("/clear", clear, methods=["POST"]),
    WebSocketRoute("/socket", socket),
]


def visitor(kind=SessionMiddleware, *, cookies=None, base_url="https://testserver", **options):
    options = {"secret_key": SECRET} | options
    app = Starlette(routes=ROUTES, middleware=[Middleware(kind, **options)])
    return TestClient(app, base_url=base_url, cookies=cookies)


def signed(**options):
    """The cookie that Starlette's middleware gives a visitor who signs in."""
    client = visitor(TheirMiddleware, **options)
    client.post("/write", json={"user": "ada"})
    return dict(client.cookies)


def lines(response):
    return response.headers.get_list("set-cookie")


@pytest.mark.parametrize(
    "options", [{}, {"session_cookie": "sid"}, {"max_age": None}, {"path": "/"}, {"https_only": True}]
)
@pytest.mark.parametrize(
    "secret",
    [SECRET, "s", "example", "ü" * 100, Secret("hidden"), b"bytes"],
    ids=["strong", "short", "word", "long", "wrapped", "bytes"],
)
def test_a_session_that_starlette_signed_goes_on_and_is_sealed(secret, options):
    options = {"secret_key": secret, **options}
    before = signed(**options)
    client = visitor(cookies=before, **options)
    answer = client.get("/")
    assert answer.json() == {"user": "ada"}
    [line] = lines(answer)
    name, _, value = line.partition(";")[0].partition("=")
    assert [name] == list(before)
    assert value.startswith("A")
    again = visitor(cookies={name: value}, **options)
    assert again.get("/").json() == {"user": "ada"}
    assert lines(again.get("/")) == []


def test_a_websocket_finds_the_session_that_starlette_signed():
    with visitor(cookies=signed()).websocket_connect("/socket") as websocket:
        assert websocket.receive_json() == {"user": "ada"}


def test_a_cookie_under_another_secret_is_none():
    assert visitor(cookies=signed(secret_key=generate_key())).get("/").json() == {}
    ours = visitor(secret_key=generate_key())
    ours.post("/write", json={"user": "eve"})
    assert visitor(cookies=dict(ours.cookies)).get("/").json() == {}


def test_signed_cookies_count_until_the_date():
    past, future = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    assert visitor(cookies=signed(), accept_until=past).get("/").json() == {}
    assert visitor(cookies=signed(), accept_until=future).get("/").json() == {"user": "ada"}


def test_our_own_cookie_goes_before_a_signed_one():
    client = visitor()
    client.post("/write", json={"user": "bob"})
    header = f"session={signed()['session']}; session={client.cookies['session']}"
    assert visitor().get("/", headers={"cookie": header}).json() == {"user": "bob"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_age": None},
        {"max_age": 365 * DAY},
        {"https_only": True, "same_site": "none", "partitioned": True},
        {"same_site": "none"},
        {"domain": "testserver.local", "path": "/", "same_site": "strict"},
    ],
)
def test_attributes_are_written_as_starlette_writes_them(options):
    answers = [visitor(kind, **options).post("/write", json={"a": 1}) for kind in (TheirMiddleware, SessionMiddleware)]
    theirs, ours = ([line.partition(";")[2] for line in lines(answer)] for answer in answers)
    assert ours == theirs


def test_a_cookie_is_deleted_as_starlette_deletes_it():
    answers = []
    for kind in (TheirMiddleware, SessionMiddleware):
        client = visitor(kind)
        client.post("/write", json={"a": 1})
        answers.append(lines(client.post("/clear")))
    assert answers[0] == answers[1]


def test_code_that_asks_for_starlettes_class_finds_it():
    assert SessionMiddleware == TheirMiddleware
    assert TheirMiddleware == SessionMiddleware
    assert issubclass(SessionMiddleware, TheirMiddleware)
    assert hash(SessionMiddleware) == hash(TheirMiddleware)
    assert SessionMiddleware != Starlette
    assert Session is TheirSession


def test_without_itsdangerous_the_module_works_alone(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    spec = importlib.util.spec_from_file_location("alone", fastsession.starlette.__file__)
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "alone", alone)
    spec.loader.exec_module(alone)
    client = visitor(alone.SessionMiddleware)
    client.post("/write", json={"a": 1})
    assert client.get("/").json() == {"a": 1}
    assert alone.SessionMiddleware != TheirMiddleware


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("", "^secret_key is empty or no text"),
        (b"", "^secret_key is empty or no text"),
        (Secret(""), "^secret_key is empty or no text"),
        ("\udcff", "^secret_key is empty or no text"),
        (None, "^secret_key must be a string, not NoneType"),
        (7, "^secret_key must be a string, not int"),
    ],
)
def test_a_secret_that_is_none_is_refused(secret, message):
    with pytest.raises(ConfigurationError, match=message):
        SessionMiddleware(Starlette(), secret_key=secret)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "x"},
        {"domain": "https://example.com"},
        {"same_site": "Lax"},
        {"session_cookie": "a b"},
        {"session_cookie": "__Host-s"},
        {"session_cookie": "__Host-s", "https_only": True, "path": "/x"},
        {"session_cookie": "__Host-s", "https_only": True, "domain": "example.com"},
    ],
)
def test_a_cookie_that_no_browser_keeps_is_refused(options):
    with pytest.raises(ConfigurationError):
        SessionMiddleware(Starlette(), SECRET, **options)


# Sealed by the first version under this secret, with the name `session`. Every later version has to open it.
GOLDEN_SECRET, GOLDEN_AT = "nobody counted the 93 gulls on that morning", 1_800_000_000
GOLDEN = "AaDuGwBrSdIAo-BOORnBLD6oiuBxsBsDgcoXg3Wje84qo9MLrNWD6rOIwl7uSqsCqtI46-Fuw99QL_a1Gozwy_pt-qvKn38_SsQBXMdTCw_1a4Fwm6FGX4vuyXcp5eCmqdtcj1EwbopngmCEoxPTxkA"


def test_a_cookie_of_the_first_version_opens():
    cookies = SessionMiddleware(Starlette(), GOLDEN_SECRET).setup.cookies
    assert cookies.open(f"session={GOLDEN}".encode(), b"", GOLDEN_AT).token.payload == b'{}\n{"user":"ada"}'


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"https_only": True},
        {"https_only": True, "path": "/shop", "domain": "example.com"},
        {"session_cookie": "__Host-sid", "https_only": True},
        {"session_cookie": "__Secure-sid", "https_only": True, "path": "/shop"},
    ],
)
def test_openapi_shows_the_cookies_real_name(options):
    app = FastAPI()

    @app.get("/")
    def home(session: CurrentSession[fastsession.Session]) -> None:
        pass

    app.add_middleware(SessionMiddleware, secret_key=SECRET, **options)
    app.build_middleware_stack()
    [scheme] = app.openapi()["components"]["securitySchemes"].values()
    assert scheme["name"] == options.get("session_cookie", "session")


def test_the_shortest_max_age_is_one_second():
    app = Starlette(routes=ROUTES, middleware=[Middleware(SessionMiddleware, SECRET, max_age=1)])
    client = TestClient(app)
    set_session(app, client, fastsession.Session())
    info = opened_session(app, client).info
    assert (info.expires_at - info.renewed_at).total_seconds() == 1


def test_a_weak_secret_is_told_once_and_not_shown(caplog):
    # Another one in each run: of one that was told of in this process nothing more is said.
    weak = token_hex(4)
    with caplog.at_level(logging.WARNING, "fastsession"):
        for _ in range(3):
            SessionMiddleware(Starlette(), secret_key=weak)
    [record] = caplog.records
    assert "keygen" in record.message
    assert weak not in caplog.text


def test_each_weak_secret_is_told(caplog):
    with caplog.at_level(logging.WARNING, "fastsession"):
        for _ in range(2):
            SessionMiddleware(Starlette(), secret_key=token_hex(4))
    assert len(caplog.records) == 2


def test_a_good_secret_is_not_warned_of(caplog):
    SessionMiddleware(Starlette(), generate_key())
    assert caplog.records == []


def test_the_stars_that_starlette_makes_of_a_hidden_secret_open_nothing():
    assert visitor(cookies=signed(secret_key=SecretStr("hidden")), secret_key=SecretStr("hidden")).get("/").json() == {}


@pytest.mark.parametrize("max_age", [0, -1])
def test_a_max_age_that_is_over_at_once_keeps_nothing(max_age):
    client = visitor(max_age=max_age)
    [line] = lines(client.post("/write", json={"a": 1}))
    value = line.partition(";")[0].partition("=")[2]
    assert f"; Max-Age={max_age};" in line
    assert visitor(max_age=max_age, cookies={"session": value}).get("/").json() == {}
    assert visitor(max_age=max_age, cookies=signed()).get("/").json() == {}
