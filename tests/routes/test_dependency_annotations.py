"""Which annotations a dependency's session may have, where the dependency is no plain function."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from fastapi import Depends, FastAPI, Request

from fastsession import ConfigurationError, CurrentSession, Session, SessionMiddleware, get_session
from tests.shop import SECRET, ShopSession, browser

if TYPE_CHECKING:
    from tests.nowhere import Basket


class AdminSession(Session):
    role: str = ""


class Cart:
    async def __call__(self, session: CurrentSession[ShopSession]) -> list[str]:
        return session.cart


async def basket(session: CurrentSession[ShopSession]) -> Basket:
    return session.cart


in_cart = Cart()


def answer(dependency, model):
    """What a page shows that depends on the dependency, behind a middleware with the model."""
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=model, secret_key=SECRET)

    @app.get("/")
    async def page(items=Depends(dependency)) -> list[str]:  # noqa: B008  (the short spelling)
        return items

    return browser(app).get("/").json()


def test_another_model_in_an_object_that_is_a_dependency_is_found():
    assert answer(in_cart, ShopSession) == []
    with pytest.raises(ConfigurationError, match="declares session: ShopSession"):
        answer(in_cart, AdminSession)


def test_a_dependency_with_names_that_only_a_type_checker_knows_is_served():
    assert answer(basket, ShopSession) == []


def test_a_scope_whose_endpoint_is_not_known_has_nothing_to_check():
    async def app(scope, receive, send):
        scope["endpoint"] = None
        assert isinstance(await get_session(Request(scope)), ShopSession)

    middleware = SessionMiddleware(app, model=ShopSession, secret_key=SECRET)
    asyncio.run(middleware({"type": "http", "headers": []}, None, None))
