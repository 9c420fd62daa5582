"""Mistakes with device binding that end the start of the application, or its first request where nothing starts it."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route
from starlette.testclient import TestClient

from fastsession import (
    ConfigurationError,
    DeviceBinding,
    Session,
    SessionMiddleware,
    get_session,
    require,
    session_of,
)
from fastsession.testing import set_session
from tests.shop import SECRET, ShopSession, browser, shop

PROVEN = require(lambda session: session.user_id, bound=True)


class StaffSession(Session):
    name: str = ""


class ManagerSession(StaffSession):
    pass


def route_that_asks(requirement=PROVEN, path="/transfer"):
    router = APIRouter()

    @router.post(path)
    async def transfer(session: Annotated[Session, Depends(requirement)]) -> str:
        return type(session).__name__

    return router


def asking(requirement=PROVEN, **options):
    app = shop(**options)
    app.include_router(route_that_asks(requirement))
    return app


def staff(**options):
    return {"model": StaffSession, "secret_key": SECRET, "session_cookie": "staff", **options}


def start(app):
    """As a server does, before it takes requests."""
    with TestClient(app, base_url="https://testserver"):
        pass


NEEDED = r"POST /transfer: require\(bound=True\) needs SessionMiddleware\(..., device_binding=DeviceBinding\(\)\)"


def test_a_route_that_asks_for_a_proof_needs_a_middleware_that_binds():
    with pytest.raises(ConfigurationError, match=NEEDED):
        start(asking())
    start(asking(device_binding=DeviceBinding()))


def test_without_a_lifespan_the_first_request_says_so():
    with pytest.raises(ConfigurationError, match=NEEDED):
        browser(asking()).get("/public")


def test_a_route_that_is_added_later_is_refused_too():
    app = shop()
    client = browser(app)
    assert client.get("/public").status_code == 200
    app.include_router(route_that_asks())
    with pytest.raises(ConfigurationError, match="needs SessionMiddleware"):
        client.get("/public")


def test_a_dependency_of_the_application_or_of_a_router_is_found():
    app = shop()
    app.include_router(route_that_asks(get_session), dependencies=[Depends(PROVEN)])
    with pytest.raises(ConfigurationError, match="needs SessionMiddleware"):
        start(app)


def test_a_route_in_a_mounted_application_is_found():
    app = shop()
    inner = FastAPI()
    inner.include_router(route_that_asks())
    app.mount("/inner", inner)
    with pytest.raises(ConfigurationError, match=NEEDED):
        start(app)


def test_a_session_of_the_tests_own_needs_no_device():
    app = asking()
    app.dependency_overrides[get_session] = lambda: ShopSession(user_id=7)
    with TestClient(app, base_url="https://testserver") as client:
        assert client.post("/transfer").json() == "ShopSession"


def test_a_session_of_one_model_of_the_tests_own_needs_no_device():
    app = asking(require(ShopSession, lambda session: session.user_id, bound=True))
    app.dependency_overrides[session_of(ShopSession)] = lambda: ShopSession(user_id=7)
    with TestClient(app, base_url="https://testserver") as client:
        assert client.post("/transfer").json() == "ShopSession"


@pytest.mark.parametrize("model", [ShopSession, Session])
def test_a_model_that_the_middleware_has_counts(model):
    with pytest.raises(ConfigurationError, match="needs SessionMiddleware"):
        start(asking(require(model, lambda session: session.changed is False, bound=True)))


def test_a_route_for_another_middleware_s_sessions_is_none_of_ours(clock):
    requirement = require(StaffSession, lambda session: session.name, bound=True)
    app = asking(requirement, clock=clock)
    # Added last, so outermost: the one without a binding is further in, and has sessions of another model.
    app.add_middleware(SessionMiddleware, **staff(device_binding=DeviceBinding(), clock=clock))
    with TestClient(app, base_url="https://testserver") as client:
        assert client.post("/transfer").status_code == 401
        set_session(app, client, StaffSession(name="ann"), bound=True)
        assert client.post("/transfer").json() == "StaffSession"


@pytest.mark.parametrize("place", ["same", "mounted", "mount", "route"])
def test_a_middleware_further_in_may_be_the_one_that_is_meant(clock, place):
    """Its sessions are the innermost ones."""
    binding = Middleware(SessionMiddleware, **staff(device_binding=DeviceBinding(), clock=clock))
    app = shop(clock=clock)
    if place == "same":
        app.user_middleware.append(binding)
        app.include_router(route_that_asks(require(lambda session: session.name, bound=True)))
    elif place == "mounted":
        inner = FastAPI(middleware=[binding])
        inner.include_router(route_that_asks(require(lambda session: session.name, bound=True)))
        app.mount("/inner", inner)
    elif place == "mount":
        routes = route_that_asks(require(lambda session: session.name, bound=True)).routes
        app.router.routes.append(Mount("/inner", routes=routes, middleware=[binding]))
    else:
        app.router.routes.append(Route("/inner", PlainTextResponse("in"), middleware=[binding]))
        app.include_router(route_that_asks(require(StaffSession, lambda session: session.name, bound=True)))
    start(app)


def test_a_middleware_in_a_mount_is_not_asked_about_routes_outside_of_it(clock):
    app = asking(device_binding=DeviceBinding(), clock=clock)
    inner = Middleware(SessionMiddleware, **staff(clock=clock))
    app.router.routes.append(Mount("/inner", routes=[Route("/", PlainTextResponse("in"))], middleware=[inner]))
    with TestClient(app, base_url="https://testserver") as client:
        assert client.get("/inner/").text == "in"
        assert client.post("/transfer").status_code == 401


ONE_PATH = r"Two session middlewares answer browsers at one path: give one of them DeviceBinding\(path=...\)"


def test_two_middlewares_that_answer_at_one_path_do_not_start(clock):
    app = shop(clock=clock, device_binding=DeviceBinding())
    app.add_middleware(SessionMiddleware, **staff(clock=clock, device_binding=DeviceBinding(900)))
    with pytest.raises(ConfigurationError, match=ONE_PATH):
        start(app)


def test_two_middlewares_with_a_path_each_start(clock):
    app = shop(clock=clock, device_binding=DeviceBinding())
    app.add_middleware(SessionMiddleware, **staff(clock=clock, device_binding=DeviceBinding(path="/staff/device")))
    start(app)


def below(route, path="/session/device"):
    """The shop, bound, with an application in it whose sessions are bound too."""
    app = shop(device_binding=DeviceBinding(path=path))
    inner = Starlette(middleware=[Middleware(SessionMiddleware, **staff(device_binding=DeviceBinding()))])
    app.router.routes.append(route(inner))
    return app


def test_a_mounted_application_has_paths_of_its_own():
    start(below(lambda inner: Mount("/inner", inner)))


@pytest.mark.parametrize(
    ("route", "path"),
    [
        (lambda inner: Mount("/inner", inner), "/inner/session/device"),
        (lambda inner: Mount("/a", routes=[Mount("/b", inner)]), "/a/b/session/device"),
        (lambda inner: Mount("", inner), "/session/device"),
        (lambda inner: Host("inner.test", inner), "/session/device"),
    ],
    ids=["mount", "mount in a mount", "empty mount", "host"],
)
def test_a_path_that_ends_up_the_same_below_is_refused(route, path):
    with pytest.raises(ConfigurationError, match=ONE_PATH):
        start(below(route, path))


def test_two_hosts_may_have_one_path_each():
    """No request passes both."""
    app = Starlette(
        routes=[
            Host("a.test", shop(device_binding=DeviceBinding())),
            Host(
                "b.test", Starlette(middleware=[Middleware(SessionMiddleware, **staff(device_binding=DeviceBinding()))])
            ),
        ]
    )
    start(app)


def test_one_session_that_two_middlewares_share_has_one_path():
    inner = shop(device_binding=DeviceBinding())
    outer = shop(device_binding=DeviceBinding())
    outer.mount("/inner", inner)
    outer.mount("", shop(device_binding=DeviceBinding()))
    start(outer)
