"""sqladmin signs its staff in beside our session, in a cookie of its own, or with our session."""

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from fastsession import generate_key
from fastsession.testing import opened_session
from tests.shop import COOKIE as OURS
from tests.shop import ShopSession, browser
from tests.third_party.admin_site import Base, SharedLogin, StaffLogin, shop_with_admin

THEIRS = "session"
GOOD = {"username": "root", "password": "correct"}
BAD = {"username": "root", "password": "guessed"}
PRODUCT = {"name": "tea", "save": "Save"}


class StaffSession(ShopSession):
    staff: str | None = None


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def beside(engine):
    """The admin keeps its session in sqladmin's middleware."""
    return browser(shop_with_admin(engine, StaffLogin(secret_key=generate_key())))


@pytest.fixture(params=[ShopSession, StaffSession], ids=["extra_key", "declared_key"])
def shared(engine, request):
    """The admin keeps its session in ours."""
    return browser(shop_with_admin(engine, SharedLogin(), model=request.param))


@pytest.fixture(params=["beside", "shared"])
def client(engine, request):
    login = StaffLogin(secret_key=generate_key()) if request.param == "beside" else SharedLogin()
    return browser(shop_with_admin(engine, login))


def test_a_protected_page_asks_for_a_login(client):
    assert client.get("/admin/").url.path == "/admin/login"


def test_staff_see_the_admin_after_login(client):
    assert client.post("/admin/login", data=GOOD).url.path == "/admin/"
    assert client.get("/admin/product/list").status_code == 200


def test_a_wrong_password_leaves_staff_out(client):
    assert client.post("/admin/login", data=BAD).status_code == 400
    assert client.get("/admin/").url.path == "/admin/login"
    assert not client.cookies


def test_logout_protects_the_admin_again(client):
    client.post("/admin/login", data=GOOD)
    client.get("/admin/logout")
    assert client.get("/admin/").url.path == "/admin/login"
    assert not client.cookies


def test_messages_appended_in_place_are_shown_on_the_next_page_only(client):
    client.post("/admin/login", data=GOOD)
    client.post("/admin/product/create", data=PRODUCT, follow_redirects=False)
    assert len(client.get("/admin/session").json()["_messages"]) == 2
    shown = client.get("/admin/product/list").text
    assert "Saved tea" in shown
    assert "The shop shows it at once" in shown
    assert "Saved tea" not in client.get("/admin/product/list").text


def test_an_admin_login_leaves_our_cookie_alone(beside):
    beside.post("/cart/tea")
    before = beside.cookies[OURS]
    answer = beside.post("/admin/login", data=GOOD, follow_redirects=False)
    assert list(answer.cookies) == [THEIRS]
    assert beside.cookies[OURS] == before


def test_a_cart_leaves_the_admins_cookie_alone(beside):
    beside.post("/admin/login", data=GOOD)
    assert list(beside.post("/cart/tea").cookies) == [OURS]


def test_neither_session_holds_the_others_content(beside):
    beside.post("/cart/tea")
    beside.post("/admin/login", data=GOOD)
    assert beside.get("/view").json() == {"cart": ["tea"]}
    assert beside.get("/admin/session").json() == {"staff": "root"}


def test_the_admin_can_ask_for_our_session(beside):
    beside.post("/cart/tea")
    beside.post("/admin/login", data=GOOD)
    assert beside.get("/admin/cart").json() == ["tea"]


def test_one_request_can_change_both_sessions(beside):
    beside.post("/admin/login", data=GOOD)
    assert set(beside.get("/admin/gift").cookies) == {OURS, THEIRS}
    assert beside.get("/view").json() == {"cart": ["gift"]}
    assert beside.get("/admin/session").json() == {"staff": "root", "gifts": 1}


def test_an_admin_logout_keeps_the_cart(beside):
    beside.post("/cart/tea")
    beside.post("/admin/login", data=GOOD)
    beside.get("/admin/logout")
    assert list(beside.cookies) == [OURS]
    assert beside.get("/cart").json() == ["tea"]


def test_destroying_our_session_keeps_staff_signed_in(beside):
    beside.post("/cart/tea")
    beside.post("/admin/login", data=GOOD)
    beside.post("/logout")
    assert list(beside.cookies) == [THEIRS]
    assert beside.get("/admin/").url.path == "/admin/"


def test_a_shared_session_holds_cart_and_staff_in_one_cookie(shared):
    shared.post("/cart/tea")
    shared.post("/admin/login", data=GOOD)
    assert list(shared.cookies) == [OURS]
    assert shared.get("/view").json() == shared.get("/admin/session").json() == {"cart": ["tea"], "staff": "root"}


def test_a_shared_login_regenerates_the_session(shared):
    shared.post("/cart/tea")
    before = opened_session(shared.app, shared).info
    shared.post("/admin/login", data=GOOD)
    after = opened_session(shared.app, shared).info
    assert before.id != after.id
    assert after.authenticated_at is not None


def test_a_shared_logout_empties_the_cart_too(shared):
    shared.post("/cart/tea")
    shared.post("/admin/login", data=GOOD)
    shared.get("/admin/logout")
    assert not shared.cookies
    assert shared.get("/cart").json() == []


def test_a_declared_key_lands_in_the_model(engine):
    client = browser(shop_with_admin(engine, SharedLogin(), model=StaffSession))
    client.post("/admin/login", data=GOOD)
    assert opened_session(client.app, client, StaffSession) == StaffSession(staff="root")
