from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI

from fastsession import ConfigurationError, Session, SessionMiddleware, require
from fastsession.testing import sealed_cookies
from tests.shop import COOKIE, IDLE, MINUTE, SECRET, ShopSession, browser, set_cookies, shop


def signed_in(session):
    return session.user_id is not None


def asking(clock, **options):
    """A client of a shop with a page that asks for a session as `require` is told to."""
    app = shop(clock=clock)

    @app.get("/account")
    async def account(session: Annotated[ShopSession, Depends(require(signed_in, **options))]) -> int | None:
        return session.user_id

    return browser(app)


def test_a_session_that_meets_the_condition_is_handed_to_the_route(clock):
    client = asking(clock)
    client.post("/login")
    assert client.get("/account").json() == 42


def test_a_session_that_does_not_is_answered_401_with_a_way_to_authenticate(clock):
    response = asking(clock).get("/account")
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})
    assert response.headers["www-authenticate"] == "Cookie"


def test_the_status_code_can_be_chosen_and_403_names_no_way_to_authenticate(clock):
    response = asking(clock, status_code=403).get("/account")
    assert response.status_code == 403
    assert "www-authenticate" not in response.headers


def test_a_refusal_varies_by_cookie(clock):
    assert asking(clock).get("/account").headers["vary"] == "Cookie"


def test_a_rejected_cookie_is_refused_and_stays(clock):
    response = asking(clock).get("/account", headers={"cookie": f"{COOKIE}=garbage"})
    assert response.status_code == 401
    assert set_cookies(response) == []


@pytest.mark.parametrize("fresh", [timedelta(minutes=10), 600])
def test_fresh_asks_for_a_login_no_longer_ago_than_that(clock, fresh):
    client = asking(clock, fresh=fresh)
    client.post("/login")
    clock.advance(10 * MINUTE - 1)
    assert client.get("/account").json() == 42
    clock.advance(1)
    response = client.get("/account")
    assert (response.status_code, response.json()) == (401, {"detail": "Fresh authentication required"})


def test_using_the_session_does_not_make_a_login_fresh_again(clock):
    client = asking(clock, fresh=timedelta(minutes=10))
    client.post("/login")
    clock.advance(IDLE // 2)
    client.post("/cart/tea")
    assert client.get("/account").status_code == 401
    client.post("/login")
    assert client.get("/account").status_code == 200


def test_a_session_that_never_logged_in_by_regenerate_is_not_fresh(clock):
    client = asking(clock, fresh=timedelta(minutes=10))
    client.post("/update", json={"user_id": 7})
    assert client.get("/account").status_code == 401


def test_sealed_cookies_are_those_of_a_fresh_login(clock):
    client = asking(clock, fresh=timedelta(minutes=10))
    client.cookies.update(sealed_cookies(client.app, ShopSession(user_id=7)))
    assert client.get("/account").json() == 7


@pytest.mark.parametrize("fresh", [0, -1, timedelta(0), "600", True])
def test_a_freshness_that_nothing_could_meet_is_refused_where_it_is_written(fresh):
    with pytest.raises(ConfigurationError, match="fresh takes a timedelta or a number of seconds"):
        require(signed_in, fresh=fresh)


class AdminSession(Session):
    role: str = ""


def test_model_chooses_among_several_middlewares():
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=AdminSession, secret_key=SECRET, session_cookie="admin")
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)

    def is_chief(session: AdminSession) -> bool:
        return session.role == "chief"

    @app.get("/admin", dependencies=[Depends(require(is_chief, model=AdminSession, status_code=403))])
    async def admin() -> str:
        return "welcome"

    client = browser(app)
    assert client.get("/admin").status_code == 403
    client.cookies.update(sealed_cookies(app, AdminSession(role="chief")))
    assert client.get("/admin").json() == "welcome"


def test_without_the_middleware_it_is_the_programmers_mistake_and_no_401():
    app = FastAPI()
    app.get("/", dependencies=[Depends(require(signed_in))])(lambda: None)
    with pytest.raises(ConfigurationError, match="add_middleware"):
        browser(app).get("/")
