"""The handler of Exception runs outside of the session middleware: what it does to the session can't be kept."""

import asyncio

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse

from fastsession import LateSessionChangeError, Lifetime
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import DAY, Current, browser, set_cookies, shop
from tests.wire import exchange, http_scope

MODES = {
    "cookies": {},
    "revocations": {"revocations": MemoryRevocations()},
    "store": {"store": MemoryStore()},
}
WRITES = {
    "set": lambda session: session.update(flash="Something went wrong."),
    "item": lambda session: session.__setitem__("flash", "x"),
    "setdefault": lambda session: session.setdefault("flash", "x"),
    "field": lambda session: session.__setitem__("user_id", 7),
    "delete": lambda session: session.__delitem__("cart"),
    "pop": lambda session: session.pop("cart"),
    "popitem": lambda session: session.popitem(),
    "clear": lambda session: session.clear(),
    "or": lambda session: session.__ior__({"flash": "x"}),
    "mark": lambda session: session.mark_modified(),
}


@pytest.fixture(params=MODES)
def app(request, events):
    app = shop(**MODES[request.param], on_event=events.append, remember=Lifetime(idle=DAY, absolute=DAY))

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError

    @app.get("/boom/late")
    async def boom_late() -> StreamingResponse:
        async def body():
            yield b"first"
            raise RuntimeError

        return StreamingResponse(body())

    return app


def handled_by(app, work):
    """The errors that the handler of Exception met when it did this with its request."""
    met = []

    @app.exception_handler(Exception)
    async def failed(request: Request, _: Exception) -> PlainTextResponse:
        try:
            await work(request)
        except LateSessionChangeError as error:
            met.append(error)
        return PlainTextResponse("sorry", status_code=500)

    return met


def late_changes(events):
    return [(event.path, event.detail) for event in events if event.kind == "late_change"]


@pytest.mark.parametrize("path", ["/boom", "/boom/late"])
@pytest.mark.parametrize("write", WRITES)
def test_a_write_to_request_session_raises_and_is_reported(app, events, write, path):
    async def work(request):
        WRITES[write](request.session)

    met = handled_by(app, work)
    with browser(app, errors_raised=False) as client:
        client.post("/cart/tea")
        client.get(path)
        assert len(met) == 1
        assert "in a handler of Exception" in str(met[0])
        assert late_changes(events) == [(path, "after the request was over")]
        assert client.get("/view").json() == {"cart": ["tea"]}


@pytest.mark.parametrize("verb", ["regenerate", "destroy", "remember"])
@pytest.mark.parametrize("looked_before", [True, False])
def test_a_verb_raises(app, verb, looked_before):
    @app.get("/looked")
    async def looked(session: Current) -> None:
        raise RuntimeError(session.cart)

    async def work(request):
        getattr(request.scope["fastsession"][0].session(), verb)()

    met = handled_by(app, work)
    with browser(app, errors_raised=False) as client:
        client.get("/looked" if looked_before else "/boom")
    assert len(met) == 1


def test_the_session_can_be_read_there(app, events):
    async def work(request):
        seen.append(dict(request.session))

    seen = []
    met = handled_by(app, work)
    with browser(app, errors_raised=False) as client:
        client.post("/cart/tea")
        assert client.get("/boom").text == "sorry"
    assert (seen, met) == ([{"cart": ["tea"]}], [])
    assert late_changes(events) == []


@pytest.mark.parametrize("app", ["cookies"], indirect=True)
def test_a_changed_field_of_the_model_is_reported_when_the_request_ends(app, events):
    @app.get("/looked")
    async def looked(session: Current) -> None:
        session.note = "lost with the exception"
        raise RuntimeError

    async def work(request):
        # After an await, as a handler that looks something up.
        await asyncio.sleep(0)
        request.scope["fastsession"][0].session().user_id = 7

    async def visits():
        for path in ("/boom", "/looked"):
            task = asyncio.create_task(exchange(app, http_scope(path)))
            await asyncio.wait([task])
            assert isinstance(task.exception(), RuntimeError)
            await asyncio.sleep(0)

    handled_by(app, work)
    asyncio.run(visits())
    assert late_changes(events) == [
        ("/boom", "fields: user_id"),
        ("/looked", "no response was sent"),
        ("/looked", "fields: user_id"),
    ]


class Outside:
    """A middleware around ours that writes when the response has been sent."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            with pytest.raises(LateSessionChangeError):
                scope["session"]["seen"] = True


def test_a_middleware_outside_raises_when_it_writes_after_the_response(app, events):
    app.add_middleware(Outside)
    with browser(app) as client:
        assert client.get("/public").status_code == 200
        assert client.post("/cart/tea").status_code == 200
    assert late_changes(events) == []


@pytest.mark.parametrize("app", ["cookies"], indirect=True)
def test_what_a_middleware_outside_changes_while_the_app_still_runs_is_one_event(app, events):
    async def outside(request, call_next):
        response = await call_next(request)
        request.session["seen"] = True
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=outside)
    browser(app).get("/public")
    assert late_changes(events) == [("/public", "fields: seen")]


def test_a_handler_of_a_narrower_class_runs_inside_and_saves(app):
    @app.exception_handler(HTTPException)
    async def failed(request: Request, _: HTTPException) -> PlainTextResponse:
        request.session["flash"] = "Not found."
        return PlainTextResponse("sorry", status_code=404)

    with browser(app) as client:
        assert len(set_cookies(client.get("/nowhere"))) == 1
        assert client.get("/view").json() == {"flash": "Not found."}


def test_an_application_that_runs_in_no_task_fails_as_any_other():
    """A server may call it from a callback of the event loop, where there is no end of a task to wait for."""
    app = shop()
    app.get("/boom")(failing)
    ends = []

    def step():
        running = app(http_scope("/boom"), None, nowhere)
        try:
            running.send(None)
        except RuntimeError as error:
            ends.append(str(error))

    async def main():
        asyncio.get_running_loop().call_soon(step)
        await asyncio.sleep(0.05)

    asyncio.run(main())
    assert ends == ["boom"]


async def failing(session: Current) -> None:
    session.cart.append("tea")
    raise RuntimeError("boom")


async def nowhere(_message):
    pass
