"""Whatever was wrong with a cookie, the response is the same bytes (security.md R-34, I-21).

Two rejections leave the cookie where it is. They are told apart from the others by that, and from having no
cookie by nothing; docs/security.md says what an attacker learns from it.
"""

import re

import pytest
from fastapi import APIRouter, Depends, Request, Response

from fastsession import SessionStatus, get_session, require
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock
from tests.server_side.counting import Counting
from tests.shop import COOKIE, OLD_SECRET, START, browser, cookie_header, shop
from tests.test_rejections import CASES, flipped

router = APIRouter()


def altered_on_its_way(name):
    """A case of test_rejections.py: the app that receives its cookie, and the cookie."""
    case, clock = CASES[name], Clock(START)
    client = browser(shop(clock=clock, **case.sealed_with))
    client.post("/cart/tea")
    client.post(f"/note/{case.note}")
    clock.advance(case.later)
    return shop(clock=clock, **case.received_with), case.alter(cookie_header(client))


def presented_after(path, **options):
    """An app with a server side, and a cookie copied before a request that ended its session."""
    app = shop(clock=Clock(START), **options)
    client = browser(app)
    client.post("/login")
    copied = cookie_header(client)
    client.post(path)
    return app, copied


def unknown_to_the_store():
    client = browser(shop(clock=Clock(START), store=MemoryStore(clock=Clock(START))))
    client.post("/login")
    return shop(clock=Clock(START), store=MemoryStore(clock=Clock(START))), cookie_header(client)


def with_the_store_away(**options):
    store = Counting(MemoryStore(clock=Clock(START)))
    app = shop(clock=Clock(START), store=store, **options)
    client = browser(app)
    client.post("/login")
    store.fail_on = "read"
    return app, cookie_header(client)


def with_a_record_under_a_lost_key():
    store = MemoryStore(clock=Clock(START))
    client = browser(shop(clock=Clock(START), store=store, secret_key=OLD_SECRET))
    client.post("/login")
    return shop(clock=Clock(START), store=store), cookie_header(client)


CLEARED = {
    **{name: lambda name=name: altered_on_its_way(name) for name in CASES.keys() - {"unknown_key"}},
    "revoked by a logout": lambda: presented_after("/logout", revocations=MemoryRevocations(clock=Clock(START))),
    "revoked by a login": lambda: presented_after("/login", revocations=MemoryRevocations(clock=Clock(START))),
    "revoked with its record": lambda: presented_after("/logout", store=MemoryStore(clock=Clock(START))),
    "revoked, the store never had it": unknown_to_the_store,
}
KEPT = {
    "unknown_key": lambda: altered_on_its_way("unknown_key"),
    "unknown_key of a record": with_a_record_under_a_lost_key,
    "store_down": lambda: with_the_store_away(store_outage="anonymous"),
}
REQUESTS = [
    ("GET", "/look/200"),
    ("HEAD", "/look/200"),
    ("GET", "/look/404"),
    ("GET", "/look/500"),
    ("GET", "/signed-in"),
    ("POST", "/write"),
    ("POST", "/destroy"),
    ("GET", "/public"),
]


@router.api_route("/look/{status_code}", methods=["GET", "HEAD"])
async def look(status_code: int, request: Request) -> Response:
    return Response(content=repr(dict(request.session)), status_code=status_code)


@router.get("/signed-in", dependencies=[Depends(require(lambda session: bool(session.cart)))])
async def signed_in() -> None: ...


@router.post("/write")
async def write(request: Request) -> None:
    request.session["seen"] = 1


@router.post("/destroy")
async def destroy(request: Request) -> None:
    (await get_session(request)).destroy()


def answered(app, cookie, method, path):
    """Everything a client sees of a response, but for the value of a new cookie."""
    app.include_router(router)
    response = browser(app).request(method, path, headers={"cookie": cookie} if cookie else {})
    headers = [(name, re.sub(rb"=[\w-]{100,};", b"=new;", value)) for name, value in response.headers.raw]
    return response.status_code, headers, response.content


def test_every_rejection_either_clears_the_cookie_or_keeps_it():
    statuses = {name.partition(",")[0].partition(" ")[0] for name in CLEARED | KEPT}
    assert statuses == set(SessionStatus) - {"absent", "valid"}


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_rejections_that_clear_the_cookie_are_one_response(method, path):
    reference = answered(shop(), f"{COOKIE}=garbage", method, path)
    differing = [name for name, arrival in CLEARED.items() if answered(*arrival(), method, path) != reference]
    assert differing == []


@pytest.mark.parametrize(("method", "path"), [request for request in REQUESTS if request[1] != "/destroy"])
def test_rejections_that_keep_the_cookie_are_the_response_to_no_cookie(method, path):
    reference = answered(shop(), "", method, path)
    differing = [name for name, arrival in KEPT.items() if answered(*arrival(), method, path) != reference]
    assert differing == []


def test_a_cookie_that_would_be_kept_is_cleared_by_a_logout_like_any_other():
    reference = answered(shop(), f"{COOKIE}=garbage", "POST", "/destroy")
    assert [name for name, arrival in KEPT.items() if answered(*arrival(), "POST", "/destroy") != reference] == []


def test_while_the_store_is_away_a_forged_cookie_is_cleared_and_an_authentic_one_answered_503():
    app, cookie = with_the_store_away()
    assert answered(app, cookie, "GET", "/look/200")[0] == 503
    app, cookie = with_the_store_away()
    assert answered(app, flipped(cookie), "GET", "/look/200") == answered(shop(), f"{COOKIE}=x", "GET", "/look/200")
