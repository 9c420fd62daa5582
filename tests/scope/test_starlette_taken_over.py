"""Sessions that Starlette's middleware signed, behind `fastsession.starlette.SessionMiddleware`: their age, size and end."""

import json
import logging
import time
from base64 import b64encode

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket
from itsdangerous import TimestampSigner
from pydantic import SecretBytes, SecretStr
from starlette.datastructures import Secret
from starlette.middleware.sessions import SessionMiddleware as TheirMiddleware
from starlette.testclient import TestClient

from fastsession import ConfigurationError, CurrentSession, Session, generate_key, require
from fastsession.starlette import SessionMiddleware
from fastsession.testing import extras_of, opened_session, set_session

SECRET = generate_key()
DAY = 24 * 60 * 60
TWO_WEEKS = 14 * DAY
Current = CurrentSession[Session]
SignedIn = Depends(require(lambda session: session.info.authenticated_at is not None))


class Signer(TimestampSigner):
    """Signs as Starlette's middleware did some seconds ago."""

    age = 0

    def get_timestamp(self):
        return int(time.time()) - self.age


def signed(data=None, *, age=0, secret=SECRET):
    signer = Signer(secret)
    signer.age = age
    return signer.sign(b64encode(json.dumps(data or {"user": "ada"}).encode())).decode()


router = APIRouter()


@router.get("/")
def view(request: Request) -> dict[str, object]:
    return dict(request.session)


@router.get("/public")
def public() -> None:
    pass


@router.get("/info")
def info(session: Current) -> dict[str, object]:
    arrived = session.info
    return {name: getattr(arrived, name) for name in ("is_new", "remembered", "status", "origin")}


@router.get("/account", dependencies=[SignedIn])
def account(request: Request) -> str:
    return request.session["user"]


@router.post("/write")
async def write(request: Request) -> None:
    request.session.update(await request.json())


@router.post("/login")
def login(request: Request, session: Current) -> None:
    session.regenerate()
    request.session["user"] = "bob"


@router.post("/only-today")
def only_today(request: Request, session: Current) -> None:
    session.remember(False)
    request.session["short"] = True


@router.post("/clear")
def clear(request: Request) -> None:
    request.session.clear()


@router.post("/pop")
def pop(request: Request) -> None:
    while request.session:
        request.session.popitem()


@router.post("/replace")
def replace(request: Request) -> None:
    request.scope["session"] = {}


@router.post("/destroy")
def destroy(session: Current) -> None:
    session.destroy()


@router.post("/refuse")
def refuse(request: Request) -> None:
    request.session.clear()
    raise HTTPException(403)


@router.websocket("/socket")
async def socket(websocket: WebSocket, session: Current) -> None:
    await websocket.accept()
    await websocket.send_json([dict(websocket.session), session.info.origin])
    await websocket.close()


def site(kind=SessionMiddleware, *, secret_key=SECRET, **options):
    app = FastAPI()
    app.include_router(router)
    app.add_middleware(kind, secret_key=secret_key, **options)
    return app


def visitor(app, value=None):
    """A browser that has a signed cookie, which the site's own replaces."""
    client = TestClient(app, base_url="https://testserver")
    if value is not None:
        client.cookies.set("session", value, domain="testserver.local", path="/")
    return client


def lines(response):
    return response.headers.get_list("set-cookie")


@pytest.mark.parametrize("max_age", [1_000, TWO_WEEKS, 500 * DAY])
def test_a_signed_cookie_counts_as_long_as_with_starlette(max_age):
    for kind in (TheirMiddleware, SessionMiddleware):
        app = site(kind, max_age=max_age)
        assert visitor(app, signed(age=max_age - 100)).get("/").json() == {"user": "ada"}
        assert visitor(app, signed(age=max_age + 100)).get("/").json() == {}


