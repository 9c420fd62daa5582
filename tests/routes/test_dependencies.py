import asyncio
import threading
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from pydantic import Field

from fastsession import ConfigurationError, CurrentSession, Session, SessionMiddleware, get_session, session_of
from tests.shop import SECRET, ShopSession, browser, shop


class AdminSession(Session):
    role: str = ""


class VipSession(ShopSession):
    points: int = 0


def answering(endpoint, *middlewares):
    """A client of an application with one route and these middlewares, the last the outermost."""
    app = FastAPI()
    app.get("/")(endpoint)
    for options in middlewares:
        app.add_middleware(SessionMiddleware, **{"secret_key": SECRET, **options})
    return browser(app)


async def shops_cart(session: CurrentSession[ShopSession]) -> list[str]:
    return session.cart


async def admins_role(session: CurrentSession[AdminSession]) -> str:
    return session.role


def test_without_the_middleware_the_error_says_what_to_add():
    with pytest.raises(ConfigurationError, match=r"app\.add_middleware\(SessionMiddleware, secret_key=\.\.\., model="):
        answering(shops_cart).get("/")


def test_another_model_than_the_middlewares_is_an_error_that_says_what_to_write():
    with pytest.raises(ConfigurationError) as caught:
        answering(shops_cart, {"model": AdminSession}).get("/")
    message = str(caught.value)
    assert "shops_cart() declares session: ShopSession" in message
    assert "Write session: AdminSession" in message
    assert "SessionMiddleware(..., model=ShopSession)" in message


def test_another_model_in_a_sub_dependency_is_found_too():
    async def cart(session: Annotated[ShopSession, Depends(get_session)]) -> list[str]:
        return session.cart

    async def page(items: Annotated[list[str], Depends(cart)]) -> list[str]:
        return items

    with pytest.raises(ConfigurationError, match=r"cart\(\) declares session: ShopSession"):
        answering(page, {"model": AdminSession}).get("/")


def test_another_model_in_a_class_that_is_a_dependency_is_found_too():
    class Cart:
        def __init__(self, session: CurrentSession[ShopSession]) -> None:
            self.items = session.cart

    async def page(cart: Annotated[Cart, Depends(Cart)]) -> list[str]:
        return cart.items

    with pytest.raises(ConfigurationError, match="declares session: ShopSession"):
        answering(page, {"model": AdminSession}).get("/")


@pytest.mark.parametrize("annotation", [Session, ShopSession, VipSession])
def test_a_base_class_of_the_middlewares_model_is_a_fitting_annotation(annotation):
    async def page(session: Annotated[annotation, Depends(get_session)]) -> str:
        return type(session).__name__

    assert answering(page, {"model": VipSession}).get("/").json() == "VipSession"


def test_a_dependency_without_an_annotation_is_served():
    async def page(session=Depends(get_session)) -> str:  # noqa: B008  (the short spelling)
        return type(session).__name__

    assert answering(page, {"model": ShopSession}).get("/").json() == "ShopSession"


TWO = ({"model": ShopSession}, {"model": AdminSession, "session_cookie": "admin"})


def test_with_several_middlewares_the_error_says_which_models_there_are_and_what_to_write():
    with pytest.raises(ConfigurationError) as caught:
        answering(admins_role, *TWO).get("/")
    assert "admins_role() declares session: AdminSession" in str(caught.value)
    assert "AdminSession, ShopSession" in str(caught.value)
    assert "Depends(session_of(AdminSession))" in str(caught.value)


def test_with_several_middlewares_get_session_gives_the_innermost_as_request_session_does():
    async def page(request: Request, session: CurrentSession[ShopSession]) -> dict[str, object]:
        session.cart.append("tea")
        return dict(request.session)

    assert answering(page, *TWO).get("/").json() == {"cart": ["tea"]}


