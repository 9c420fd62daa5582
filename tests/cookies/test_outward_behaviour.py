"""Whatever was wrong with a cookie, the response is the same bytes (security.md R-34, I-21).

It is the response to a request without a cookie, but for a logout, which deletes the cookie that it brought.
"""

import re

import pytest
from fastapi import APIRouter, Depends, Request, Response

from fastsession import SessionStatus, get_session, require
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock
from tests.cookies.test_rejections import CASES, flipped
from tests.server_side.counting import Counting
from tests.shop import CLEARED, COOKIE, MINUTE, OLD_SECRET, START, browser, cookie_header, shop

router = APIRouter()


def altered_on_its_way(name):
    """A case of test_rejections.py: the app that receives its cookie, and the cookie."""
    case, clock = CASES[name], Clock(START)
    client = browser(shop(clock=clock, **case.sealed_with))
    client.post("/cart/tea")
    client.post(f"/note/{case.note}")
    clock.advance(case.later)
    return shop(clock=clock, **case.received_with), case.alter(cookie_header(client))


def presented_after(path, option, backend):
    """An app with a server side, and a cookie copied two minutes before: a request then ended its session.

    For a moment a change with such a cookie is not saved (tests/server_side/test_outdated_changes.py).
    """
    clock = Clock(START)
    app = shop(clock=clock, **{option: backend(clock=clock)})
    client = browser(app)
    client.post("/login")
    copied = cookie_header(client)
    client.post(path)
    clock.advance(2 * MINUTE)
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


REJECTED = {
    **{name: lambda name=name: altered_on_its_way(name) for name in CASES},
    "revoked by a logout": lambda: presented_after("/logout", "revocations", MemoryRevocations),
    "revoked by a login": lambda: presented_after("/login", "revocations", MemoryRevocations),
    "revoked with its record": lambda: presented_after("/logout", "store", MemoryStore),
    "revoked, the store never had it": unknown_to_the_store,
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


def test_every_rejection_is_tried():
    statuses = {name.partition(",")[0].partition(" ")[0] for name in REJECTED}
    # What a request writes that lacks its device's proof is not saved: tests/device_binding.
    assert statuses == set(SessionStatus) - {"absent", "valid", "unbound"}


def differing(reference, method, path):
    """The rejections whose response is another one."""
    return [name for name, arrival in REJECTED.items() if answered(*arrival(), method, path) != reference]


@pytest.mark.parametrize(("method", "path"), [request for request in REQUESTS if request[1] != "/destroy"])
def test_a_rejection_is_the_response_to_no_cookie(method, path):
    assert differing(answered(shop(), "", method, path), method, path) == []


def test_a_logout_with_a_rejected_cookie_is_one_response_that_deletes_it():
    reference = answered(shop(), f"{COOKIE}=garbage", "POST", "/destroy")
    assert (b"set-cookie", CLEARED.encode()) in reference[1]
    assert differing(reference, "POST", "/destroy") == []


def test_while_the_store_is_away_a_forged_cookie_is_as_none_and_an_authentic_one_answered_503():
    app, cookie = with_the_store_away()
    assert answered(app, cookie, "GET", "/look/200")[0] == 503
    app, cookie = with_the_store_away()
    assert answered(app, flipped(cookie), "GET", "/look/200") == answered(shop(), "", "GET", "/look/200")
