"""Which sessions count, whose they are, and how the routes come into an application."""

from datetime import timedelta

import pytest
from fastapi import Depends, FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware

from fastsession import ConfigurationError, Lifetime, Session, SessionMiddleware
from fastsession.session_status import session_status_router
from fastsession.testing import set_session
from tests.shop import COOKIE, DAY, HOUR, IDLE, SECRET, ShopSession, browser, set_cookies
from tests.timed_shop import SAME_ORIGIN, status, timed_shop, visitor


class AdminSession(Session):
    role: str = ""


def signed_in(session):
    return session.user_id is not None


def test_signed_in_says_which_sessions_count(clock):
    client = visitor(timed_shop({"signed_in": signed_in}, clock=clock), signed_in=False)
    client.post("/cart/tea")
    assert status(client)["signed_in"] is False
    assert client.post("/session").status_code == 401
    client.post("/login")
    assert status(client)["signed_in"] is True
    assert client.post("/session").status_code == 204


def test_a_session_that_does_not_count_is_ended_all_the_same(clock):
    client = visitor(timed_shop({"signed_in": signed_in}, clock=clock), signed_in=False)
    client.post("/cart/tea")
    client.delete("/session")
    assert client.get("/cart").json() == []


def test_a_remembered_session_has_its_own_deadlines(clock):
    client = visitor(timed_shop(clock=clock, remember=Lifetime(idle=14 * DAY, absolute=60 * DAY)))
    client.post("/remember/true")
    assert (status(client)["idle_left"], status(client)["absolute_left"]) == (14 * DAY, 60 * DAY)


@pytest.mark.parametrize("warn_before", [300, timedelta(minutes=5)])
def test_the_warning_s_lead_time_can_be_chosen(clock, warn_before):
    assert status(visitor(timed_shop({"warn_before": warn_before}, clock=clock)))["warn_before"] == 300


@pytest.mark.parametrize(("idle", "lead"), [(60, 30), (1, 1)])
def test_a_lead_time_is_at_most_half_of_the_idle_timeout(clock, idle, lead):
    assert status(visitor(timed_shop(clock=clock, idle_timeout=idle)))["warn_before"] == lead


@pytest.mark.parametrize("warn_before", [0, -1, "120", True])
def test_a_lead_time_that_is_none_is_refused(warn_before):
    with pytest.raises(ConfigurationError, match="warn_before takes a timedelta or a number of seconds"):
        session_status_router(warn_before=warn_before)


@pytest.mark.parametrize("prefix", ["", "/", "session", "/session/"])
def test_a_prefix_that_leads_nowhere_is_refused(prefix):
    with pytest.raises(ConfigurationError, match="prefix begins with a slash"):
        session_status_router(prefix)


def two_sessions(clock, **router_options):
    app = timed_shop(router_options, clock=clock)
    app.add_middleware(
        SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin", idle_timeout=HOUR, clock=clock
    )
    client = visitor(app, signed_in=False)
    set_session(app, client, ShopSession(user_id=1))
    set_session(app, client, AdminSession(role="chief"))
    return client


@pytest.mark.parametrize(("model", "idle"), [(ShopSession, IDLE), (AdminSession, HOUR)])
def test_model_chooses_among_several_middlewares(clock, model, idle):
    client = two_sessions(clock, model=model)
    assert status(client)["idle_left"] == idle
    [cookie] = set_cookies(client.delete("/session"))
    assert cookie.startswith(COOKIE) is (model is ShopSession)


def test_polling_for_one_session_renews_no_other(clock):
    client = two_sessions(clock, model=AdminSession)
    clock.advance(IDLE - 1)
    assert set_cookies(client.get("/session")) == []
    [cookie] = set_cookies(client.post("/session"))
    assert cookie.startswith("__Host-admin=")


def test_several_middlewares_without_model_are_the_programmers_mistake(clock):
    with pytest.raises(ConfigurationError, match="session_of"):
        two_sessions(clock).get("/session")


def test_dependencies_of_the_whole_application_do_not_reach_the_routes(clock):
    def refuse():
        raise HTTPException(418)

    app = FastAPI(dependencies=[Depends(refuse)])
    app.add_middleware(SessionMiddleware, secret_key=SECRET, clock=clock)
    app.include_router(session_status_router())
    assert browser(app).delete("/session", headers=SAME_ORIGIN).status_code == 204


def test_they_are_not_in_the_openapi_document():
    assert not any("/session" in path for path in timed_shop().openapi()["paths"])


def test_starlette_takes_them_as_routes(clock):
    app = Starlette(
        routes=session_status_router("/account/session").routes,
        middleware=[Middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET, clock=clock)],
    )
    client = browser(app)
    set_session(app, client, ShopSession(user_id=1))
    assert client.get("/account/session").json()["idle_left"] == IDLE
    assert client.get("/account/session/session-timeout.js").status_code == 200


def test_they_can_be_in_an_application_that_is_mounted(clock):
    outer = FastAPI()
    outer.mount("/shop", timed_shop(clock=clock))
    client = browser(outer)
    client.post("/shop/login")
    assert client.get("/shop/session").json()["signed_in"] is True