def test_session_of_finds_the_session_of_a_model_among_several():
    async def page(
        shopping: Annotated[ShopSession, Depends(session_of(ShopSession))],
        working: Annotated[AdminSession, Depends(session_of(AdminSession))],
    ) -> list[str]:
        return [type(shopping).__name__, type(working).__name__]

    assert answering(page, *TWO).get("/").json() == ["ShopSession", "AdminSession"]


@pytest.mark.parametrize("middlewares", [TWO, TWO[:1], ()])
def test_session_of_a_model_that_no_middleware_has_is_an_error(middlewares):
    async def page(session: Annotated[VipSession, Depends(session_of(VipSession))]) -> None: ...

    with pytest.raises(ConfigurationError, match="model="):
        answering(page, *middlewares).get("/")


def test_session_of_two_middlewares_of_one_model_is_ambiguous():
    async def page(session: Annotated[ShopSession, Depends(session_of(ShopSession))]) -> None: ...

    both = ({"model": ShopSession}, {"model": ShopSession, "session_cookie": "other"})
    with pytest.raises(ConfigurationError, match="needs one middleware with model=ShopSession"):
        answering(page, *both).get("/")


def test_session_of_one_model_is_one_dependency_so_that_fastapi_runs_it_once():
    assert session_of(ShopSession) is session_of(ShopSession)


def test_every_dependency_of_a_request_gets_the_same_session():
    async def user(session: CurrentSession[ShopSession]) -> int:
        return id(session)

    async def page(seen: Annotated[int, Depends(user)], session: CurrentSession[ShopSession]) -> bool:
        return seen == id(session)

    assert answering(page, {"model": ShopSession}).get("/").json() is True


def test_a_synchronous_route_has_its_session_too():
    def page(session: CurrentSession[ShopSession]) -> list[str]:
        session.cart.append("tea")
        return session.cart

    client = answering(page, {"model": ShopSession})
    client.get("/")
    assert client.get("/").json() == ["tea", "tea"]


class Traced(Session):
    opened_in: int = Field(default_factory=threading.get_ident)


def test_the_session_is_opened_in_the_event_loop_and_never_in_the_thread_pool():
    async def loop_thread() -> int:
        return threading.get_ident()

    def page(
        session: Annotated[Traced, Depends(get_session)], loop: Annotated[int, Depends(loop_thread)]
    ) -> list[bool]:
        return [session.opened_in == loop, threading.get_ident() == loop]

    assert answering(page, {"model": Traced}).get("/").json() == [True, False]


def test_it_may_be_awaited_with_any_connection_outside_of_fastapis_dependencies():
    async def page(request: Request) -> str:
        return type(await get_session(request)).__name__

    assert answering(page, {"model": ShopSession}).get("/").json() == "ShopSession"
    assert asyncio.iscoroutinefunction(get_session.__call__)


def test_a_websocket_route_is_served_by_the_same_dependency():
    app = shop()

    @app.websocket("/live")
    async def live(socket: WebSocket, session: CurrentSession[ShopSession]) -> None:
        await socket.accept()
        await socket.send_json(session.cart)
        await socket.close()

    with browser(app).websocket_connect("wss://testserver/live") as socket:
        assert socket.receive_json() == []


def test_a_middleware_outside_of_ours_is_told_the_order():
    app = shop()

    @app.middleware("http")
    async def greet(request: Request, call_next):
        await get_session(request)
        return await call_next(request)

    with pytest.raises(ConfigurationError, match="runs outside of the session middleware") as caught:
        browser(app).get("/cart")
    assert "The middleware added last is the outermost" in str(caught.value)


def test_a_middleware_inside_of_ours_has_the_session():
    app = FastAPI()

    @app.middleware("http")
    async def greet(request: Request, call_next):
        (await get_session(request)).cart.append("tea")
        return await call_next(request)

    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)
    app.get("/")(shops_cart)
    assert browser(app).get("/").json() == ["tea"]


def test_an_applications_dependency_override_replaces_the_session():
    app = shop()
    app.dependency_overrides[get_session] = lambda: ShopSession(cart=["given"])
    assert browser(app).get("/cart").json() == ["given"]
