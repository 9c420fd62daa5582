"""Conditions of `require` and `signed_in`: asynchronous ones are awaited, and those that never refuse are errors."""

from functools import partial
from math import hypot
from operator import attrgetter
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from fastsession import (
    ConfigurationError,
    Session,
    SessionMiddleware,
    get_session,
    get_session_control,
    require,
    same_origin,
    session_of,
)
from fastsession.session_status import session_status_router
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import sealed_cookies
from tests.shop import SECRET, ShopSession, browser, shop
from tests.timed_shop import SAME_ORIGIN, status, visitor


class AdminSession(Session):
    role: str = ""


async def signed_in(session):
    return session.user_id is not None


async def is_user(session, user_id):
    return session.user_id == user_id


class SignedIn:
    async def __call__(self, session):
        return session.user_id is not None

    async def method(self, session):
        return session.user_id is not None

    @classmethod
    async def of_class(cls, session):
        return session.user_id is not None

    @staticmethod
    async def static(session):
        return session.user_id is not None


class Later:
    """An awaitable that is no coroutine."""

    def __init__(self, session):
        self.answer = session.user_id is not None

    def __await__(self):
        return self.answer
        yield


async def of_another(session):
    return signed_in(session)


ASYNCHRONOUS = {
    "function": signed_in,
    "object": SignedIn(),
    "method": SignedIn().method,
    "class method": SignedIn.of_class,
    "static method": SignedIn.static,
    "partial": partial(is_user, user_id=42),
    "partial of partial": partial(partial(is_user), user_id=42),
    "partial of an object": partial(SignedIn()),
    "lambda": lambda session: signed_in(session),  # noqa: PLW0108  (the lambda is the case)
    "awaitable": lambda session: Later(session),  # noqa: PLW0108  (a class is refused)
    "forgotten await": of_another,
}
HOMES = {
    "cookie": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("condition", ASYNCHRONOUS.values(), ids=ASYNCHRONOUS)
def test_an_asynchronous_condition_is_awaited(condition, home):
    app = shop(**HOMES[home]())

    @app.get("/account")
    async def account(session: Annotated[ShopSession, Depends(require(condition))]) -> int | None:
        return session.user_id

    @app.websocket("/live", dependencies=[Depends(require(condition))])
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    client = browser(app)
    assert client.get("/account").status_code == 401
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/live"):
        pass
    client.post("/login")
    assert client.get("/account").json() == 42
    with client.websocket_connect("wss://testserver/live"):
        pass


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("condition", ASYNCHRONOUS.values(), ids=ASYNCHRONOUS)
def test_an_asynchronous_signed_in_is_awaited(condition, home):
    app = shop(**HOMES[home]())
    app.include_router(session_status_router(signed_in=condition))
    client = visitor(app, signed_in=False)
    client.post("/cart/tea")
    assert status(client)["signed_in"] is False
    assert client.post("/session").status_code == 401
    client.post("/login")
    assert status(client)["signed_in"] is True
    assert client.post("/session").status_code == 204


def yielding(session):
    yield session.user_id is not None


async def yielding_later(session):
    yield session.user_id is not None


NO_CONDITIONS = {
    "True": True,
    "None": None,
    "text": "user_id",
    "a session": ShopSession(user_id=1),
    "a list": [signed_in],
    "a class": SignedIn,
    "dict": dict,
    "the model": ShopSession,
    "all": all,
    "repr": repr,
    "id": id,
    "get_session": get_session,
    "session_of": session_of(ShopSession),
    "require": require(signed_in),
    "Depends": Depends(signed_in),
    "no arguments": lambda: True,
    "two arguments": lambda session, request: True,
    "a keyword": lambda session, *, role: True,
    "a partial of too few": partial(is_user),
    "a generator": yielding,
    "an asynchronous generator": yielding_later,
    "a partial of a generator": partial(yielding),
}


@pytest.mark.parametrize("condition", NO_CONDITIONS.values(), ids=NO_CONDITIONS)
def test_what_is_no_condition_is_an_error_when_it_is_written(condition):
    with pytest.raises(ConfigurationError, match=r"require .*lambda session: session.user_id is not None"):
        require(condition)


@pytest.mark.parametrize("condition", [value for value in NO_CONDITIONS.values() if value is not None])
def test_so_it_is_for_the_status_router(condition):
    with pytest.raises(ConfigurationError, match=r"signed_in= .*lambda session: session.user_id is not None"):
        session_status_router(signed_in=condition)


def test_the_error_does_not_show_what_the_session_holds():
    with pytest.raises(ConfigurationError) as caught:
        require(ShopSession(note="private"))
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    "condition",
    [attrgetter("user_id"), lambda session, *rest: session.user_id, lambda session, least=1: session.user_id, hypot],
)
def test_a_condition_may_have_a_signature_that_takes_more_or_tells_nothing(condition):
    require(condition)


