"""What requests leave behind: no reference cycles, and nothing that grows with visitors."""

import asyncio
import gc
from datetime import UTC, datetime

import pytest

from fastsession import SessionMiddleware, starlette
from fastsession.formats import FlaskSession, IronSession, Migration, StarletteSession
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import sealed_cookies
from tests.shop import COOKIE, IDLE, SECRET, ShopSession, browser, cookie_header, shop
from tests.wire import answer, exchange, http_scope


async def served(middleware, scopes):
    for scope in scopes:
        await exchange(middleware, scope)


@pytest.mark.parametrize("arrives", ["absent", "valid", "due", "rejected"])
@pytest.mark.parametrize("does", ["ignore", "read", "write"])
def test_a_request_leaves_no_reference_cycle_behind(clock, arrives, does):
    async def inner(scope, receive, send):
        if does != "ignore":
            cart = scope["session"].setdefault("cart", [])
            if does == "write":
                cart.append("tea")
        await answer(send)

    middleware = SessionMiddleware(inner, model=ShopSession, secret_key=SECRET, clock=clock)
    client = browser(shop(clock=clock))
    client.post("/cart/tea")
    cookie = {"absent": b"", "rejected": COOKIE.encode() + b"=garbage"}.get(arrives, cookie_header(client).encode())
    clock.advance(IDLE // 2 if arrives == "due" else 1)
    assert cycles_left(middleware, cookie) == 0


def cycles_left(middleware, cookie):
    """How many objects of forty requests only the garbage collector finds."""
    requests = [http_scope(headers=[(b"cookie", cookie)]) for _ in range(50)]

    async def collected():
        await served(middleware, requests[:10])
        gc.collect()
        gc.disable()
        await served(middleware, requests[10:])
        requests.clear()
        try:
            return gc.collect()
        finally:
            gc.enable()

    return asyncio.run(collected())


PASSWORD = "nine grey herons stood in the 4th field"
UNTIL = datetime(2040, 1, 1, tzinfo=UTC)
SITES = {
    "cookies alone": SessionMiddleware,
    "binding": lambda app, **options: SessionMiddleware(app, binding=lambda _: b"a tenant", **options),
    "store": lambda app, **options: SessionMiddleware(app, store=MemoryStore(), **options),
    "revocations": lambda app, **options: SessionMiddleware(app, revocations=MemoryRevocations(), **options),
    "migrating": lambda app, **options: SessionMiddleware(
        app,
        migrate_from=[
            Migration(StarletteSession(secret_key=PASSWORD, cookie_name="signed"), accept_until=UNTIL),
            Migration(FlaskSession(secret_key=PASSWORD, cookie_name="flask"), accept_until=UNTIL),
        ],
        **options,
    ),
    "shared": lambda app, **options: SessionMiddleware(
        app, format=IronSession(cookie_name="iron", password=PASSWORD), **options
    ),
    "in Starlette's place": lambda app, **options: starlette.SessionMiddleware(
        app, PASSWORD, session_cookie=COOKIE, https_only=True
    ),
}


@pytest.mark.parametrize("cookies", ["one", "two", "forged and valid", "two sessions", "chunks", "others'"])
@pytest.mark.parametrize("site", SITES)
def test_a_rejected_cookie_leaves_no_reference_cycle_behind(clock, site, cookies):
    async def inner(scope, receive, send):
        scope["session"].get("x")
        await answer(send)

    middleware = SITES[site](inner, model=ShopSession, secret_key=SECRET, clock=clock)
    first, second = (
        sealed_cookies(SessionMiddleware(inner, model=ShopSession, secret_key=SECRET, clock=clock), ShopSession())
        for _ in range(2)
    )
    forged = f"{COOKIE}={first[COOKIE][:-40]}{'A' * 40}"
    chunks = f"{COOKIE}=2.ABCDEFGH.{first[COOKIE][:12]}{'A' * 3_000}"
    header = {
        "one": forged,
        "two": f"{forged}; {forged}",
        "forged and valid": f"{forged}; {COOKIE}={first[COOKIE]}",
        "two sessions": f"{COOKIE}={first[COOKIE]}; {COOKIE}={second[COOKIE]}",
        "chunks": f"{chunks}; {chunks}",
        "others'": "signed=e30=.a.b; flask=e30.a.b; iron=Fe26.2*1*a*b*c*d*e*f; iron=x",
    }
    assert cycles_left(middleware, header[cookies].encode()) == 0


def test_garbage_cookies_leave_nothing_behind(clock):
    async def inner(scope, receive, send):
        scope["session"].mark_accessed()
        await answer(send)

    middleware = SessionMiddleware(inner, secret_key=SECRET, clock=clock)

    def garbage(count):
        shapes = ("garbage-{}", "AQAA" + "A" * 200 + "{}", "2.abcdefgh.{}")
        lines = [f"{COOKIE}={shapes[number % 3].format(number)}".encode() for number in range(count)]
        return [http_scope(headers=[(b"cookie", line)]) for line in lines]

    async def growth():
        await served(middleware, garbage(30))
        gc.collect()
        before = len(gc.get_objects())
        await served(middleware, garbage(1_000))
        gc.collect()
        return len(gc.get_objects()) - before

    assert asyncio.run(growth()) < 50