def test_a_signed_cookie_without_max_age_counts_for_ever():
    assert visitor(site(max_age=None), signed(age=9_000 * DAY)).get("/").json() == {"user": "ada"}


def test_a_signed_cookie_whose_time_is_past_says_so_once_and_stays(caplog):
    client = visitor(site(), signed(age=TWO_WEEKS + 100))
    with caplog.at_level(logging.INFO, "fastsession"):
        assert client.get("/info").json() == {
            "is_new": True,
            "remembered": True,
            "status": "expired_absolute",
            "origin": "fastsession",
        }
        assert lines(client.get("/info")) == []
    assert [record.kind for record in caplog.records] == ["rejected"]
    [line] = lines(client.post("/write", json={"user": "eve"}))
    assert line.startswith("session=A")
    assert client.get("/").json() == {"user": "eve"}


def test_browsers_are_told_400_days_at_most():
    [line] = lines(visitor(site(max_age=500 * DAY)).post("/write", json={"user": "ada"}))
    assert f"; Max-Age={400 * DAY};" in line


def test_a_session_taken_over_is_an_event_and_names_its_origin(caplog):
    client = visitor(site(), signed())
    with caplog.at_level(logging.INFO, "fastsession"):
        assert client.get("/info").json() == {
            "is_new": False,
            "remembered": True,
            "status": "valid",
            "origin": "StarletteSession",
        }
    assert [(record.kind, record.detail) for record in caplog.records] == [("migrated", "StarletteSession")]
    assert client.get("/info").json()["origin"] == "fastsession"


@pytest.mark.parametrize("data", [{"user": "ada"}, {"1": 1}, {"é": None}], ids=["user", "number", "letter"])
def test_a_session_is_taken_over_by_a_response_that_does_not_look_at_it(data):
    client = visitor(site(), signed(data))
    [line] = lines(client.get("/public"))
    assert line.startswith("session=A")
    assert client.get("/").json() == data


@pytest.mark.parametrize("size", [2_700, 3_000])
def test_a_session_as_large_as_browsers_keep_one_is_taken_over_in_chunks(size):
    data = {"user": "ada", "text": "x" * size}
    value = signed(data)
    assert len("session") + len(value) <= 4_096
    client = visitor(site(), value)
    assert client.get("/").json() == data
    assert sorted(client.cookies) == ["session", "session.1"]
    assert client.get("/").json() == data
    answer = client.post("/write", json={"text": ""})
    assert [line.partition(";")[2] for line in lines(answer)] == [
        f" path=/; Max-Age={TWO_WEEKS}; httponly; samesite=lax",
        " path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly; samesite=lax",
    ]
    assert client.get("/").json() == {"user": "ada", "text": ""}


def test_a_signed_cookie_that_no_browser_keeps_is_told_by_its_size(caplog):
    client = visitor(site(), signed({"text": "x" * 5_000}))
    with caplog.at_level(logging.INFO, "fastsession"):
        assert client.get("/info").json()["status"] == "oversize"
    [record] = caplog.records
    assert record.detail.endswith("characters of value")


def test_a_chunk_left_by_another_session_goes_when_a_signed_one_is_taken_over():
    client = visitor(site(), signed())
    client.cookies.set("session.1", "2.ABCDEFGH.rest", domain="testserver.local", path="/")
    assert client.get("/").json() == {"user": "ada"}
    assert list(client.cookies) == ["session"]


@pytest.mark.parametrize("seen", [False, True], ids=["signed", "sealed"])
@pytest.mark.parametrize("way", ["clear", "pop", "replace", "destroy", "refuse"])
def test_an_ended_session_does_not_come_back(way, seen):
    client = visitor(site(), signed())
    if seen:
        client.get("/")
    answer = client.post(f"/{way}")
    assert lines(answer) == ["session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly; samesite=lax"]
    assert not client.cookies
    assert client.get("/").json() == {}


