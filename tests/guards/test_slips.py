"""Routes that would take the session from the request are refused before anybody reaches them."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeVar, Union

import pytest
from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    UploadFile,
    WebSocket,
)
from fastapi.security import HTTPBearer
from pydantic import BaseModel, PlainValidator, SkipValidation
from pydantic import dataclasses as pydantic_dataclasses
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware as StarletteMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route
from starlette.staticfiles import StaticFiles
from typing_extensions import TypeAliasType, TypedDict

from fastsession import (
    ConfigurationError,
    CurrentSession,
    SameOrigin,
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
from tests.processes import told_by_failed_start
from tests.shop import SECRET, ShopSession, browser, shop

T = TypeVar("T")
GUARD = require(lambda session: session.user_id is not None)


class Wrapper(BaseModel):
    session: ShopSession


class Deep(BaseModel):
    wrappers: dict[str, list[Wrapper]] = {}


class Box(BaseModel, Generic[T]):
    content: T


class Tree(BaseModel):
    session: ShopSession | None = None
    branches: list["Tree"] = []


@dataclass
class Record:
    session: ShopSession


@pydantic_dataclasses.dataclass
class Checked:
    session: ShopSession


class Fields(TypedDict):
    session: ShopSession


class Pair(NamedTuple):
    number: int
    session: ShopSession


class Vip(ShopSession):
    points: int = 0


class Tagged(ShopSession):
    kind: Literal["tagged"] = "tagged"


class Plain(BaseModel):
    kind: Literal["plain"] = "plain"


class Settings(BaseModel):
    settings: dict[str, int] = {}


Alias = TypeAliasType("Alias", list[ShopSession])
Renamed = NewType("Renamed", ShopSession)

# A type, or an `Annotated`, that FastAPI reads from the request.
HOLDING = {
    "model": ShopSession,
    "Session": Session,
    "subclass": Vip,
    "list": list[ShopSession],
    "dict": dict[str, ShopSession],
    "tuple": tuple[int, ShopSession],
    "set of a list": list[list[ShopSession]],
    "Optional": Optional[ShopSession],  # noqa: UP045  (the older spelling is a case of its own)
    "Union": Union[int, ShopSession],  # noqa: UP007
    "bar": ShopSession | None,
    "Annotated": Annotated[ShopSession, "a note"],
    "BaseModel": Wrapper,
    "deep": Deep,
    "recursive": Tree,
    "generic": Box[ShopSession],
    "generic of a list": Box[list[ShopSession]],
    "dataclass": Record,
    "pydantic's dataclass": Checked,
    "TypedDict": Fields,
    "NamedTuple": Pair,
    "alias": Alias,
    "NewType": Renamed,
    "tagged union": Annotated[Tagged | Plain, Body(discriminator="kind")],
    "Body": Annotated[ShopSession, Body()],
    "embedded": Annotated[ShopSession, Body(embed=True)],
    "Query": Annotated[ShopSession, Query()],
    "Header": Annotated[ShopSession, Header()],
    "Cookie": Annotated[ShopSession, Cookie()],
    "Form": Annotated[ShopSession, Form()],
    "validator of its own": Annotated[ShopSession, PlainValidator(lambda value: ShopSession(**value))],
    "no validation": SkipValidation[ShopSession],
    "require without Depends": Annotated[ShopSession, GUARD],
    "get_session without Depends": Annotated[ShopSession, get_session],
    "session_of without Depends": Annotated[ShopSession, session_of(ShopSession)],
    "require without Depends and type": Annotated[Any, GUARD],
    "same_origin without Depends": Annotated[Any, same_origin],
}
DEPENDENCIES = {
    "the class": ShopSession,
    "a class method": ShopSession.model_validate,
    "CurrentSession": CurrentSession[ShopSession],
    "require": require,
    "session_of": session_of,
    "SameOrigin": SameOrigin,
    "a lambda with require": lambda: require(lambda session: session.user_id is not None),
    "a lambda with a guard": lambda: GUARD,
    "a lambda with get_session": lambda: get_session,
    "a lambda with same_origin": lambda: same_origin,
}


def endpoint_with(annotation):
    async def account(session: annotation) -> str:
        return "let in"

    return account


def sub_dependency_with(annotation):
    def user(session: annotation) -> str:
        return "let in"

    async def account(name: Annotated[str, Depends(user)]) -> str:
        return name

    return account


def refused(app, **parts):
    """The message with which the first request, any other, and start-up are refused."""
    messages = []
    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            browser(app).get("/public")
        messages.append(str(caught.value))
    with pytest.raises(ConfigurationError) as caught, browser(app):
        pass
    assert {*messages, str(caught.value)} == {messages[0]}
    return messages[0]


@pytest.mark.parametrize("make", [endpoint_with, sub_dependency_with])
@pytest.mark.parametrize("annotation", HOLDING.values(), ids=HOLDING)
def test_a_parameter_that_is_or_holds_a_session_is_refused(annotation, make):
    app = shop()
    app.post("/account")(make(annotation))
    message = refused(app)
    assert "POST /account: " in message
    assert "takes 'session' from the request" in message
    assert "Write session: CurrentSession[" in message or "Write Depends(...)" in message


@pytest.mark.parametrize("annotation", [ShopSession, list[ShopSession], Annotated[ShopSession, GUARD]])
def test_so_it_is_on_a_websocket(annotation):
    app = shop()

    @app.websocket("/live")
    async def live(socket: WebSocket, session: annotation) -> None:
        await socket.accept()

    assert "WebSocket /live: " in refused(app)
    with pytest.raises(ConfigurationError), browser(app).websocket_connect("wss://testserver/live"):
        pass


@pytest.mark.parametrize("dependency", DEPENDENCIES.values(), ids=DEPENDENCIES)
def test_a_dependency_that_is_none_or_makes_a_session_of_the_request_is_refused(dependency):
    app = shop()
    app.get("/account", dependencies=[Depends(dependency)])(lambda: "let in")
    assert "GET /account: " in refused(app)


def test_depends_without_a_dependency_is_refused():
    app = shop()

    @app.get("/account")
    async def account(session: Annotated[ShopSession, Depends()]) -> str:
        return "let in"

    assert "Write CurrentSession[ShopSession]" in refused(app)


def test_a_default_that_is_a_dependency_is_refused():
    app = shop()

    @app.get("/account")
    async def account(session=GUARD) -> str:
        return "let in"

    assert "Write Depends(...) around the dependency" in refused(app)


def test_every_slip_is_named_with_its_route_and_parameter():
    app = shop()
    app.post("/a")(endpoint_with(ShopSession))
    app.put("/b/{item}")(endpoint_with(Wrapper))
    first, second = refused(app).splitlines()
    assert first.startswith("POST /a: endpoint_with.<locals>.account() takes 'session' from the request (body)")
    assert second.startswith("PUT /b/{item}: ")


def slipping(**options):
    """An application with a slip in it."""
    app = FastAPI(**options)
    app.post("/account")(endpoint_with(ShopSession))
    return app


def slipping_router(**options):
    router = APIRouter(**options)
    router.post("/account")(endpoint_with(ShopSession))
    return router


def nested(router, depth):
    for number in range(depth):
        outer = APIRouter()
        outer.include_router(router, prefix=f"/{number}")
        router = outer
    return router


class Slotted:
    """A middleware of the shortest kind."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


