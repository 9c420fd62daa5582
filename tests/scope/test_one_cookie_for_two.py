"""An app and an app mounted in it, both with a session middleware for one cookie: they share one session."""

import socket
import subprocess
import sys

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware as StarletteMiddleware
from starlette.routing import Host, Mount, Router

from fastsession import ConfigurationError, CurrentSession, LateSessionChangeError, Session, SessionMiddleware
from fastsession.formats import IronSession
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import COOKIE, MINUTE, OLD_SECRET, SECRET, ShopSession, browser, set_cookies, shop
from tests.wire import answer, call, http_scope

PASSWORD = "the forty lanterns of the harbour burn until the morning"
OTHER_PASSWORD = "nobody counted the ninety gulls that left on that evening"


def both(inner_options=None, **options):
    """A shop in which another is mounted."""
    outer = shop(**options)
    outer.mount("/inner", shop(**options | (inner_options or {})))
    return outer


MODES = {
    "cookies": {},
    "revocations": {"revocations": MemoryRevocations()},
    "store": {"store": MemoryStore()},
    "format": {"format": IronSession(password=PASSWORD, cookie_name="__Host-shared")},
}


@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
def test_the_mounted_app_has_the_session_of_the_outer_one(options):
    with browser(both(**options)) as client:
        client.post("/cart/tea")
        assert client.post("/inner/cart/milk").json() == ["tea", "milk"]
        assert client.get("/inner/view").json() == client.get("/view").json() == {"cart": ["tea", "milk"]}
        assert len(set_cookies(client.post("/inner/login"))) == 1
        assert len(set_cookies(client.post("/inner/logout"))) == 1
        assert client.get("/view").json() == {}


def test_each_change_is_one_set_cookie_and_one_event(events):
    client = browser(both(on_event=events.append))
    assert len(set_cookies(client.post("/inner/cart/tea"))) == 1
    assert [event.kind for event in events] == ["created"]


def test_a_third_app_below_has_it_too():
    outer = both()
    outer.routes[-1].app.mount("/innermost", shop())
    client = browser(outer)
    client.post("/inner/innermost/cart/tea")
    assert client.get("/cart").json() == ["tea"]


def test_a_session_of_another_cookie_between_them_stays_its_own():
    outer, middle = shop(), shop(session_cookie="middle")
    outer.mount("/middle", middle)
    middle.mount("/inner", shop())
    client = browser(outer)
    client.post("/cart/tea")
    client.post("/middle/inner/update", json={"note": "written by the innermost"})
    assert client.get("/view").json() == {"cart": ["tea"], "note": "written by the innermost"}


def test_starlettes_session_between_them_does_not_hide_it():
    outer, middle = shop(), FastAPI()
    middle.add_middleware(StarletteMiddleware, secret_key=SECRET)
    middle.mount("/inner", shop())
    outer.mount("/middle", middle)
    client = browser(outer)
    client.post("/middle/inner/update", json={"note": "x"})
    assert client.get("/view").json() == {"note": "x"}


def test_a_websocket_of_the_mounted_app_shares_it():
    outer = both()

    @outer.routes[-1].app.websocket("/socket")
    async def talk(websocket: WebSocket, session: CurrentSession[ShopSession]) -> None:
        session.cart.append("tea")
        await websocket.accept()
        await websocket.close()

    with browser(outer).websocket_connect("wss://testserver/inner/socket") as connection:
        assert [name for name, _ in connection.extra_headers].count(b"set-cookie") == 1


class StaffSession(Session):
    role: str = ""


def staff_app():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=StaffSession, secret_key=SECRET)

    @app.get("/role")
    async def role(session: CurrentSession[StaffSession]) -> str:
        return session.role

    return app


def test_a_mounted_app_with_another_model_is_told_by_the_route_that_declares_it():
    outer = shop()
    outer.mount("/inner", staff_app())
    with pytest.raises(ConfigurationError, match=r"role\(\) declares session: StaffSession, but .* model=ShopSession"):
        browser(outer).get("/inner/role")


