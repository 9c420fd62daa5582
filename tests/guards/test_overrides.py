"""`dependency_overrides[get_session]` reaches every dependency that gives a session."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request, WebSocket
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from fastsession import CurrentSession, Session, SessionMiddleware, get_session, require, session_of
from fastsession.session import intent_of
from fastsession.testing import sealed_cookies
from tests.shop import SECRET, ShopSession, browser, shop


def signed_in(session):
    return session.user_id is not None


ASKING = {
    "CurrentSession": Depends(get_session),
    "session_of": Depends(session_of(ShopSession)),
    "require": Depends(require(signed_in)),
    "require a model": Depends(require(ShopSession, signed_in)),
    "require model=": Depends(require(signed_in, model=ShopSession)),
    "require fresh": Depends(require(signed_in, fresh=60)),
}
GIVEN = ShopSession(user_id=7)


def plain():
    return GIVEN


async def asynchronous():
    return GIVEN


def generator():
    yield GIVEN


async def asynchronous_generator():
    yield GIVEN


def with_parameters(request: Request, user: Annotated[int, Header()] = 7):
    assert request.url.path == "/user"
    return ShopSession(user_id=user)


def with_dependencies(given: Annotated[ShopSession, Depends(plain)]):
    return given


OVERRIDES = [plain, asynchronous, generator, asynchronous_generator, with_parameters, with_dependencies, lambda: GIVEN]


def asking(depends):
    app = shop()

    @app.get("/user")
    async def user(session: Annotated[ShopSession, depends]) -> int | None:
        return session.user_id

    @app.websocket("/live")
    async def live(socket: WebSocket, session: Annotated[ShopSession, depends]) -> None:
        await socket.accept()
        await socket.send_json(session.user_id)
        await socket.close()

    return app


@pytest.mark.parametrize("override", OVERRIDES)
@pytest.mark.parametrize("depends", ASKING.values(), ids=ASKING)
def test_an_override_of_get_session_is_what_the_route_gets(depends, override):
    app = asking(depends)
    client = browser(app)
    before = client.get("/user")
    app.dependency_overrides[get_session] = override
    assert client.get("/user").json() == 7
    app.dependency_overrides.clear()
    assert client.get("/user").content == before.content


@pytest.mark.parametrize("depends", ASKING.values(), ids=ASKING)
def test_so_it_is_on_a_websocket(depends):
    app = asking(depends)
    app.dependency_overrides[get_session] = plain
    with browser(app).websocket_connect("wss://testserver/live") as socket:
        assert socket.receive_json() == 7


@pytest.mark.parametrize("depends", ASKING.values(), ids=ASKING)
def test_so_it_is_in_an_included_router_and_without_a_middleware(depends):
    router = APIRouter()

    @router.get("/user")
    async def user(session: Annotated[ShopSession, depends]) -> int | None:
        return session.user_id

    app = FastAPI()
    app.include_router(router, prefix="/v1")
    app.dependency_overrides[get_session] = plain
    assert browser(app).get("/v1/user").json() == 7


@pytest.mark.parametrize("depends", list(ASKING.values())[2:], ids=list(ASKING)[2:])
def test_a_requirement_judges_what_the_override_gives(depends):
    app = asking(depends)
    client = browser(app)
    client.post("/login")
    app.dependency_overrides[get_session] = ShopSession
    assert client.get("/user").status_code == 401
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/live"):
        pass


def test_session_of_has_overrides_of_its_own_which_come_first():
    app = asking(ASKING["require a model"])
    app.dependency_overrides[get_session] = ShopSession
    app.dependency_overrides[session_of(ShopSession)] = plain
    assert browser(app).get("/user").json() == 7


def test_an_override_that_adds_to_the_real_session_is_asked_for_its_real_freshness(clock):
    async def with_note(request: Request) -> ShopSession:
        session = await get_session(request)
        session.note = "seen"
        return session

    app = shop(clock=clock)

    @app.get("/user")
    async def user(session: Annotated[ShopSession, ASKING["require fresh"]]) -> str:
        return session.note

    app.dependency_overrides[get_session] = with_note
    client = browser(app)
    client.post("/login")
    assert client.get("/user").json() == "seen"
    clock.advance(61)
    assert client.get("/user").status_code == 401


def test_an_override_of_something_else_changes_nothing():
    app = asking(ASKING["require"])
    app.dependency_overrides[plain] = asynchronous
    client = browser(app)
    assert client.get("/user").status_code == 401
    client.post("/login")
    assert client.get("/user").json() == 42


def needs_a_header(user: Annotated[int, Header()]):
    return ShopSession(user_id=user)


@pytest.mark.parametrize("depends", ASKING.values(), ids=ASKING)
def test_a_request_that_the_override_cannot_use_is_answered_as_fastapi_does(depends):
    app = asking(depends)
    app.dependency_overrides[get_session] = needs_a_header
    assert browser(app).get("/user").status_code == 422
    assert browser(app).get("/user", headers={"user": "7"}).json() == 7


def test_a_route_that_is_none_of_fastapi_s_has_the_real_session():
    async def user(request: Request) -> JSONResponse:
        session = await require(signed_in)(request)
        return JSONResponse((await session_of(ShopSession)(request)).user_id == session.user_id)

    app = shop()
    app.router.routes.append(Route("/user", user))
    app.dependency_overrides[get_session] = plain
    client = browser(app)
    assert client.get("/user").status_code == 401
    client.post("/logout")
    client.cookies.update(sealed_cookies(app, ShopSession(user_id=1)))
    assert client.get("/user").json() is True


def test_what_is_awaited_directly_is_the_real_session():
    app = shop()

    @app.get("/user")
    async def user(request: Request, given: CurrentSession[ShopSession]) -> list[int | None]:
        return [(await get_session(request)).user_id, given.user_id]

    app.dependency_overrides[get_session] = plain
    assert browser(app).get("/user").json() == [None, 7]


def test_another_session_is_not_opened_for_an_override():
    class AdminSession(Session):
        role: str = ""

    app = shop()
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin")

    @app.get("/user")
    async def user(request: Request, session: Annotated[ShopSession, Depends(require(ShopSession, signed_in))]) -> bool:
        return any(each.accessed for each in request.scope["fastsession"])

    app.dependency_overrides[get_session] = plain
    assert browser(app).get("/user").json() is False
    assert intent_of(GIVEN).to_be_saved is False
