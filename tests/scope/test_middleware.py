import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware

from fastsession import SessionMiddleware
from tests.shop import COOKIE, IDLE, SECRET, browser, cookie_header, shop
from tests.wire import answer, call, http_scope


async def shows_session(scope, receive, send):
    scope["session"]["seen"] = True
    await answer(send)


def test_any_asgi_application_can_be_wrapped():
    messages = call(SessionMiddleware(shows_session, secret_key=SECRET))
    assert [message["type"] for message in messages] == ["http.response.start", "http.response.body"]
    assert dict(messages[0]["headers"])[b"set-cookie"].startswith(COOKIE.encode())


@pytest.mark.parametrize(("look", "name"), [("setdefault", b"set-cookie"), ("get", b"vary")])
def test_a_response_start_without_headers_gets_them(look, name):
    async def bare(scope, receive, send):
        getattr(scope["session"], look)("seen", 1)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    messages = call(SessionMiddleware(bare, secret_key=SECRET))
    assert name in dict(messages[0]["headers"])


def test_starlette_takes_it_as_a_middleware_of_its_own():
    app = Starlette(middleware=[Middleware(SessionMiddleware, secret_key=SECRET)])
    assert browser(app).get("/").status_code == 404


def test_lifespan_and_unknown_scopes_pass_untouched():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope)

    for kind in ("lifespan", "something-new"):
        asyncio.run(SessionMiddleware(inner, secret_key=SECRET)({"type": kind}, None, None))
    assert seen == [{"type": "lifespan"}, {"type": "something-new"}]


def test_startup_and_shutdown_reach_the_application():
    steps = []

    @asynccontextmanager
    async def lifespan(app):
        steps.append("up")
        yield
        steps.append("down")

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    with browser(app):
        pass
    assert steps == ["up", "down"]


def test_a_middleware_is_not_changed_by_the_requests_it_serves(clock):
    middleware = SessionMiddleware(shows_session, secret_key=SECRET, clock=clock)
    before = {name: id(value) for name, value in vars(middleware).items()}
    client = browser(middleware)
    client.get("/")
    clock.advance(timedelta(seconds=IDLE))
    client.get("/")
    assert {name: id(value) for name, value in vars(middleware).items()} == before


@pytest.mark.parametrize(
    "cookies",
    [
        "=", ";", "; ;", "=value", f"={COOKIE}=bad", COOKIE, f"{COOKIE}=", f'{COOKIE}="quoted"', f"{COOKIE}=\xff\xfe",
        f"{COOKIE}=.", f"{COOKIE}=2.", f"{COOKIE}=2.abcdefgh.", f"{COOKIE}=9.abcdefgh.x", f"{COOKIE}=2.{'é' * 8}.x",
        f"{COOKIE}.1=2.abcdefgh.x", f"{COOKIE}.1=x; {COOKIE}.2=x", f"{COOKIE}=a; " * 100, f"{COOKIE}={'A' * 100_000}",
        "a=;" * 2_700, f"$Version=1; {COOKIE}=x", f"{COOKIE}==", f"{COOKIE}={'A' * 200}==", "\x00", "é=ü",
    ],
    ids=lambda value: ascii(value[:30]),
)  # fmt: skip
def test_no_cookie_header_is_an_error_or_a_session(cookies):
    scope = http_scope("/view", headers=[(b"cookie", cookies.encode("latin-1"))])
    start, body = call(shop(), scope)
    assert (start["status"], body["body"]) == (200, b"{}")


def test_a_cookie_under_anothers_name_is_nobodys_session(client):
    client.post("/cart/tea")
    value = cookie_header(client).partition("=")[2]
    for line in (f"={COOKIE}={value}", f"x{COOKIE}={value}", f"\xa0{COOKIE}={value}", f"{COOKIE} ={value}"):
        start, body = call(shop(), http_scope("/view", headers=[(b"cookie", line.encode("latin-1"))]))
        assert (start["status"], body["body"]) == (200, b"{}")


def test_a_middleware_inside_may_change_the_session_after_the_route_has_answered():
    app = shop()

    @app.middleware("http")
    async def count(request, call_next):
        response = await call_next(request)
        request.session["answers"] = request.session.get("answers", 0) + 1
        return response

    inner, outer = app.user_middleware
    app.user_middleware[:] = [outer, inner]
    client = browser(app)
    client.get("/public")
    client.get("/public")
    assert client.get("/view").json() == {"answers": 2}
