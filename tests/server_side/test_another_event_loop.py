"""A server may run the application in trio's event loop, as `hypercorn -k trio` does: in none of asyncio's.

These run the application step by step, in no event loop at all, where asyncio finds as little as in trio's.
"""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from fastsession import (
    ConfigurationError,
    SessionMiddleware,
    SessionTooLargeError,
    SignedIn,
    closing_when_over,
    recheck,
)
from fastsession.formats import AuthjsSession
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import SECRET
from tests.wire import answer, exchange, http_scope

SERVED = pytest.mark.parametrize(
    ("options", "named"),
    [({"store": MemoryStore()}, "MemoryStore"), ({"revocations": MemoryRevocations()}, "MemoryRevocations")],
)


def without_asyncio(coroutine):
    """What a coroutine returns that never has to wait."""
    with pytest.raises(StopIteration) as returned:
        coroutine.send(None)
    return returned.value.value


def sent_by(app, cookie=b""):
    return without_asyncio(exchange(app, http_scope(headers=[(b"cookie", cookie)] if cookie else [])))


async def counting(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        return
    session = scope["session"]
    if session.get("seen", 0) < 2:
        session["seen"] = session.get("seen", 0) + 1
    assert await recheck(Request(scope)) in ("valid", "absent")
    await answer(send)


def cookies_of(start):
    return [value.partition(b";")[0] for name, value in start["headers"] if name == b"set-cookie"]


def test_cookies_alone_need_no_asyncio():
    app = SessionMiddleware(counting, secret_key=SECRET)
    [first] = cookies_of(sent_by(app)[0])
    [second] = cookies_of(sent_by(app, first)[0])
    assert second != first
    assert cookies_of(sent_by(app, second)[0]) == []


def test_nor_does_a_front_end_whose_cookie_says_all():
    binding = SignedIn(AuthjsSession(secret="a secret of the front end"))
    app = SessionMiddleware(counting, secret_key=SECRET, binding=binding)
    [first] = cookies_of(sent_by(app)[0])
    [second] = cookies_of(sent_by(app, first)[0])
    assert cookies_of(sent_by(app, second)[0]) == []


def test_an_error_of_the_application_stays_what_it_is():
    async def failing(scope, receive, send):
        scope["session"]["seen"] = 1
        raise LookupError

    with pytest.raises(LookupError):
        sent_by(SessionMiddleware(failing, secret_key=SECRET))


def test_a_session_that_cannot_be_kept_is_answered_by_its_handler():
    async def app(scope, receive, send):
        scope["app"] = Handling
        scope["session"]["note"] = "x" * 20_000
        await answer(send)

    async def too_large(request, error):
        return PlainTextResponse("too large", 413)

    class Handling:
        exception_handlers = {SessionTooLargeError: too_large}

    assert sent_by(SessionMiddleware(app, secret_key=SECRET))[0]["status"] == 413


@SERVED
def test_what_needs_asyncio_refuses_to_start_and_says_so(options, named):
    sent = []

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    middleware = SessionMiddleware(counting, secret_key=SECRET, **options)
    with pytest.raises(ConfigurationError, match=rf"{named} needs asyncio.* cookies alone"):
        without_asyncio(middleware({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert f"{named} needs asyncio" in sent[0]["message"]


@SERVED
def test_without_a_lifespan_the_first_request_says_so(options, named):
    with pytest.raises(ConfigurationError, match=rf"{named} needs asyncio"):
        sent_by(SessionMiddleware(counting, secret_key=SECRET, **options))


def test_a_socket_is_told_to_recheck():
    async def accepting(scope, receive, send):
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        assert await recheck(websocket) == "absent"
        async with closing_when_over(websocket):
            pytest.fail("not watched")

    async def connect():
        return {"type": "websocket.connect"}

    sent = []

    async def send(message):
        sent.append(message["type"])

    scope = {**http_scope(), "type": "websocket", "scheme": "wss", "subprotocols": []}
    with pytest.raises(ConfigurationError, match=r"closing_when_over\(\) needs asyncio.* recheck\(websocket\)"):
        without_asyncio(SessionMiddleware(accepting, secret_key=SECRET)(scope, connect, send))
    assert sent == ["websocket.accept"]
