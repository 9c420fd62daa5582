"""Stores and revocations start and stop with the application, with or without a lifespan, in any event loop."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from fastapi import WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.websockets import WebSocketDisconnect

from fastsession import ConfigurationError, SessionMiddleware, StoreUnavailableError
from fastsession.stores import MemoryStore, SQLiteStore
from tests.processes import told_by_failed_start
from tests.server_side.site import replayed, router
from tests.shop import SECRET, Current, ShopSession, cookie_header, shop
from tests.shop import browser as threaded_browser

LIVE = "wss://testserver/live"


class Watched(MemoryStore):
    """Counts its starts and stops, and can be one that does not come up."""

    def __init__(self, **options):
        super().__init__(**options)
        self.told = []
        self.absent = False

    async def start(self):
        self.told.append("start")
        # Others come meanwhile.
        await asyncio.sleep(0.01)
        if self.absent:
            raise StoreUnavailableError("not there")

    async def stop(self):
        self.told.append("stop")


def served(**options):
    app = shop(**options)
    app.include_router(router)

    @app.websocket("/live")
    async def live(socket: WebSocket, session: Current) -> None:
        session.cart.append("over the socket")
        await socket.accept()
        await socket.send_json([session.user_id, session.cart])
        await socket.close()

    return app


@pytest.fixture
def client(home, mode):
    with threaded_browser(served(**home.options(mode))) as client:
        yield client


def test_a_start_up_that_fails_stops_the_store():
    store = Watched()
    app = served(store=store)

    @app.post("/account")
    async def account(session: ShopSession) -> None: ...

    with pytest.raises(ConfigurationError), threaded_browser(app):
        pass
    assert store.told == ["start", "stop"]


def test_the_lifespan_starts_and_stops_the_store_once():
    store = Watched()
    with threaded_browser(served(store=store)) as client:
        assert store.told == ["start"]
        client.post("/login/42")
        assert client.get("/who").json() == [42, "valid"]
    assert store.told == ["start", "stop"]


def test_without_a_lifespan_the_first_request_of_each_event_loop_starts_it():
    store = Watched()
    client = threaded_browser(served(store=store))
    client.post("/login/42")
    assert client.get("/who").json() == [42, "valid"]
    assert store.told == ["start", "start"]


def test_requests_that_come_at_once_start_it_once_in_one_loop_after_the_other():
    store, answers = Watched(), []
    app = served(store=store)

    async def together():
        answers.append(await asyncio.gather(*(replayed(app, {}) for _ in range(5))))

    for _ in range(3):
        asyncio.run(together())
    assert store.told == ["start"] * 3
    assert answers == [[[None, "absent"]] * 5] * 3


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_sessions_last_over_several_event_loops(home, mode):
    app = served(**home.options(mode))
    client = threaded_browser(app)
    client.post("/login/42")
    copied = cookie_header(client)
    assert client.get("/who").json() == [42, "valid"]
    client.post("/logout")
    assert threaded_browser(app).get("/who", headers={"cookie": copied}).json() == [None, "revoked"]
    with threaded_browser(app):
        pass


def test_a_store_that_does_not_come_up_stops_the_start_of_the_application(tmp_path):
    client = threaded_browser(served(store=SQLiteStore(tmp_path / "missing" / "sessions.db")))
    with pytest.raises(StoreUnavailableError), client:
        pass


@pytest.mark.parametrize(
    ("error", "told"),
    [*((ours, "a refused password") for ours in (StoreUnavailableError, ConfigurationError)), (OSError, "OSError")],
)
def test_a_server_is_told_that_the_start_has_failed_and_does_not_go_on_without_a_lifespan(error, told):
    store, sent, begun = Watched(), [], []

    async def start():
        raise error("a refused password")

    @asynccontextmanager
    async def begin(app):
        begun.append(app)
        yield

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    store.start = start
    app = Starlette(lifespan=begin, middleware=[Middleware(SessionMiddleware, secret_key=SECRET, store=store)])
    with pytest.raises(error, match="a refused password"):
        asyncio.run(app({"type": "lifespan", "app": app, "state": {}}, receive, send))
    assert sent == [{"type": "lifespan.startup.failed", "message": told}]
    assert begun == []


MISSING = """
import uvicorn
from fastapi import FastAPI
from fastsession import SessionMiddleware, generate_key
from fastsession.stores import SQLiteStore

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=generate_key(), store=SQLiteStore("/missing/sessions.db"))
uvicorn.run(app, port=0, lifespan="auto")
"""


def test_uvicorn_does_not_start_without_the_file_s_folder():
    assert "SQLite failed: " in told_by_failed_start(MISSING)


@pytest.mark.parametrize(("outage", "status"), [("unavailable", 503), ("anonymous", 200)])
def test_one_that_the_first_request_finds_missing_follows_the_policy_and_is_tried_again(outage, status):
    store = Watched()
    store.absent = True
    client = threaded_browser(served(store=store, store_outage=outage))
    assert client.get("/who").status_code == status
    store.absent = False
    client.post("/login/42")
    assert client.get("/who").json() == [42, "valid"]


def test_a_socket_reads_and_writes_its_session(client):
    client.post("/login/42")
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_json() == [42, ["over the socket"]]
    client.post("/logout")
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_json() == [None, ["over the socket"]]


def test_a_socket_is_refused_before_it_opens_while_the_store_is_away():
    store = Watched()
    store.absent = True
    client = threaded_browser(served(store=store))
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(LIVE):
        pass
    assert refused.value.code == 1013


@pytest.mark.parametrize("module", ["fastsession", "fastsession.stores", "fastsession.testing"])
def test_the_core_needs_neither_redis_nor_sqlite(module):
    code = f"import sys, {module}; print(sorted({{'redis', 'sqlite3'}} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
