"""What `scope["session"]` is to those who never call a method of it: C code, error reports, and who replaces it."""

import json
import logging
import re
import sys

import msgspec
import orjson
import pytest
from fastapi import FastAPI, Request, WebSocket
from pydantic_core import to_json
from starlette.middleware.sessions import SessionMiddleware as StarletteMiddleware
from starsessions import InMemoryStore, load_session
from starsessions import SessionMiddleware as StarsessionsMiddleware

from fastsession import ConfigurationError, LateSessionChangeError, SessionMiddleware
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import CLEARED, COOKIE, SECRET, ShopSession, browser, cookie_header, set_cookies, shop
from tests.visitor import Visitor, note
from tests.wire import answer, call, http_scope

CONTENTS = {"user_id": 7, "flash": "bye"}
C_READERS = {
    "orjson": lambda session: orjson.loads(orjson.dumps(session)),
    "msgspec": lambda session: msgspec.json.decode(msgspec.json.encode(session)),
    "pydantic": lambda session: json.loads(to_json(session)),
    "json": lambda session: json.loads(json.dumps(session)),
    "dict.items": lambda session: dict(dict.items(session)),
    "dict.copy": dict.copy,
}
# These ask the session for its keys or its length.
PYTHON_READERS = {
    "dict": dict,
    "unpacked": lambda session: {**session},
    "or": lambda session: session | {},
    "or from the left": lambda session: {} | session,
}
# Up to Python 3.12 the standard library indents in Python.
(PYTHON_READERS if sys.version_info < (3, 13) else C_READERS)["json, indented"] = lambda session: json.loads(
    json.dumps(session, indent=1)
)


@pytest.fixture
def visit():
    visit = Visitor(model=ShopSession)
    visit.as_dict(lambda session: session.update(CONTENTS))
    return visit


def in_scope(visit, work):
    return visit._visit(lambda request, _: work(request.scope["session"]))


@pytest.mark.parametrize("read", C_READERS.values(), ids=C_READERS)
def test_c_code_sees_nothing_before_somebody_looks_and_the_session_after(visit, read):
    assert in_scope(visit, read) == {}
    assert "vary" not in visit.response.headers
    assert in_scope(visit, lambda session: session.get("user_id") and read(session)) in ({}, CONTENTS)
    assert visit.as_dict(read) == CONTENTS


@pytest.mark.parametrize("read", PYTHON_READERS.values(), ids=PYTHON_READERS)
def test_what_goes_through_python_opens_the_session(visit, read):
    assert in_scope(visit, read) == CONTENTS
    assert visit.as_dict(read) == CONTENTS


@pytest.mark.parametrize("read", C_READERS.values(), ids=C_READERS)
def test_c_code_sees_each_write_by_key_and_each_look(visit, read):
    def work(request, session):
        held = request.session
        seen = []
        for change in (
            lambda: held.update(flash="hello"),
            lambda: held.pop("flash"),
            lambda: note(session, cart=["tea"]),
            held.clear,
        ):
            change()
            seen.append(read(request.session))
        return seen

    assert visit._visit(work, typed=True) == [
        {"user_id": 7, "flash": "hello"},
        {"user_id": 7},
        {"user_id": 7, "cart": ["tea"]},
        {},
    ]


def test_dicts_own_get_finds_no_key_that_is_not_there(visit):
    assert in_scope(visit, lambda session: dict.get(session, "", "nothing")) == "nothing"


def ours(value):
    """Everything of the package that can be reached from a value."""
    found, ahead = [], [value]
    while ahead:
        value = ahead.pop()
        if any(value is known for known in found):
            continue
        found.append(value)
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        names = [*getattr(value, "__dict__", {}), *slots]
        parts = [getattr(value, name, None) for name in names if not name.startswith("__")]
        parts += value if isinstance(value, tuple) else []
        ahead += [part for part in parts if type(part).__module__.startswith("fastsession")]
    return found


@pytest.mark.parametrize("looks", [False, True])
def test_no_repr_of_what_the_scope_holds_shows_the_session_or_opens_it(visit, looks):
    cookie = cookie_header(visit.client).partition("=")[2]

    def work(request, _):
        session = request.scope["session"]
        if looks:
            session["flash"] = "confidential"
        opened = session.accessed
        # The model's own repr is pydantic's.
        found = [part for part in ours(session) if not isinstance(part, ShopSession)]
        texts = [repr(request.scope["session"]), str(request.scope["session"]), repr(request.scope["fastsession"])]
        texts += [f"{part!r} {part!s}" for part in found]
        assert session.accessed == opened == looks
        return request.scope["session"].visit.header.decode().endswith(cookie), " ".join(texts), len(found)

    brought, text, count = visit._visit(work)
    assert brought
    assert count > 5
    for secret in (cookie, "confidential", "bye", "user_id", SECRET):
        assert secret not in text
    assert ("vary" in visit.response.headers) is looks


