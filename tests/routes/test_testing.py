import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware

from fastsession import ConfigurationError, Lifetime, Session, SessionMiddleware, SessionNotSerializableError
from fastsession.testing import Clock, opened_session, sealed_cookies, set_session
from tests.shop import DAY, SECRET, START, ShopSession, browser, shop


class AdminSession(Session):
    role: str = ""


@pytest.fixture
def app(clock):
    return shop(clock=clock, remember=Lifetime(idle=DAY, absolute=DAY))


def test_a_test_of_a_logged_in_page_takes_three_lines(app):
    client = browser(app)
    set_session(app, client, ShopSession(user_id=1, cart=["tea"]))
    assert client.get("/cart").json() == ["tea"]


def test_a_test_of_what_a_request_left_behind_takes_three_lines(app):
    client = browser(app)
    client.post("/cart/tea")
    assert opened_session(app, client).cart == ["tea"]


def test_a_response_can_be_opened_as_well_as_a_client(app):
    response = browser(app).post("/cart/tea")
    assert opened_session(app, response) == ShopSession(cart=["tea"])


def test_a_client_without_a_cookie_has_a_fresh_session(app):
    session = opened_session(app, browser(app))
    assert session == ShopSession()
    assert (session.info.status, session.info.is_new) == ("absent", True)


def test_info_tells_why_a_cookie_would_be_rejected(app, clock):
    client = browser(app)
    client.post("/cart/tea")
    clock.advance(DAY)
    assert opened_session(app, client).info.status == "expired_idle"


def test_what_the_verbs_recorded_counts(app):
    session = ShopSession(user_id=1)
    session.remember()
    client = browser(app)
    client.cookies.update(sealed_cookies(app, session))
    assert opened_session(app, client).info.remembered


def test_sealed_cookies_are_of_a_new_session_each_time(app):
    first, second = (browser(app) for _ in range(2))
    for client in (first, second):
        client.cookies.update(sealed_cookies(app, ShopSession(user_id=1)))
    ids = {opened_session(app, client).info.id for client in (first, second)}
    assert len(ids) == 2


def test_a_large_session_is_sealed_into_its_chunks(app):
    cookies = sealed_cookies(app, ShopSession(note="n" * 5_000))
    assert list(cookies) == ["__Host-app_session", "__Host-app_session.1"]
    client = browser(app)
    client.cookies.update(cookies)
    assert opened_session(app, client).note == "n" * 5_000


def test_a_session_that_could_not_be_opened_is_not_sealed(app):
    session = ShopSession()
    session.user_id = "nobody"
    with pytest.raises(SessionNotSerializableError, match="user_id"):
        sealed_cookies(app, session)


def signed_in(app):
    client = browser(app)
    set_session(app, client, ShopSession(user_id=1, cart=["tea"]))
    return client


def test_a_client_that_was_given_a_session_keeps_what_a_request_changes(app):
    client = signed_in(app)
    client.post("/cart/milk")
    assert client.get("/cart").json() == ["tea", "milk"]
    assert opened_session(app, client).cart == ["tea", "milk"]


def test_a_client_that_was_given_a_session_can_log_in_anew(app):
    client = signed_in(app)
    client.post("/login")
    assert client.get("/view").json() == {"user_id": 42, "cart": ["tea"]}


def test_a_client_that_was_given_a_session_can_log_out(app):
    client = signed_in(app)
    client.post("/logout")
    assert client.get("/view").json() == {}


def test_the_middleware_itself_will_do_as_the_app():
    middleware = SessionMiddleware(Starlette(), model=ShopSession, secret_key=SECRET)
    assert set(sealed_cookies(middleware, ShopSession(user_id=1))) == {"__Host-app_session"}


def test_a_middleware_inside_other_layers_is_found():
    layered = GZipMiddleware(SessionMiddleware(Starlette(), model=ShopSession, secret_key=SECRET))
    assert set(sealed_cookies(layered, ShopSession(user_id=1))) == {"__Host-app_session"}


def two():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin")
    return app


def test_the_model_chooses_among_several_middlewares():
    client = browser(two())
    client.cookies.update(
        sealed_cookies(two(), ShopSession(user_id=1)) | sealed_cookies(two(), AdminSession(role="chief"))
    )
    assert opened_session(two(), client, ShopSession).user_id == 1
    assert opened_session(two(), client, AdminSession).role == "chief"


def test_several_middlewares_and_no_model_is_an_error_with_the_models():
    with pytest.raises(ConfigurationError, match="AdminSession, ShopSession"):
        opened_session(two(), browser(two()))


@pytest.mark.parametrize("app", [FastAPI(), Starlette(), object()], ids=["FastAPI", "Starlette", "no application"])
def test_an_app_without_the_middleware_is_an_error(app):
    with pytest.raises(ConfigurationError, match="the models are: none"):
        sealed_cookies(app, ShopSession())


def test_a_clock_stands_still_until_it_is_moved():
    clock = Clock(START)
    assert (clock(), clock()) == (START, START)
    clock.advance(1.5)
    clock.advance(-0.5)
    assert clock() == START + 1


def test_whatever_has_a_mapping_of_cookies_can_be_opened(app):
    class Answer:
        cookies = sealed_cookies(app, ShopSession(user_id=1))

    assert opened_session(app, Answer()).user_id == 1
