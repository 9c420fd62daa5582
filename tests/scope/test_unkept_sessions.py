"""A session that cannot be kept, too large or not JSON: the application's own handler answers, in every mode."""

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from fastsession import FastSessionError, SessionMiddleware, SessionNotSerializableError, SessionTooLargeError
from fastsession.server_side import records
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import SECRET

# More than cookies hold, and than the record that is allowed here.
TOO_LARGE = "x" * 20_000


def modes():
    return {
        "cookies": {},
        "revocations": {"revocations": MemoryRevocations()},
        "store": {"store": MemoryStore()},
        "both": {"store": MemoryStore(), "revocations": MemoryRevocations()},
    }


@pytest.fixture(params=modes())
def app(request, monkeypatch):
    monkeypatch.setattr(records, "MAX_RECORD_SIZE", 10_000)
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key=SECRET, **modes()[request.param])
    app.state.values = {"large": TOO_LARGE, "odd": object()}

    @app.post("/add/{kind}")
    async def add(kind: str, request: Request) -> dict[str, str]:
        request.session["note"] = app.state.values[kind]
        return {"answer": "the route's own"}

    @app.post("/small")
    async def small(request: Request) -> None:
        request.session["note"] = "small"

    @app.post("/login")
    async def login(request: Request) -> None:
        request.session.clear()
        request.session["note"] = TOO_LARGE

    @app.get("/note")
    async def note(request: Request) -> str:
        return request.session.get("note", "none")

    return app


@pytest.fixture
def client(app):
    with TestClient(app, base_url="https://testserver", raise_server_exceptions=False) as client:
        yield client


async def answering(request, error):
    return PlainTextResponse(f"ours: {type(error).__name__}", 413)


def answering_plainly(request, error):
    return PlainTextResponse(f"ours: {type(error).__name__}", 413)


ERRORS = {"large": SessionTooLargeError, "odd": SessionNotSerializableError}


@pytest.mark.parametrize("handler", [answering, answering_plainly])
@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("registered", [None, FastSessionError])
def test_the_application_s_own_handler_answers(app, client, handler, kind, registered):
    app.add_exception_handler(registered or ERRORS[kind], handler)
    client.post("/small")
    answer = client.post(f"/add/{kind}")
    assert (answer.status_code, answer.text) == (413, f"ours: {ERRORS[kind].__name__}")
    assert "set-cookie" not in answer.headers
    assert client.get("/note").json() == "small"


@pytest.mark.parametrize("kind", ERRORS)
def test_without_a_handler_the_error_is_the_application_s(app, client, kind):
    client.post("/small")
    assert client.post(f"/add/{kind}").status_code == 500
    with pytest.raises(ERRORS[kind]), TestClient(app, base_url="https://testserver") as strict:
        strict.post(f"/add/{kind}")
    assert client.get("/note").json() == "small"


def test_a_session_that_cannot_be_replaced_goes_on(app, client):
    app.add_exception_handler(SessionTooLargeError, answering)
    client.post("/small")
    assert client.post("/login").status_code == 413
    assert client.get("/note").json() == "small"


def test_a_mounted_application_s_handler_answers_for_its_own_routes(app, client):
    inner = Starlette(exception_handlers={SessionTooLargeError: answering})

    async def add(request):
        request.session["note"] = TOO_LARGE
        return PlainTextResponse("saved")

    inner.add_route("/add", add)
    app.mount("/inner", inner)
    assert client.get("/inner/add").status_code == 413
    assert client.post("/add/large").status_code == 500


def test_a_websocket_has_no_answer_to_be_replaced(app, client):
    app.add_exception_handler(SessionTooLargeError, answering)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        websocket.session["note"] = TOO_LARGE
        await websocket.accept()

    with pytest.raises(SessionTooLargeError), client.websocket_connect("/socket"):
        pass