PLACES = {
    "a router": lambda app: app.include_router(slipping_router()),
    "a router with a prefix": lambda app: app.include_router(slipping_router(prefix="/v1"), prefix="/api"),
    "a router in routers": lambda app: app.include_router(nested(slipping_router(), 3)),
    "an application below": lambda app: app.mount("/below", slipping()),
    "an application two below": lambda app: app.mount("/below", Starlette(routes=[Mount("/two", slipping())])),
    "a router below": lambda app: app.mount("/below", slipping_router()),
    "a mount in a router": lambda app: app.router.routes.append(Mount("/m", routes=[Mount("/n", slipping())])),
    "a mount with middleware": lambda app: app.router.routes.append(
        Mount("/m", slipping(), middleware=[Middleware(GZipMiddleware)])
    ),
    "middleware around a mount": lambda app: app.mount("/m", Slotted(GZipMiddleware(slipping()))),
    "a host": lambda app: app.router.routes.append(Host("api.example", slipping())),
    "dependencies of include_router": lambda app: app.include_router(
        APIRouter(routes=shop().routes[-1:]), prefix="/x", dependencies=[Depends(sub_dependency_with(ShopSession))]
    ),
    "dependencies of a router": lambda app: app.include_router(
        slipping_router(dependencies=[Depends(lambda: GUARD)]), prefix="/x"
    ),
}


@pytest.mark.parametrize("put", PLACES.values(), ids=PLACES)
def test_every_route_that_requests_reach_is_inspected(put):
    app = shop()
    put(app)
    refused(app)


