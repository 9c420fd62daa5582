"""What a connection is sent when its session could not be had or kept, message by message."""

import asyncio

import pytest

from fastsession import SessionMiddleware, StoreUnavailableError
from fastsession.stores import MemoryStore
from tests.server_side.counting import Counting
from tests.shop import SECRET
from tests.wire import answer, exchange, http_scope


@pytest.fixture
def store():
    return Counting(MemoryStore())


def middleware(app, store):
    return SessionMiddleware(app, secret_key=SECRET, store=store)


def sent_by(app, scope=None):
    return asyncio.run(exchange(app, scope or http_scope()))


async def writing(scope, receive, send):
    scope["session"]["seen"] = True
    await answer(send)


def test_a_response_whose_session_was_not_kept_is_replaced_as_a_whole(store):
    store.fail_on = "create"
    start, body = sent_by(middleware(writing, store))
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"1"
    assert b"set-cookie" not in dict(start["headers"])
    assert (body["body"], body.get("more_body", False)) == (b"Sessions are unavailable", False)


def test_the_application_goes_on_undisturbed_and_unheard(store):
    store.fail_on, finished = "create", []

    async def streaming(scope, receive, send):
        scope["session"]["seen"] = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        finished.append(True)

    assert [message["type"] for message in sent_by(middleware(streaming, store))] == [
        "http.response.start",
        "http.response.body",
    ]
    assert finished


async def failing(scope, receive, send):
    raise StoreUnavailableError("a session could not be ended")


async def failing_late(scope, receive, send):
    await answer(send)
    await failing(scope, receive, send)


def test_an_outage_that_the_application_did_not_handle_is_answered_503(store):
    assert sent_by(middleware(failing, store))[0]["status"] == 503


def test_once_the_response_has_started_it_is_the_server_s_to_see(store):
    with pytest.raises(StoreUnavailableError):
        sent_by(middleware(failing_late, store))


def test_one_answer_is_given_even_if_both_fail(store):
    store.fail_on, sent = "create", []

    async def both(scope, receive, send):
        await writing(scope, receive, send)
        await failing(scope, receive, send)

    async def send(message):
        sent.append(message["type"])

    with pytest.raises(StoreUnavailableError):
        asyncio.run(middleware(both, store)(http_scope(), None, send))
    assert sent == ["http.response.start", "http.response.body"]


def test_a_socket_is_closed_with_try_again_later(store):
    store.fail_on = "create"

    async def accepting(scope, receive, send):
        scope["session"]["seen"] = True
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "unheard"})

    scope = {**http_scope(), "type": "websocket", "scheme": "wss", "subprotocols": []}
    assert sent_by(middleware(accepting, store), scope) == [{"type": "websocket.close", "code": 1013}]


def test_without_a_store_or_revocations_an_error_of_the_application_is_its_own():
    with pytest.raises(StoreUnavailableError):
        sent_by(SessionMiddleware(failing, secret_key=SECRET))


def test_a_lifespan_that_the_application_does_not_support_is_its_own_to_refuse(store):
    async def without_lifespan(scope, receive, send):
        assert scope["type"] == "http"

    with pytest.raises(AssertionError):
        asyncio.run(middleware(without_lifespan, store)({"type": "lifespan"}, None, None))
