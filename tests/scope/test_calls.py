"""How many functions of the package one request calls.

In a server, where the processor's caches are cold, calls and the code that they touch cost more than the work.
"""

import sys
from pathlib import Path

import pytest
from starlette.requests import Request

import fastsession
from fastsession import SessionMiddleware, get_session
from tests.shop import SECRET, ShopSession
from tests.wire import answer, exchange, http_scope

pytestmark = pytest.mark.anyio

PACKAGE = str(Path(fastsession.__file__).parent)


async def sign_in(request):
    session = await get_session(request)
    session.user_id, session.cart, session.note = 42, ["tea", "milk"], "someone@example.com"


async def read(request):
    await get_session(request)


async def read_by_key(request):
    request.session.get("user_id")


async def change_a_list(request):
    (await get_session(request)).cart.append("sugar")


async def ignore(request):
    pass


@pytest.fixture
async def visit():
    """Send a request with a cookie through the middleware, to a route that does one thing; the new cookie."""
    deed = sign_in

    async def app(scope, receive, send):
        await deed(Request(scope))
        await answer(send)

    middleware = SessionMiddleware(app, model=ShopSession, secret_key=SECRET)

    async def visited(does, cookie=None):
        nonlocal deed
        deed = does
        sent = await exchange(middleware, http_scope(headers=[(b"cookie", cookie)] if cookie else []))
        cookies = [value.partition(b";")[0] for name, value in sent[0]["headers"] if name == b"set-cookie"]
        return cookies[0] if cookies else None

    return visited


async def calls_in(awaitable):
    """How many functions of the package are called until it is done."""
    count = 0

    def hook(frame, event, argument):
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

    sys.setprofile(hook)
    try:
        await awaitable
    finally:
        sys.setprofile(None)
    return count


# At second sight a cookie is put where the process remembers it: once, and with one call.
@pytest.mark.parametrize(("sights", "more"), [(1, 0), (2, 1), (3, 0)], ids=["first sight", "second sight", "known"])
@pytest.mark.parametrize(("does", "most"), [(read, 20), (read_by_key, 20), (change_a_list, 44), (ignore, 7)])
async def test_a_request_calls_few_functions(visit, does, most, sights, more):
    # What is made once in a process is made before.
    for _ in range(3):
        await visit(does, await visit(sign_in))
    cookie = await visit(sign_in)
    for _ in range(sights - 1):
        await visit(does, cookie)
    assert 0 < await calls_in(visit(does, cookie)) <= most + more