ALWAYS_TRUE = {
    "a method that is not called": lambda session: session.subject,
    "a function that is not called": lambda session: signed_in,
    "a class": lambda session: SignedIn,
    "another dependency": lambda session: require(signed_in),
    "a generator": lambda session: (item for item in session),
    "an asynchronous generator": lambda session: (item async for item in yielding_later(session)),
    "bool": bool,
}


@pytest.mark.parametrize("condition", ALWAYS_TRUE.values(), ids=ALWAYS_TRUE)
def test_an_answer_that_is_always_true_is_an_error_and_lets_nobody_in(condition):
    app = shop()
    app.get("/account", dependencies=[Depends(require(condition))])(lambda: "let in")
    with pytest.raises(ConfigurationError, match=r"always true|is no condition"):
        browser(app).get("/account")
    assert browser(app, errors_raised=False).get("/account").status_code == 500


class Honest(Session):
    user_id: int | None = None

    def __bool__(self):
        return self.user_id is not None


def test_bool_asks_a_model_that_has_an_answer():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=Honest, secret_key=SECRET)
    app.get("/", dependencies=[Depends(require(bool))])(lambda: "let in")
    client = browser(app)
    assert client.get("/").status_code == 401
    client.cookies.update(sealed_cookies(app, Honest(user_id=1)))
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("status_code", [200, 303, 399, 500, 0, -1, True, "401", None, 401.5, 401.0])
def test_a_status_code_that_refuses_nobody_is_an_error(status_code):
    with pytest.raises(ConfigurationError, match=r"status_code .* from 400 to 499"):
        require(signed_in, status_code=status_code)


def test_the_model_may_come_first():
    app = shop()
    require_user = require(ShopSession, lambda session: session.user_id is not None, status_code=403)

    @app.get("/account")
    async def account(session: Annotated[ShopSession, Depends(require_user)]) -> int | None:
        return session.user_id

    client = browser(app)
    assert client.get("/account").status_code == 403
    client.post("/login")
    assert client.get("/account").json() == 42


@pytest.mark.parametrize(
    "arguments", [(signed_in, ShopSession), (int, signed_in), (ShopSession(), signed_in), (True, signed_in)]
)
def test_two_arguments_are_model_and_condition(arguments):
    with pytest.raises(ConfigurationError, match=r"require\(Shop, condition\)"):
        require(*arguments)


def test_the_model_is_named_once():
    with pytest.raises(ConfigurationError, match="Name the model once"):
        require(ShopSession, signed_in, model=ShopSession)


def test_a_model_that_is_none_is_an_error():
    with pytest.raises(ConfigurationError, match=r"a class derived from fastsession\.Session"):
        require(signed_in, model=int)
    with pytest.raises(ConfigurationError, match=r"a class derived from fastsession\.Session"):
        session_of(int)


async def is_chief(session: AdminSession) -> bool:
    return session.role == "chief"


class Chief:
    def __call__(self, session: AdminSession) -> bool:
        return session.role == "chief"


@pytest.mark.parametrize("condition", [is_chief, Chief()])
def test_a_condition_for_another_model_is_told(condition):
    app = shop()
    app.get("/admin", dependencies=[Depends(require(condition))])(lambda: "let in")
    with pytest.raises(
        ConfigurationError, match=r"takes a AdminSession, but gets a ShopSession.*require\(AdminSession"
    ):
        browser(app).get("/admin")


def test_a_route_that_declares_another_model_than_its_requirement_gives_is_told():
    app = shop()

    @app.get("/admin")
    async def admin(session: Annotated[AdminSession, Depends(require(lambda session: True))]) -> str:
        return session.role

    with pytest.raises(ConfigurationError, match=r"admin\(\) declares session: AdminSession"):
        browser(app).get("/admin")


