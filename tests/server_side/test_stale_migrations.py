"""Requests that bring another system's cookie after its session has been ended or replaced here."""

from datetime import UTC, datetime

import pytest
from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from fastsession import generate_key, recheck
from fastsession.formats import ExpressSession, Migration
from tests.server_side.site import Home
from tests.server_side.site import router as site_router
from tests.server_side.test_migrating import express_cookie
from tests.shop import MINUTE, set_cookies, shop
from tests.shop import browser as visitor_of

router = APIRouter()


@router.post("/sign-in-as-starlette-does/{user_id}")
async def sign_in(user_id: int, request: Request) -> None:
    request.session.clear()
    request.session["user_id"] = user_id


@router.get("/rechecked")
async def rechecked(request: Request, verb: str = "") -> StreamingResponse:
    """How the session stands before the response, and in the middle of its body."""
    if verb == "clear":
        request.session.clear()
    before = await recheck(request)

    async def body():
        yield f"{before} {await recheck(request)}"

    return StreamingResponse(body())


@pytest.fixture
def secret():
    return generate_key()


@pytest.fixture
def app(clock, mode, secret):
    there = dict.fromkeys(("one", "two"), '{"cookie": {}, "user_id": 42}')
    migration = Migration(ExpressSession(secret=secret, store=there), accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    backends = {"clock": clock} if mode == "cookies" else Home("memory", {}, clock).options(mode)
    app = shop(migrate_from=[migration], **backends)
    app.include_router(site_router)
    app.include_router(router)
    return app


@pytest.fixture
def old(secret):
    return {"cookie": f"connect.sid={express_cookie('one', secret)}"}


def visit(app, path, headers, method="POST"):
    return visitor_of(app).request(method, path, headers=headers)


@pytest.mark.parametrize("by", ["/login/7", "/sign-in-as-starlette-does/7", "/logout"])
def test_a_change_from_before_it_was_replaced_does_not_replace_what_did(app, old, by):
    assert visit(app, by, old).status_code == 200
    assert set_cookies(visit(app, "/cart/milk", old)) == []


@pytest.mark.parametrize("by", ["/login/7", "/logout"])
def test_a_login_with_the_old_cookie_of_an_ended_session_is_saved(app, old, clock, by):
    visit(app, by, old)
    clock.advance(5 * MINUTE)
    assert visit(app, "/who", old, "GET").json() == [None, "revoked"]
    assert len(set_cookies(visit(app, "/login/42", old))) >= 1


def test_a_user_whose_sessions_were_ended_signs_in_again_from_a_browser_with_an_old_cookie(app, secret, clock):
    client = visitor_of(app)
    client.post("/login/42")
    client.post("/end-all")
    clock.advance(5 * MINUTE)
    other = visitor_of(app)
    other.cookies.set("connect.sid", express_cookie("two", secret), domain="testserver.local")
    assert other.get("/who").json() == [None, "revoked"]
    other.post("/login/42")
    assert other.get("/who").json() == [42, "valid"]
    other.post("/cart/milk")
    assert other.get("/cart").json() == ["milk"]


@pytest.mark.parametrize("mode", ["cookies", "revocations", "store", "both"])
@pytest.mark.parametrize(("verb", "expected"), [("", "valid valid"), ("clear", "valid revoked")])
def test_a_session_that_is_being_taken_over_stands_as_any_other(app, old, verb, expected):
    assert visit(app, f"/rechecked?verb={verb}", old, "GET").text == expected


@pytest.mark.parametrize("mode", ["revocations", "store", "both"])
def test_one_that_was_ended_is_revoked_before_the_response_too(app, old):
    visit(app, "/logout", old)
    assert visit(app, "/rechecked", old, "GET").text == "revoked revoked"