@pytest.mark.parametrize("put", PLACES.values(), ids=PLACES)
def test_a_route_that_is_added_while_the_application_serves_is_inspected(put):
    app = shop()
    client = browser(app)
    assert client.get("/public").status_code == 200
    put(app)
    for path in ("/public", "/account"):
        with pytest.raises(ConfigurationError, match="takes 'session' from the request"):
            client.get(path)


def test_a_route_added_to_an_application_below_is_inspected():
    app, below, router = shop(), FastAPI(), APIRouter()
    below.include_router(router)
    app.mount("/below", below)
    client = browser(app)
    client.get("/public")
    router.post("/account")(endpoint_with(ShopSession))
    with pytest.raises(ConfigurationError):
        client.post("/below/account", json={"user_id": 1})


def test_a_list_of_routes_that_is_replaced_is_inspected():
    app = shop()
    client = browser(app)
    client.get("/public")
    app.router.routes = [*slipping().routes, *app.routes]
    with pytest.raises(ConfigurationError):
        client.post("/account", json={"user_id": 1})


def test_the_request_that_is_refused_does_not_reach_the_route():
    reached = []
    app = shop()

    @app.post("/account")
    async def account(session: ShopSession) -> None:
        reached.append(session)

    response = browser(app, errors_raised=False).post("/account", json={"user_id": 1})
    assert (response.status_code, reached) == (500, [])


@pytest.mark.parametrize("options", [{}, {"store": MemoryStore()}, {"revocations": MemoryRevocations()}])
def test_in_every_mode(options):
    app = shop(**options)
    app.post("/account")(endpoint_with(ShopSession))
    refused(app)


def wrapped_from_outside():
    return SessionMiddleware(Slotted(slipping()), model=ShopSession, secret_key=SECRET)


def starlette_with_fastapi_below():
    return Starlette(
        routes=[Mount("/api", slipping())],
        middleware=[Middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)],
    )


def middleware_of_the_inner_application_only():
    outer, inner = FastAPI(), slipping()
    inner.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)
    outer.mount("/api", inner)
    return outer


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (wrapped_from_outside, "/account"),
        (wrapped_from_outside, "/nowhere"),
        (starlette_with_fastapi_below, "/api/account"),
        (starlette_with_fastapi_below, "/nowhere"),
        # The middleware of an application below sees what goes there.
        (middleware_of_the_inner_application_only, "/api/account"),
        (middleware_of_the_inner_application_only, "/api/nowhere"),
    ],
)
def test_wherever_the_middleware_stands(make, path):
    with pytest.raises(ConfigurationError, match="POST /account"):
        browser(make()).post(path, json={"user_id": 1})


def test_start_up_that_is_refused_ends_what_the_application_has_opened():
    opened = []

    @asynccontextmanager
    async def lifespan(app):
        opened.append("open")
        # Routes may be made as late as here.
        app.post("/account")(endpoint_with(ShopSession))
        try:
            yield
        finally:
            opened.append("closed")

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET, revocations=MemoryRevocations())
    with pytest.raises(ConfigurationError), browser(app):
        pass
    assert opened == ["open", "closed"]


SERVED = """
import uvicorn
from fastapi import FastAPI
from fastsession import Session, SessionMiddleware, generate_key

class Shop(Session):
    user_id: int | None = None

app = FastAPI()
app.add_middleware(SessionMiddleware, model=Shop, secret_key=generate_key())

@app.post("/account")
async def account(session: Shop) -> None: ...

uvicorn.run(app, port=0, lifespan="auto")
"""


def test_uvicorn_does_not_start():
    assert "POST /account: account() takes 'session' from the request (body)" in told_by_failed_start(SERVED)


class Basket(BaseModel):
    """As a model, with fields of all kinds, and no session among them."""

    lines: dict[str, list[int]] = {}
    note: Annotated[str, "a note"] = ""
    settings: Settings = Settings()
    basket: "Basket | None" = None


