import pytest
from fastapi import Depends, FastAPI, Request

from fastsession import SessionMiddleware, get_session
from fastsession.testing import Clock
from tests.shop import (
    COOKIE,
    IDLE,
    SECRET,
    START,
    Current,
    ShopSession,
    browser,
    cookie_header,
    set_cookies,
    shop,
    shown,
)


class CountingClock(Clock):
    reads = 0

    def __call__(self):
        self.reads += 1
        return super().__call__()


def test_nothing_is_done_without_a_cookie_when_nobody_looks():
    clock = CountingClock(START)
    client = browser(shop(clock=clock))
    client.get("/public")
    read_at_the_start = clock.reads
    response = client.get("/public")
    assert clock.reads == read_at_the_start
    assert {"vary", "cache-control", "set-cookie"}.isdisjoint(response.headers)


@pytest.mark.parametrize("value", ["", "garbage", "A" * 200, '"quoted"', "2.abcdefgh.piece"])
def test_a_bad_cookie_that_nobody_looks_at_is_left_alone(events, value):
    response = shown(shop(on_event=events.append), f"{COOKIE}={value}", "/public")
    assert {"vary", "cache-control", "set-cookie"}.isdisjoint(response.headers)
    assert events == []


def test_a_forged_cookie_that_nobody_looks_at_is_not_opened(client, events, clock):
    client.post("/cart/tea")
    events.clear()
    header = cookie_header(client)
    forged = header[:-1] + ("A" if header[-1] != "A" else "E")
    shown(shop(clock=clock, on_event=events.append), forged, "/public")
    assert events == []


def test_a_young_cookie_that_nobody_looks_at_is_answered_from_its_clear_header(client, events):
    client.post("/cart/tea")
    events.clear()
    response = client.get("/public")
    assert {"vary", "cache-control", "set-cookie"}.isdisjoint(response.headers)
    assert events == []


def test_a_due_cookie_is_renewed_although_nobody_looks(client, clock, events):
    client.post("/cart/tea")
    clock.advance(IDLE // 4)
    assert len(set_cookies(client.get("/public"))) == 1
    assert [event.kind for event in events] == ["created", "renewed"]


def test_an_idle_cookie_that_nobody_looks_at_is_neither_renewed_nor_reported(client, clock, events):
    client.post("/cart/tea")
    clock.advance(IDLE)
    assert set_cookies(client.get("/public")) == []
    assert [event.kind for event in events] == ["created"]


def test_whoever_looks_first_opens_the_session_for_all():
    looks = []
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET, on_event=looks.append)

    def sub_dependency(session: Current) -> ShopSession:
        return session

    @app.get("/")
    async def look(
        request: Request,
        session: Current,
        other: ShopSession = Depends(sub_dependency),  # noqa: B008, FAST002
    ) -> list[bool]:
        session.user_id = 1
        return [session is other, request.session["user_id"] == 1, await get_session(request) is session]

    assert browser(app).get("/", headers={"cookie": f"{COOKIE}=garbage"}).json() == [True, True, True]
    assert [event.kind for event in looks] == ["rejected", "created"]


def test_finding_the_session_in_the_scope_opens_nothing():
    seen = []

    async def inner(scope, receive, send):
        session = scope["session"]
        seen.append((session.accessed, session.modified))
        session.mark_accessed()
        seen.append((session.accessed, session.modified))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    browser(SessionMiddleware(inner, secret_key=SECRET)).get("/")
    assert seen == [(False, False), (True, False)]


def test_a_new_session_that_was_only_looked_at_sets_no_cookie(client):
    assert set_cookies(client.get("/cart")) == []