def test_a_large_session_is_ended_with_every_chunk():
    client = visitor(site(), signed({"text": "x" * 3_000}))
    client.get("/")
    client.post("/clear")
    assert not client.cookies


def test_a_login_replaces_the_session_taken_over():
    client = visitor(site(), signed())
    client.post("/login")
    assert client.get("/").json() == {"user": "bob"}
    assert client.get("/account").json() == "bob"


def test_who_was_signed_in_behind_starlettes_counts_as_long_ago():
    assert visitor(site(), signed()).get("/account").status_code == 401


def test_dict_and_model_are_one_session():
    client = visitor(site())
    [line] = lines(client.post("/only-today"))
    assert "Max-Age" not in line
    assert client.get("/").json() == {"short": True}
    assert client.get("/info").json()["remembered"] is False


def test_a_websocket_takes_a_session_over_and_its_handshake_carries_the_cookie():
    client = visitor(site(), signed())
    with client.websocket_connect("/socket") as websocket:
        assert websocket.receive_json() == [{"user": "ada"}, "StarletteSession"]
        [sealed] = [value for name, value in websocket.extra_headers if name == b"set-cookie"]
    assert sealed.startswith(b"session=A")


def test_a_websocket_finds_a_session_that_was_sealed():
    client = visitor(site())
    client.post("/write", json={"user": "ada"})
    with client.websocket_connect("/socket") as websocket:
        assert websocket.receive_json() == [{"user": "ada"}, "fastsession"]
        assert [name for name, _ in websocket.extra_headers if name == b"set-cookie"] == []


def test_a_test_signs_in_with_one_line():
    app = site()
    client = visitor(app)
    set_session(app, client, Session(), extras={"user": "ada"})
    assert client.get("/account").json() == "ada"
    assert client.get("/info").json()["remembered"] is True
    [line] = lines(client.post("/write", json={"cart": 1}))
    assert f"; Max-Age={TWO_WEEKS};" in line
    assert extras_of(opened_session(app, client)) == {"user": "ada", "cart": 1}


SECRETS = {
    "one letter": "s",
    "white space": " s \n",
    "beyond ASCII": "grün ☂",
    "very long": "long" * 20_000,
    "wrapped": Secret("wrapped"),
    "bytes": b"\xff\x00 bytes",
    "hidden": SecretStr("hidden"),
    "hidden bytes": SecretBytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_sessions_go_on_under_each_secret_that_starlette_takes(name):
    secret = SECRETS[name]
    client = visitor(site(secret_key=secret))
    client.post("/write", json={"user": "ada"})
    assert client.get("/").json() == {"user": "ada"}
    if not name.startswith("hidden"):
        # Starlette takes the stars of a hidden secret, which open nothing here.
        assert visitor(site(secret_key=secret), signed(secret=str(secret))).get("/").json() == {"user": "ada"}


def test_two_secrets_of_bytes_that_are_no_text_are_two():
    client = visitor(site(secret_key=SecretBytes(b"\xff" * 32)))
    client.post("/write", json={"user": "ada"})
    other = site(secret_key=SecretBytes(b"\xfe" * 32))
    assert visitor(other, client.cookies["session"]).get("/").json() == {}


@pytest.mark.parametrize(("max_age", "kind"), [("1209600", "str"), (True, "bool"), (object(), "object")])
def test_a_max_age_that_is_no_number_is_refused_when_it_is_written(max_age, kind):
    with pytest.raises(ConfigurationError, match=f"^max_age takes a number of seconds, or None, not {kind}"):
        SessionMiddleware(FastAPI(), SECRET, max_age=max_age)


def test_options_can_be_checked_where_they_are_written():
    app = FastAPI()
    app.add_middleware(SessionMiddleware.with_options(secret_key=SECRET, max_age=100))
    assert SECRET not in repr(app.user_middleware)
    with pytest.raises(ConfigurationError, match="max_age"):
        SessionMiddleware.with_options(secret_key=SECRET, max_age="100")