def test_a_requirement_names_the_middleware_s_model_when_it_is_another():
    app = shop()
    app.get("/admin", dependencies=[Depends(require(AdminSession, is_chief))])(lambda: "let in")
    with pytest.raises(ConfigurationError, match="model=AdminSession"):
        browser(app).get("/admin")


def test_require_finds_its_model_among_several_and_the_innermost_of_one_model():
    outer, inner = shop(), shop(session_cookie="inner")
    outer.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin")
    outer.mount("/inner", inner)
    for app in (outer, inner):
        app.get("/user", dependencies=[Depends(require(ShopSession, signed_in))])(lambda: "let in")
    inner.get("/admin", dependencies=[Depends(require(is_chief, model=AdminSession))])(lambda: "let in")
    client = browser(outer)
    client.post("/inner/login")
    assert [client.get(path).status_code for path in ("/user", "/inner/user", "/inner/admin")] == [401, 200, 401]


def test_a_requirement_can_be_awaited_with_any_connection():
    app = shop()
    require_user = require(signed_in)

    @app.get("/account")
    async def account(request: Request) -> int | None:
        return (await require_user(request)).user_id

    client = browser(app)
    assert client.get("/account").status_code == 401
    client.post("/login")
    assert client.get("/account").json() == 42


def test_the_status_router_of_a_mounted_application_shows_the_inner_session():
    outer, inner = shop(), shop(session_cookie="inner")
    for app in (outer, inner):
        app.include_router(session_status_router(signed_in=signed_in))
    outer.mount("/inner", inner)
    client = browser(outer)
    client.headers.update(SAME_ORIGIN)
    client.post("/inner/login")
    assert [client.get(path).json()["signed_in"] for path in ("/session", "/inner/session")] == [False, True]


def test_session_control_is_that_of_the_innermost_session():
    outer = shop(revocations=MemoryRevocations())
    inner = shop(revocations=MemoryRevocations(), session_cookie="inner")
    outer.mount("/inner", inner)

    @inner.post("/end")
    async def end(control=Depends(get_session_control)) -> None:  # noqa: B008  (the short spelling)
        await control.end_all()

    @inner.get("/user")
    async def user(session: Annotated[ShopSession, Depends(get_session)]) -> int | None:
        return session.user_id

    client = browser(outer)
    client.post("/login")
    client.post("/inner/login")
    client.post("/inner/end")
    assert client.get("/inner/user").json() is None
    assert client.get("/info").json()["status"] == "valid"


def test_refusals_show_in_the_openapi_document():
    app = shop()
    app.get("/member", dependencies=[Depends(require(signed_in))])(lambda: None)
    app.get("/staff", dependencies=[Depends(require(signed_in, status_code=403))])(lambda: None)
    app.get("/both", dependencies=[Depends(require(signed_in)), Depends(require(signed_in, status_code=403))])(
        lambda: None
    )
    app.get("/own", dependencies=[Depends(require(signed_in))], responses={"401": {"description": "Sign in"}})(
        lambda: None
    )
    app.post("/form", dependencies=[Depends(same_origin)])(lambda: None)
    app.get("/page", dependencies=[Depends(same_origin)])(lambda: None)
    paths = browser(app).get("/openapi.json").json()["paths"]
    refusals = {
        path: {code: said["description"] for code, said in operation["responses"].items() if code in ("401", "403")}
        for path, operations in paths.items()
        for operation in operations.values()
    }
    assert refusals["/member"] == {"401": "Not authenticated"}
    assert refusals["/staff"] == {"403": "The session does not meet the route's condition"}
    assert refusals["/both"].keys() == {"401", "403"}
    assert refusals["/own"] == {"401": "Sign in"}
    assert refusals["/form"] == {"403": "This request came from another origin"}
    assert refusals["/page"] == refusals["/public"] == {}


def test_refusals_of_an_included_router_show_too():
    inner, middle = APIRouter(), APIRouter()
    inner.get("/a")(lambda: None)
    middle.include_router(inner, prefix="/inner")
    middle.get("/b")(lambda: None)
    app = shop()
    app.include_router(middle, prefix="/middle", dependencies=[Depends(require(signed_in))])
    paths = browser(app).get("/openapi.json").json()["paths"]
    for path in ("/middle/inner/a", "/middle/b"):
        assert paths[path]["get"]["responses"]["401"] == {"description": "Not authenticated"}
        assert paths[path]["get"]["security"] == [{"SessionCookie": []}]