def test_a_repr_says_whether_somebody_looked(visit):
    assert re.fullmatch("<session, not looked at: [0-9a-f]{16}>", in_scope(visit, repr))
    assert re.fullmatch("<session, looked at: [0-9a-f]{16}>", visit.as_dict(repr))


def reprs_of(contents):
    visit = Visitor(model=ShopSession)
    visit.as_dict(lambda session: session.update(contents))
    return visit.as_dict(repr), in_scope(visit, repr)


def test_sessions_have_the_same_repr_only_while_their_contents_are_the_same():
    # Caches make keys of the reprs of a function's arguments: one user must not get another's page.
    several = [{}, {"user_id": 1}, {"user_id": 2}, {"user_id": 2, "page": 1}, {"user_id": 2, "cart": ["tea"]}]
    looked_at, closed = zip(*map(reprs_of, several), strict=True)
    assert len(set(looked_at)) == len(set(closed)) == len(several)
    assert looked_at == tuple(reprs_of(contents)[0] for contents in several)


def test_a_session_that_cannot_be_saved_has_a_repr():
    text = Visitor().as_dict(lambda session: (session.update(tags={"a", "set"}), repr(session), session.clear())[1])
    assert text == "<session, looked at: not to be saved>"


OPTIONS = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}


def replace_by_empty(request):
    request.scope["session"] = {}


def replace_by_nothing(request):
    request.scope["session"] = None


def remove(request):
    del request.scope["session"]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("replace", [replace_by_empty, replace_by_nothing, remove])
def test_a_logout_that_replaces_the_session_logs_out_and_is_told(options, replace, events, caplog):
    app = shop(on_event=events.append, **options())

    @app.post("/out")
    async def out(request: Request) -> None:
        replace(request)

    client = browser(app)
    client.post("/login")
    copied = {"cookie": cookie_header(client)}
    assert set_cookies(client.post("/out")) == [CLEARED]
    assert [event.kind for event in events] == ["regenerated", "destroyed"]
    assert 'scope["session"] = {} ends the session: write request.session.clear()' in caplog.text
    if options is not dict:
        assert browser(app).get("/view", headers=copied).json() == {}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_another_dict_in_the_sessions_place_is_refused_before_it_is_lost(options):
    app = shop(**options())

    @app.post("/other")
    async def other(request: Request) -> None:
        request.scope["session"] = {"user_id": 2}

    client = browser(app)
    client.post("/login")
    with pytest.raises(ConfigurationError, match=r"Write request.session.clear\(\) and request.session.update"):
        client.post("/other")


def test_a_websocket_that_replaces_the_session_before_it_is_accepted_logs_out():
    app = shop()

    @app.websocket("/out")
    async def out(socket: WebSocket) -> None:
        socket.scope["session"] = {}
        await socket.accept()
        await socket.close()

    client = browser(app)
    client.post("/login")
    header = {"cookie": cookie_header(client)}
    with client.websocket_connect("wss://testserver/out", headers=header) as connection:
        assert (b"set-cookie", CLEARED.encode()) in connection.extra_headers


@pytest.mark.parametrize("looks", [False, True])
def test_replacing_the_session_after_the_response_has_started_raises(looks):
    async def inner(scope, receive, send):
        if looks:
            scope["session"].mark_accessed()
        await answer(send)
        scope["session"] = {}

    with pytest.raises(LateSessionChangeError, match=r'scope\["session"\] = {} came after'):
        call(SessionMiddleware(inner, secret_key=SECRET), http_scope())


def test_without_a_session_replacing_it_sets_no_cookie(caplog):
    app = shop()

    @app.post("/out")
    async def out(request: Request) -> None:
        request.scope["session"] = {}

    assert set_cookies(browser(app).post("/out")) == []


INNER = {
    "ours": lambda app: app.add_middleware(SessionMiddleware, secret_key=SECRET, session_cookie="inner"),
    "Starlette's": lambda app: app.add_middleware(StarletteMiddleware, secret_key=SECRET),
    "starsessions'": lambda app: app.add_middleware(StarsessionsMiddleware, store=InMemoryStore(), lifetime=60),
}


@pytest.mark.parametrize("add", INNER.values(), ids=INNER)
def test_another_session_middleware_further_in_is_no_logout(add, caplog):
    outer, inner = shop(), FastAPI()
    add(inner)

    @inner.get("/")
    async def look(request: Request) -> bool:
        if "session_handler" in request.scope:
            await load_session(request)
        return "user_id" in request.session

    outer.mount("/inner", inner)
    client = browser(outer)
    client.post("/login")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        response = client.get("/inner/")
    assert COOKIE not in " ".join(set_cookies(response))
    assert caplog.records == []
    assert client.get("/view").json() == {"user_id": 42}
