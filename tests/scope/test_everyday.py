import pytest

from fastsession.testing import opened_session
from tests.shop import CLEARED, COOKIE, SECRET, browser, set_cookies

EVERYDAY = """\
import os
from datetime import timedelta
from fastapi import Depends, FastAPI
from fastsession import Session, SessionMiddleware, get_session

class ShopSession(Session):
    user_id: int | None = None
    cart: list[str] = []

app = FastAPI()
app.add_middleware(
    SessionMiddleware,
    model=ShopSession,
    secret_key=os.environ["SESSION_SECRET"],
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=timedelta(hours=12),
)

@app.post("/cart/{item}")
async def add(item: str, session: ShopSession = Depends(get_session)) -> list[str]:
    session.cart.append(item)      # a nested change is noticed
    return session.cart

@app.post("/login")
async def login(session: ShopSession = Depends(get_session)) -> None:
    session.regenerate()           # new id, clocks restart: no fixation
    session.user_id = 42

@app.post("/logout")
async def logout(session: ShopSession = Depends(get_session)) -> None:
    session.destroy()
"""


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    program = {"__name__": "everyday"}
    exec(EVERYDAY, program)
    return program["app"]


@pytest.fixture
def client(app):
    return browser(app)


def test_a_nested_change_is_there_on_the_next_request(client):
    client.post("/cart/tea")
    assert client.post("/cart/milk").json() == ["tea", "milk"]


def test_the_cookie_is_host_bound_unreadable_and_gone_with_the_browser(client):
    [cookie] = set_cookies(client.post("/cart/tea"))
    value, _, attributes = cookie.removeprefix(f"{COOKIE}=").partition("; ")
    assert "tea" not in value
    assert attributes == "path=/; HttpOnly; SameSite=Lax; Secure"


def test_login_keeps_the_cart_and_changes_the_id(app, client):
    client.post("/cart/tea")
    before = opened_session(app, client).info.id
    client.post("/login")
    session = opened_session(app, client)
    assert (session.user_id, session.cart) == (42, ["tea"])
    assert session.info.id != before
    assert session.info.authenticated_at is not None


def test_logout_clears_the_cookie_and_with_it_the_session(app, client):
    client.post("/login")
    assert set_cookies(client.post("/logout")) == [CLEARED]
    assert not client.cookies
    assert opened_session(app, client).user_id is None


def test_two_visitors_have_two_sessions(app, client):
    client.post("/cart/tea")
    assert browser(app).post("/cart/milk").json() == ["milk"]
