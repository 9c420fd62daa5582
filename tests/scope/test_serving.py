"""What a connection is sent when its session could not be had or kept, message by message."""

import asyncio
from functools import partial

import pytest
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from fastsession import FastSessionError, SessionMiddleware, StoreUnavailableError
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


class Asking:
    """An application with handlers of its own, and what they and its listener were given."""

    def __init__(self, store, **options):
        self.events = []
        self.app = FastAPI()
        self.app.add_middleware(
            SessionMiddleware, secret_key=SECRET, store=store, on_event=self.events.append, **options
        )

        @self.app.post("/")
        async def write(request: Request) -> None:
            request.session["seen"] = True

        @self.app.get("/")
        async def read(request: Request) -> list[str]:
            return list(request.session)

    def client(self, **options):
        return TestClient(self.app, base_url="https://testserver", **options)

    @property
    def outages(self):
        return [(event.path, event.detail) for event in self.events if event.kind == "unavailable"]


async def answering(request, error):
    return PlainTextResponse(f"ours: {request.url.path}", 599)


def answering_plainly(request, error):
    return PlainTextResponse(f"ours: {request.url.path}", 599)


class Answering:
    async def __call__(self, request, error):
        return await answering(request, error)


@pytest.mark.parametrize("handler", [answering, answering_plainly, partial(answering), Answering()])
@pytest.mark.parametrize("kind", [StoreUnavailableError, FastSessionError])
@pytest.mark.parametrize("operation", ["create", "read"])
def test_the_application_s_own_handler_answers_an_outage(store, handler, kind, operation):
    site = Asking(store)
    site.app.add_exception_handler(kind, handler)
    client = site.client()
    if operation == "read":
        client.post("/")
    store.fail_on = operation
    answer = client.post("/")
    assert (answer.status_code, answer.text) == (599, "ours: /")
    assert [path for path, _ in site.outages] == ["/"]


def test_a_handler_of_exception_is_not_asked(store):
    site = Asking(store)
    site.app.add_exception_handler(Exception, answering)
    store.fail_on = "create"
    assert site.client().post("/").status_code == 503


def test_a_mounted_application_s_handler_answers_for_its_own_routes(store):
    site, inner = Asking(store), Starlette(exception_handlers={StoreUnavailableError: answering})

    async def write(request):
        request.session["seen"] = True
        return PlainTextResponse("saved")

    inner.add_route("/write", write)
    site.app.mount("/inner", inner)
    client = site.client()
    store.fail_on = "create"
    assert client.get("/inner/write").status_code == 599
    assert client.post("/").status_code == 503


def test_a_handler_that_fails_is_answered_500(store):
    site = Asking(store)

    @site.app.exception_handler(StoreUnavailableError)
    async def failing(request, error):
        raise RuntimeError

    store.fail_on = "create"
    assert site.client(raise_server_exceptions=False).post("/").status_code == 500


def test_an_outage_is_told_where_sessions_are_then_anonymous(store):
    site = Asking(store, store_outage="anonymous")
    client = site.client()
    client.post("/")
    store.fail_on = "read"
    assert client.get("/").json() == []
    assert [path for path, _ in site.outages] == ["/"]
    assert all(detail for _, detail in site.outages)


def test_cors_headers_are_on_the_503_when_the_cors_middleware_is_outside(store):
    site = Asking(store)
    site.app.add_middleware(CORSMiddleware, allow_origins=["https://front.test"], allow_credentials=True)
    store.fail_on = "create"
    answer = site.client().post("/", headers={"origin": "https://front.test"})
    assert answer.status_code == 503
    assert answer.headers["access-control-allow-origin"] == "https://front.test"


def test_a_handler_may_answer_with_a_stream(store):
    async def streaming(request, error):
        async def body():
            for part in (b"sorry, ", b"later"):
                yield part
                await asyncio.sleep(0)

        return StreamingResponse(body(), 503)

    site = Asking(store)
    site.app.add_exception_handler(StoreUnavailableError, streaming)
    store.fail_on = "create"
    answer = site.client().post("/")
    assert (answer.status_code, answer.text) == (503, "sorry, later")