DIFFERENT = {
    "secret_key": {"secret_key": OLD_SECRET},
    "audience": {"audience": "staff"},
    "idle_timeout or absolute_timeout": {"idle_timeout": MINUTE},
    "path, domain, same_site, https_only or partitioned": {"same_site": "strict"},
    "store": {"store": MemoryStore()},
    "revocations": {"revocations": MemoryRevocations()},
    "binding": {"binding": lambda _: b"tenant"},
    "not_before": {"not_before": 1_000_000_000},
}


@pytest.mark.parametrize("option", DIFFERENT)
def test_two_that_write_one_cookie_by_other_rules_do_not_start(option):
    message = f"'{COOKIE}' and differ in {option}: .* session_cookie="
    with pytest.raises(ConfigurationError, match=message), browser(both(DIFFERENT[option])):
        pass


def test_two_shared_formats_with_two_passwords_do_not_start():
    formats = [IronSession(password=password, cookie_name="__Host-shared") for password in (PASSWORD, OTHER_PASSWORD)]
    outer = shop(format=formats[0])
    outer.mount("/inner", shop(format=formats[1]))
    with pytest.raises(ConfigurationError, match="differ in format"), browser(outer):
        pass


@pytest.mark.parametrize("option", DIFFERENT)
def test_without_a_start_the_first_request_below_says_so(option):
    client = browser(both(DIFFERENT[option]))
    assert client.get("/cart").json() == []
    with pytest.raises(ConfigurationError, match=f"differ in {option}"):
        client.get("/inner/cart")


def stranger():
    return shop(secret_key=OLD_SECRET)


MOUNTS = {
    "mounted twice over": lambda: Mount("/a", app=Router([Mount("/b", app=stranger())])),
    "wrapped by hand": lambda: Mount("/a", app=SessionMiddleware(FastAPI(), secret_key=OLD_SECRET)),
    "a host": lambda: Host("staff.example", app=stranger()),
    "middleware of the mount": lambda: Mount(
        "/a", routes=[], middleware=[Middleware(SessionMiddleware, secret_key=OLD_SECRET)]
    ),
}


@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_it_is_found_wherever_it_is_mounted(mount):
    outer = shop()
    outer.routes.append(mount())
    with pytest.raises(ConfigurationError, match="differ in secret_key"), browser(outer):
        pass


def test_apps_with_other_cookie_names_and_no_session_start():
    outer = both({"session_cookie": "inner", "secret_key": OLD_SECRET})
    outer.mount("/plain", FastAPI())
    with browser(outer) as client:
        assert client.get("/inner/view").json() == {}


def test_a_server_ends_when_two_write_one_cookie_by_other_rules(tmp_path):
    """uvicorn passes over a lifespan that raises, and not over one that says that the start has failed."""
    (tmp_path / "two_apps.py").write_text(
        "from fastapi import FastAPI\n"
        "from fastsession import SessionMiddleware, generate_key\n"
        "app, inner = FastAPI(), FastAPI()\n"
        "for each in (app, inner):\n"
        "    each.add_middleware(SessionMiddleware, secret_key=generate_key())\n"
        "app.mount('/inner', inner)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "two_apps:app", "--port", str(port), "--app-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "differ in secret_key" in done.stderr


def test_a_scope_that_is_used_again_gets_a_new_session():
    async def app(scope, receive, send):
        scope["session"]["count"] = scope["session"].get("count", 0) + 1
        await answer(send)

    middleware, scope = SessionMiddleware(app, secret_key=SECRET), http_scope()
    for _ in range(2):
        assert any(name == b"set-cookie" for name, _ in call(middleware, scope)[0]["headers"])


def test_a_session_that_the_mounted_app_replaces_too_late_is_told():
    async def late(request: Request) -> StreamingResponse:
        async def body():
            yield b"x"
            request.scope["session"] = {}

        return StreamingResponse(body())

    outer, inner = shop(), shop()
    inner.get("/late")(late)
    outer.mount("/inner", inner)
    with browser(outer) as client:
        client.post("/cart/tea")
        with pytest.raises(LateSessionChangeError, match="came after the response had started"):
            client.get("/inner/late")
        assert client.get("/view").json() == {"cart": ["tea"]}
