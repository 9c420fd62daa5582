"""An answer that arrives after a login, to a request sent before it: the login stays, whatever the old cookie was."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Request, Response, WebSocket

from fastsession import SessionControl, get_session_control
from fastsession.formats import IronSession
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock
from tests.shop import IDLE, START, Current, browser, cookie_header, set_cookies, shop, shown

PASSWORD = "the forty lanterns of the harbour burn until the morning"
MODES = {
    "cookies": lambda _: {},
    "revocations": lambda clock: {"revocations": MemoryRevocations(clock=clock)},
    "store": lambda clock: {"store": MemoryStore(clock=clock)},
    "both": lambda clock: {"store": MemoryStore(clock=clock), "revocations": MemoryRevocations(clock=clock)},
    "format": lambda _: {"format": IronSession(password=PASSWORD, cookie_name="__Host-shared")},
}
SERVER_SIDE = ("revocations", "store", "both")
POLLS = ("/cart", "/view", "/poll/204", "/poll/401", "/poll/503", "/redirect")
router = APIRouter()


@router.get("/poll/{status_code}")
async def poll(status_code: int, session: Current) -> Response:
    return Response(status_code=status_code, headers={"User": str(session.user_id)})


@router.get("/redirect")
async def redirect(request: Request) -> Response:
    signed_in = "user_id" in request.session
    return Response(status_code=303, headers={"Location": "/" if signed_in else "/login"})


@router.post("/end-others")
async def end_others(control: Annotated[SessionControl, Depends(get_session_control)]) -> None:
    await control.end_others()


@router.websocket("/socket")
async def socket(websocket: WebSocket, session: Current) -> None:
    await websocket.accept(headers=[(b"user", str(session.user_id).encode())])
    await websocket.close()


def site(mode, clock, **options):
    app = shop(clock=clock, **MODES[mode](clock), **options)
    app.include_router(router)
    return app


def assert_late_answers_change_nothing(client, old, polls=POLLS):
    """The browser gets the answers to requests that it sent with its old cookies, and is signed in as before."""
    for path in polls:
        late = client.get(path, headers={"cookie": old}, follow_redirects=False)
        assert set_cookies(late) == []
    assert client.get("/view").json() == {"user_id": 42}


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def app(mode, clock):
    return site(mode, clock)


@pytest.fixture
def visitor(app):
    with browser(app) as client:
        yield client


def test_after_a_login(visitor):
    visitor.post("/update", json={"user_id": 7})
    old = cookie_header(visitor)
    visitor.post("/login")
    assert_late_answers_change_nothing(visitor, old)


def test_after_a_logout_and_a_login(visitor):
    visitor.post("/login")
    old = cookie_header(visitor)
    visitor.post("/logout")
    visitor.post("/login")
    assert_late_answers_change_nothing(visitor, old)


def test_after_a_login_in_another_tab_when_the_session_was_idle_too_long(visitor, clock):
    visitor.post("/login")
    old = cookie_header(visitor)
    clock.advance(IDLE)
    visitor.post("/login")
    assert_late_answers_change_nothing(visitor, old)


@pytest.mark.parametrize("mode", SERVER_SIDE, indirect=True)
def test_after_all_other_sessions_were_ended(app, visitor):
    visitor.post("/login")
    with browser(app) as elsewhere:
        elsewhere.post("/login")
        old = cookie_header(visitor)
        visitor.post("/end-others")
        assert_late_answers_change_nothing(visitor, old)
        assert elsewhere.get("/view").json() == {}


def test_from_a_server_whose_clock_is_behind(mode):
    ahead = browser(site(mode, Clock(START + 45)))
    ahead.post("/login")
    behind = site(mode, Clock(START))
    for path in POLLS:
        assert set_cookies(shown(behind, cookie_header(ahead), path)) == []


def test_to_a_request_with_too_many_other_cookies(visitor):
    visitor.post("/login")
    assert_late_answers_change_nothing(visitor, f"{cookie_header(visitor)}; other={'a' * 70_000}")


@pytest.mark.parametrize("mode", ["cookies", *SERVER_SIDE], indirect=True)
def test_to_the_handshake_of_a_websocket(visitor, clock):
    visitor.post("/login")
    old = cookie_header(visitor)
    clock.advance(IDLE)
    visitor.post("/login")
    with visitor.websocket_connect("wss://testserver/socket", headers={"cookie": old}) as connection:
        assert (b"user", b"None") in connection.extra_headers
        assert not any(name == b"set-cookie" for name, _ in connection.extra_headers)
    assert visitor.get("/view").json() == {"user_id": 42}
