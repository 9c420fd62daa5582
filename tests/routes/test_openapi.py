from typing import Annotated

import pytest
from fastapi import Depends, FastAPI

from fastsession import Session, SessionMiddleware, require, session_of
from tests.shop import SECRET, ShopSession, browser, shop


class AdminSession(Session):
    role: str = ""


def document(app):
    return browser(app).get("/openapi.json").json()


def cookie(name):
    return {"type": "apiKey", "in": "cookie", "name": name, "description": "Encrypted session cookie."}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "__Host-app_session"),
        ({"session_cookie": "shop"}, "__Host-shop"),
        ({"https_only": False}, "app_session"),
        ({"path": "/shop"}, "__Secure-app_session"),
    ],
)
def test_a_route_with_a_session_shows_the_cookies_real_name(options, name):
    described = document(shop(**options))
    assert described["components"]["securitySchemes"] == {"SessionCookie": cookie(name)}
    assert described["paths"]["/cart"]["get"]["security"] == [{"SessionCookie": []}]


def test_a_route_without_a_session_asks_for_none():
    assert "security" not in document(shop())["paths"]["/public"]["get"]


def test_neither_the_connection_nor_the_session_becomes_a_parameter():
    assert "parameters" not in document(shop())["paths"]["/cart"]["get"]


def test_require_shows_in_the_same_scheme():
    app = shop()
    app.get("/account", dependencies=[Depends(require(lambda session: session.user_id))])(lambda: None)
    described = document(app)
    assert described["paths"]["/account"]["get"]["security"] == [{"SessionCookie": []}]
    assert described["components"]["securitySchemes"] == {"SessionCookie": cookie("__Host-app_session")}


def test_several_sessions_are_schemes_of_their_own():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin")
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET, session_cookie="shop")

    @app.get("/")
    async def page(
        shopping: Annotated[ShopSession, Depends(session_of(ShopSession))],
        working: Annotated[AdminSession, Depends(require(bool, model=AdminSession))],
    ) -> None: ...

    described = document(app)
    assert described["components"]["securitySchemes"] == {
        "ShopSessionCookie": cookie("__Host-shop"),
        "AdminSessionCookie": cookie("__Host-admin"),
    }


class StaffSession(Session):
    role: str = ""


class ChiefSession(StaffSession):
    level: int = 0


def test_a_derived_model_s_cookie_is_shown_for_the_model_that_a_route_requires():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=ChiefSession, secret_key=SECRET, session_cookie="chief")
    app.get("/", dependencies=[Depends(require(StaffSession, lambda session: session.role))])(lambda: None)
    assert document(app)["components"]["securitySchemes"] == {"StaffSessionCookie": cookie("__Host-chief")}


def test_the_name_is_that_of_the_middleware_built_last():
    for name in ("first", "second"):
        app = shop(session_cookie=name)
        browser(app).get("/public")
        assert document(app)["components"]["securitySchemes"]["SessionCookie"]["name"] == f"__Host-{name}"