def test_what_is_no_session_from_the_request_is_served():
    app = shop()
    bearer = HTTPBearer(auto_error=False)

    class Cart:
        def __init__(self, session: CurrentSession[ShopSession]) -> None:
            self.session = session

    class Loaded(ShopSession):
        @classmethod
        async def load(cls, request: Request) -> ShopSession:
            return await get_session(request)

    async def guarded(request: Request) -> ShopSession:
        return await GUARD(request)

    def guard_of_guards(session: Annotated[ShopSession, Depends(GUARD)]) -> ShopSession:
        return session

    @app.post("/everything/{number}", dependencies=[Depends(same_origin), Depends(bearer), Depends(SameOrigin())])
    async def everything(
        number: int,
        basket: Basket,
        session: CurrentSession[ShopSession],
        chosen: Annotated[ShopSession, Depends(session_of(ShopSession))],
        cart: Annotated[Cart, Depends(Cart)],
        loaded: Annotated[ShopSession, Depends(Loaded.load)],
        query: Annotated[Settings, Query()],
        agent: Annotated[str, Header(alias="user-agent")],
    ) -> list[ShopSession]:
        return [session, chosen, cart.session, loaded]

    @app.post("/upload")
    async def upload(file: Annotated[UploadFile, File()], note: Annotated[str, Form()] = "") -> Wrapper:
        return Wrapper(session=ShopSession())

    @app.get("/member", response_model=ShopSession, dependencies=[Depends(guarded)])
    async def member(
        session: Annotated[ShopSession, Depends(guard_of_guards)], control: Annotated[Any, Depends(get_session_control)]
    ) -> Any:
        return session

    app.mount("/static", StaticFiles(directory="."))
    app.include_router(session_status_router())
    app.router.routes.append(Route("/starlette", lambda request: PlainTextResponse("ok")))
    with browser(app) as client:
        assert client.post("/everything/1", json={}).status_code == 200
        assert client.get("/member").status_code == 401
        assert client.get("/starlette").text == "ok"
        assert client.get("/openapi.json").status_code == 200


def test_a_parameter_whose_type_is_not_defined_is_left_to_fastapi():
    app = shop()

    @app.get("/nowhere")
    async def nowhere(basket: "Nowhere") -> None: ...  # noqa: F821  (that is the case)

    assert browser(app).get("/public").status_code == 200


@pytest.mark.parametrize(
    "written",
    [
        "CurrentSession[Nowhere]",
        "Annotated[Nowhere, Depends(require(Nowhere, bool))]",
        "Annotated[Nowhere, Depends(get_session)]",
    ],
)
def test_a_session_whose_model_fastapi_does_not_find_is_named(written):
    # As in a function that makes the application, with `from __future__ import annotations` at the top of the module.
    app = shop()

    async def nowhere(session) -> None: ...

    nowhere.__annotations__["session"] = written
    app.get("/nowhere")(nowhere)
    advice = re.escape(f"'session' as {written}, in which FastAPI does not find every name. Define the model at")
    with pytest.raises(ConfigurationError, match=f"GET /nowhere: .*nowhere\\(\\) declares {advice}"):
        browser(app).get("/public")


def test_an_application_without_routes_of_its_own_is_served():
    async def app(scope, receive, send):
        await PlainTextResponse("ok")(scope, receive, send)

    client = browser(SessionMiddleware(StarletteMiddleware(app, "s"), model=ShopSession, secret_key=SECRET))
    assert client.get("/").text == "ok"


def test_an_object_that_makes_up_attributes_comes_to_an_end():
    class Endless:
        def __getattr__(self, name):
            return Endless()

        async def __call__(self, scope, receive, send):
            await PlainTextResponse("ok")(scope, receive, send)

    class Circle(Endless):
        def __init__(self):
            self.app = self

    for app in (Endless(), Circle()):
        assert browser(SessionMiddleware(app, model=ShopSession, secret_key=SECRET)).get("/").text == "ok"


def test_an_untouched_request_is_not_inspected_again():
    app = shop()
    client = browser(app)
    client.get("/public")
    routes = app.middleware_stack
    while not isinstance(routes, SessionMiddleware):
        routes = routes.app
    before = routes._routes.inspected
    client.get("/public")
    assert routes._routes.inspected is before


def test_other_protocols_pass():
    async def app(scope, receive, send):
        seen.append(scope["type"])

    seen = []
    middleware = SessionMiddleware(app, model=ShopSession, secret_key=SECRET)
    asyncio.run(middleware({"type": "webtransport"}, None, None))
    assert seen == ["webtransport"]


def test_a_guard_that_refuses_with_an_exception_of_its_own_is_none_of_ours():
    def refuse():
        raise HTTPException(418)

    app = shop()
    app.get("/tea", dependencies=[Depends(refuse)])(lambda: None)
    assert browser(app).get("/tea").status_code == 418
