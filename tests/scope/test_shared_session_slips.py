"""What an app forgets below a mounted middleware that shares the outer one's cookie."""

import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware

from fastsession import ConfigurationError, LateSessionChangeError, SessionMiddleware
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import SECRET, ShopSession, browser, set_cookies, shop
from tests.wire import answer, call

MODES = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}


async def replace_scope(request: Request, contents: bool = False) -> None:
    request.scope["session"] = {"user_id": 1} if contents else {}


async def take_from_body(session: ShopSession) -> int | None:
    return session.user_id


async def pass_on(request, call_next):
    return await call_next(request)


@pytest.fixture(params=MODES)
def options(request):
    return MODES[request.param]()


@pytest.fixture(params=["plain", "behind another middleware"])
def app(request, options):
    outer, inner = shop(**options), shop(**options)
    for each in (outer, inner):
        each.post("/replace")(replace_scope)
        if request.param != "plain":
            each.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    outer.mount("/inner", inner)
    return outer


@pytest.mark.parametrize("path", ["/replace", "/inner/replace"])
def test_an_empty_dict_in_the_scope_signs_out(app, path):
    client = browser(app)
    client.post("/login")
    assert "Max-Age=0" in set_cookies(client.post(path))[0]
    assert client.get("/view").json() == {}


@pytest.mark.parametrize("path", ["/replace", "/inner/replace"])
def test_a_dict_with_contents_in_the_scope_is_refused(app, path):
    client = browser(app)
    client.post("/login")
    with pytest.raises(ConfigurationError, match="clear"):
        client.post(f"{path}?contents=true")


async def replace_late(request: Request) -> StreamingResponse:
    async def body():
        request.scope["session"] = {}
        yield b""

    return StreamingResponse(body())


@pytest.mark.parametrize("path", ["/late", "/inner/late"])
def test_an_empty_dict_in_the_scope_after_the_response_has_started_is_refused(options, path):
    outer, inner = shop(**options), shop(**options)
    for each in (outer, inner):
        each.post("/late")(replace_late)
    outer.mount("/inner", inner)
    client = browser(outer)
    client.post("/login")
    with pytest.raises(LateSessionChangeError):
        client.post(path)
    assert client.get("/view").json() == {"user_id": 42}


@pytest.mark.parametrize("middlewares", [1, 2])
def test_the_same_of_an_asgi_application_below(options, middlewares):
    async def replace(scope, receive, send):
        await answer(send)
        scope["session"] = {}

    app = replace
    for _ in range(middlewares):
        app = SessionMiddleware(app, secret_key=SECRET, **options)
    with pytest.raises(LateSessionChangeError):
        call(app)


class Wrapper:
    """An ASGI middleware that keeps its application under a name of its own."""

    def __init__(self, wrapped):
        self.wrapped = wrapped

    async def __call__(self, scope, receive, send):
        await self.wrapped(scope, receive, send)


def test_a_session_taken_from_the_request_is_refused_below_a_shared_session():
    inner = shop()
    inner.post("/slip")(take_from_body)
    outer = shop()
    outer.mount("/inner", Wrapper(inner))
    with pytest.raises(ConfigurationError, match="session"):
        browser(outer).post("/inner/slip", json={"user_id": 42})
