"""`fastsession.starlette.SessionMiddleware` in one application with other session middlewares."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from itsdangerous import TimestampSigner
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware as TheirMiddleware
from starlette.testclient import TestClient

from fastsession import ConfigurationError, CurrentSession, Session, SessionMiddleware, generate_key, session_of
from fastsession.starlette import SessionMiddleware as DropIn

SECRET, OTHER = generate_key(), generate_key()
MAIN = Middleware(SessionMiddleware, secret_key=OTHER)
DROP_IN = Middleware(DropIn, secret_key=SECRET)
CLASH = (
    "^Starlette's SessionMiddleware writes the cookie 'session' in this application too, beside "
    r"fastsession\.starlette\.SessionMiddleware: neither opens the other's, so each signs the other's users out\. "
    r"Change that import too, or give one of them another session_cookie=\.$"
)


def site(*middlewares, below=None):
    app = FastAPI(middleware=list(middlewares))

    @app.get("/")
    def view(request: Request) -> dict[str, object]:
        return dict(request.session)

    @app.post("/write/{value}")
    def write(value: str, request: Request) -> dict[str, object]:
        request.session["value"] = value
        return dict(request.session)

    @app.get("/origin")
    def origin(session: CurrentSession[Session]) -> str | None:
        return session.info.origin

    if below is not None:
        app.mount("/below", below)
    return app


def browser(app):
    return TestClient(app, base_url="https://testserver")


@pytest.mark.parametrize(("outer", "inner"), [(MAIN, DROP_IN), (DROP_IN, MAIN)], ids=["main outside", "main inside"])
def test_it_lives_beside_the_main_middleware(outer, inner):
    with browser(site(outer, below=site(inner))) as client:
        client.post("/write/out")
        client.post("/below/write/in")
        assert client.get("/").json() == {"value": "out"}
        assert client.get("/below/").json() == {"value": "in"}
        assert sorted(client.cookies) == ["__Host-app_session", "session"]


@pytest.mark.parametrize("middlewares", [(MAIN, DROP_IN), (DROP_IN, MAIN)], ids=["main outside", "main inside"])
def test_in_one_stack_the_inner_one_is_the_routes(middlewares):
    with browser(site(*middlewares)) as client:
        client.post("/write/x")
        assert list(client.cookies) == ["session" if middlewares[-1] is DROP_IN else "__Host-app_session"]
        assert client.get("/origin").json() == "fastsession"


class Shop(Session):
    user_id: int | None = None


def test_a_model_chooses_the_middleware_in_one_stack():
    app = FastAPI(middleware=[Middleware(SessionMiddleware, secret_key=OTHER, model=Shop), DROP_IN])

    @app.post("/both")
    def both(request: Request, shop: Annotated[Shop, Depends(session_of(Shop))]) -> None:
        request.session["value"] = "x"
        shop.user_id = 1

    with browser(app) as client:
        client.post("/both")
        assert sorted(client.cookies) == ["__Host-app_session", "session"]


def test_two_of_one_secret_and_name_share_the_session():
    with browser(site(DROP_IN, below=site(DROP_IN))) as client:
        client.post("/write/out")
        assert client.get("/below/").json() == {"value": "out"}
        client.post("/below/write/in")
        assert client.get("/").json() == {"value": "in"}


@pytest.mark.parametrize(
    "inner",
    [
        Middleware(DropIn, secret_key=OTHER),
        Middleware(DropIn, secret_key=SECRET, max_age=60),
        Middleware(DropIn, secret_key=SECRET, same_site="strict"),
        Middleware(SessionMiddleware, secret_key=SECRET, session_cookie="session", https_only=False),
    ],
    ids=["secret", "max_age", "same_site", "main"],
)
def test_two_of_one_name_with_other_rules_do_not_start(inner):
    with (
        pytest.raises(ConfigurationError, match="Two session middlewares write the cookie 'session'"),
        browser(site(DROP_IN, below=site(inner))),
    ):
        pass


@pytest.mark.parametrize("secret", [SECRET, OTHER], ids=["same secret", "another"])
@pytest.mark.parametrize("place", [{}, {"domain": "example.com"}, {"domain": "example.com", "partitioned": True}])
def test_starlettes_own_with_our_cookie_further_in_does_not_start(secret, place):
    outer = Middleware(DropIn, secret_key=SECRET, **place)
    inner = site(Middleware(TheirMiddleware, secret_key=secret, **place))
    with pytest.raises(ConfigurationError, match=CLASH), browser(site(outer, below=inner)):
        pass


@pytest.mark.parametrize("inside", [True, False])
def test_starlettes_own_in_the_same_stack_does_not_start(inside):
    theirs = Middleware(TheirMiddleware, secret_key=SECRET)
    stack = (DROP_IN, theirs) if inside else (theirs, DROP_IN)
    with pytest.raises(ConfigurationError, match=CLASH), browser(site(*stack)):
        pass


@pytest.mark.parametrize(
    "options",
    [{"session_cookie": "admin"}, {"path": "/below"}, {"domain": "example.com"}],
    ids=["name", "path", "domain"],
)
def test_starlettes_own_with_another_cookie_further_in_lives_on(options):
    with browser(site(DROP_IN, below=site(Middleware(TheirMiddleware, secret_key=OTHER, **options)))) as client:
        client.post("/write/out")
        assert client.get("/").json() == {"value": "out"}


def test_starlettes_own_in_a_wrapped_application_does_not_start():
    app = site(Middleware(TheirMiddleware, secret_key=SECRET))
    with pytest.raises(ConfigurationError, match="Change that import too"), TestClient(DropIn(app, SECRET)):
        pass


def test_a_planted_session_of_ours_and_one_that_was_signed_are_read_as_ours():
    """Ours is read first: somebody who can plant cookies could have planted a signed one as well."""
    signed = TimestampSigner(SECRET).sign(b"eyJ2YWx1ZSI6ICJzaWduZWQifQ==").decode()
    client = browser(site(DROP_IN))
    client.post("/write/sealed")
    header = f"session={signed}; session={client.cookies['session']}"
    assert browser(site(DROP_IN)).get("/", headers={"cookie": header}).json() == {"value": "sealed"}
