"""`SessionMiddleware.with_options(...)`: options that are checked where they are written, and shown nowhere."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from fastsession import ConfigurationError, SessionMiddleware
from fastsession.server_side.serving import middlewares_below
from fastsession.stores import MemoryStore
from fastsession.testing import opened_session, set_session
from tests.shop import SECRET, ShopSession, browser, router

HOST = "https://testserver"


def site(**options):
    app = FastAPI()
    app.add_middleware(SessionMiddleware.with_options(secret_key=SECRET, model=ShopSession, **options))
    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"secret_key": "changeme"}, ConfigurationError),
        ({"secret_key": SECRET, "max_sessions": 1}, ConfigurationError),
        ({"secret_key": SECRET, "max_age": 1}, TypeError),
        ({}, TypeError),
    ],
)
def test_a_mistake_stops_the_module_that_makes_it(options, error):
    with pytest.raises(error):
        SessionMiddleware.with_options(**options)


@pytest.mark.parametrize("options", [{}, {"store": MemoryStore()}], ids=["cookies", "store"])
def test_sessions_work_as_with_options_given_to_add_middleware(options):
    app = site(**options)
    client = browser(app)
    client.post("/cart/tea")
    assert client.get("/cart").json() == ["tea"]
    assert opened_session(app, client).cart == ["tea"]
    set_session(app, client, ShopSession(user_id=7))
    assert client.get("/view").json() == {"user_id": 7}


def test_no_repr_shows_the_secret():
    app = site(secret_key_fallbacks=[SECRET[::-1]])
    made = app.user_middleware[0].cls
    shown = [app.user_middleware, made, made(app), vars(made), vars(app)]
    assert repr(app.user_middleware) == "[Middleware(SessionMiddleware)]"
    assert not [each for each in shown if SECRET in repr(each) or SECRET[::-1] in repr(each)]


def test_code_that_looks_for_the_middleware_finds_it():
    app = site()
    assert issubclass(app.user_middleware[0].cls, SessionMiddleware)
    assert [type(found) for found in middlewares_below(app, SessionMiddleware)] == [app.user_middleware[0].cls]


def test_starlette_takes_it_in_a_list_and_around_an_application():
    made = SessionMiddleware.with_options(secret_key=SECRET)

    async def count(request):
        request.session["n"] = request.session.get("n", 0) + 1
        return PlainTextResponse(str(request.session["n"]))

    listed = Starlette(middleware=[Middleware(made)])
    bare = Starlette()
    for app in (listed, bare):
        app.add_route("/", count)
    for app in (listed, made(bare)):
        client = TestClient(app, base_url=HOST)
        assert [client.get("/").text for _ in range(2)] == ["1", "2"]


def test_another_middleware_on_its_cookie_with_other_rules_is_refused_at_start_up():
    app = FastAPI()
    app.mount("/inner", site(idle_timeout=60))
    app.add_middleware(SessionMiddleware.with_options(secret_key=SECRET, model=ShopSession))
    with pytest.raises(ConfigurationError, match="idle_timeout"), TestClient(app):
        pass


class Counting(SessionMiddleware):
    built = 0

    def __init__(self, app, **options):
        type(self).built += 1
        super().__init__(app, **options)


def test_a_middleware_of_one_s_own_that_derives_from_ours_is_built_by_its_own_rules():
    app = FastAPI()
    app.add_middleware(Counting.with_options(secret_key=SECRET))

    @app.get("/")
    async def home(request: Request) -> int:
        return len(request.session)

    assert TestClient(app, base_url=HOST).get("/").json() == 0
    assert app.user_middleware[0].cls.built > 0
