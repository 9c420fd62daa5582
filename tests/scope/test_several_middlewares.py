"""Session middlewares around one another: no session shows up in another one's cookie."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.middleware.sessions import SessionMiddleware as StarletteMiddleware

from fastsession import ConfigurationError, Session, SessionMiddleware, session_of
from fastsession.testing import opened_session
from tests.shop import COOKIE, OLD_SECRET, SECRET, ShopSession, browser, set_cookies, shop


class AdminSession(Session):
    role: str = ""


Shopping = Annotated[ShopSession, Depends(session_of(ShopSession))]
Working = Annotated[AdminSession, Depends(session_of(AdminSession))]


def admin(app):
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin", path="/admin")


@pytest.fixture
def both():
    app = FastAPI()
    admin(app)
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)

    @app.get("/admin/promote")
    async def promote(shopping: Shopping, working: Working) -> None:
        shopping.cart.append("tea")
        working.role = "chief"

    @app.get("/admin/work")
    async def work(working: Working) -> str:
        return working.role

    return app


def names(response):
    return sorted(line.partition("=")[0] for line in set_cookies(response))


def test_each_of_two_sessions_has_its_own_cookie(both):
    client = browser(both)
    assert names(client.get("/admin/promote")) == [COOKIE, "__Secure-admin"]
    assert opened_session(both, client, ShopSession).cart == ["tea"]
    assert opened_session(both, client, AdminSession).role == "chief"


def test_looking_at_one_session_leaves_the_other_unopened(both):
    client = browser(both)
    client.get("/admin/promote")
    client.cookies.set(COOKIE, "garbage", domain="testserver.local", path="/")
    response = client.get("/admin/work")
    assert (response.json(), set_cookies(response)) == ("chief", [])


def test_two_middlewares_of_one_cookie_name_and_two_secrets_are_refused():
    app = shop()
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=OLD_SECRET)
    with pytest.raises(ConfigurationError, match=f"'{COOKIE}' and differ in secret_key: .* another session_cookie="):
        browser(app).get("/public")


def test_a_token_of_one_cookie_name_does_not_open_under_another(both):
    client = browser(both)
    client.get("/admin/promote")
    token = client.cookies[COOKIE]
    response = browser(both).get("/admin/work", headers={"cookie": f"__Secure-admin={token}"})
    assert response.json() == ""
    assert names(response) == []


def dict_app(name):
    """An application that keeps its name in whatever `request.session` it finds."""
    app = FastAPI()

    @app.get("/write")
    async def write(request: Request) -> None:
        request.session[name] = True

    @app.get("/read")
    async def read(request: Request) -> dict[str, bool]:
        return request.session

    return app


def mounted(outer_middleware, inner_middleware):
    """An application mounted in another, each behind a session middleware of its own."""
    outer, inner = dict_app("outer"), dict_app("inner")
    for app, (kind, options) in ((outer, outer_middleware), (inner, inner_middleware)):
        app.add_middleware(kind, secret_key=SECRET, **options)
    outer.mount("/inner", inner)
    return browser(outer)


OURS, OTHERS = (SessionMiddleware, {}), (SessionMiddleware, {"session_cookie": "inner"})
STARLETTES = (StarletteMiddleware, {})


@pytest.mark.parametrize(
    ("outer", "inner", "outer_cookie", "inner_cookie"),
    [
        (OURS, OTHERS, COOKIE, "__Host-inner"),
        (OURS, STARLETTES, COOKIE, "session"),
        (STARLETTES, OURS, "session", COOKIE),
    ],
)
def test_a_mounted_applications_session_does_not_leak_into_the_outer_one(outer, inner, outer_cookie, inner_cookie):
    client = mounted(outer, inner)
    wrote_inside = client.get("/inner/write")
    assert inner_cookie in names(wrote_inside)
    assert client.get("/read").json() == {}
    client.get("/write")
    assert client.get("/read").json() == {"outer": True}
    assert client.get("/inner/read").json() == {"inner": True}
    assert outer_cookie in client.cookies


@pytest.mark.parametrize("inner", [OTHERS, STARLETTES])
def test_our_outer_cookie_is_not_set_for_what_a_mounted_application_does(inner):
    client = mounted(OURS, inner)
    assert COOKIE not in names(client.get("/inner/write"))


def test_starlettes_middleware_outside_ours_keeps_its_own_session():
    app = dict_app("ours")
    app.add_middleware(SessionMiddleware, secret_key=SECRET)
    app.add_middleware(StarletteMiddleware, secret_key=SECRET)
    client = browser(app)
    assert names(client.get("/write")) == [COOKIE]
    assert client.get("/read").json() == {"ours": True}


def test_a_dict_that_the_application_puts_in_the_sessions_place_is_refused():
    app = dict_app("kept")
    app.add_middleware(SessionMiddleware, secret_key=SECRET)

    @app.get("/replace")
    async def replace(request: Request) -> None:
        request.session["kept"] = False
        request.scope["session"] = {"foreign": True}

    client = browser(app)
    client.get("/write")
    with pytest.raises(ConfigurationError, match="another dict, which is not saved"):
        client.get("/replace")
    assert client.get("/read").json() == {"kept": True}


def test_get_session_finds_the_only_session_of_a_mounted_application():
    outer = FastAPI()
    outer.mount("/shop", shop())
    client = browser(outer)
    client.post("/shop/cart/tea")
    assert client.get("/shop/cart").json() == ["tea"]
