"""What requests leave behind: no reference cycles, and nothing that grows with visitors."""

import asyncio
import gc

import pytest

from fastsession import SessionMiddleware
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

    assert asyncio.run(collected()) == 0


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
