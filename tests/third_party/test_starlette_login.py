"""starlette-login reads `request.session` before the endpoint runs and writes it on every login and logout."""

import pytest
from starlette.websockets import WebSocketDisconnect
from starlette_login.login_manager import Config, ProtectionLevel

from fastsession import Session
from fastsession.testing import opened_session
from tests.shop import COOKIE, browser, set_cookies
from tests.third_party.login_site import login_site

REMEMBER = "remember_token"
# A changed user agent is what starlette-login takes for a changed device.
ELSEWHERE = {"user-agent": "another browser"}


class Member(Session):
    pages: int = 0


def site_client(level: ProtectionLevel = ProtectionLevel.Basic, model: type[Session] = Session):
    return browser(login_site(Config(protection_level=level, COOKIE_SECURE=True), model=model))


@pytest.fixture(params=[Session, Member], ids=["default_model", "typed_model"])
def client(request):
    return site_client(model=request.param)


def arrives_at_sign_in(client, path: str, **options) -> bool:
    return client.get(path, **options).url.path == "/sign-in"


def test_a_visitor_is_sent_to_sign_in(client):
    assert client.get("/account", follow_redirects=False).headers["location"] == "/sign-in?next=/account"


def test_a_user_sees_the_account_after_signing_in(client):
    client.post("/sign-in")
    assert client.get("/account").json() == "ada"
    assert client.get("/").json() == "Ada"


def test_signing_in_regenerates_the_session(client):
    client.get("/")
    before = opened_session(client.app, client).info
    client.post("/sign-in")
    assert opened_session(client.app, client).info.id != before.id


def test_signing_out_protects_the_account_again(client):
    client.post("/sign-in")
    client.post("/sign-out")
    assert arrives_at_sign_in(client, "/account")


def test_signing_out_clears_the_cookie_when_nothing_is_left(client):
    client.post("/sign-in")
    assert "Max-Age=0" in set_cookies(client.post("/sign-out"))[0]
    assert not client.cookies


def test_a_fresh_login_opens_the_page_that_asks_for_one(client):
    client.post("/sign-in")
    assert client.get("/e-mail").json() == "change it here"


def test_an_unchanged_session_is_not_sealed_again(client):
    client.post("/sign-in")
    assert set_cookies(client.get("/account")) == []


def test_a_user_without_the_session_cookie_is_a_visitor(client):
    client.post("/sign-in")
    del client.cookies[COOKIE]
    assert arrives_at_sign_in(client, "/account")


def test_basic_protection_keeps_the_login_but_not_its_freshness():
    client = site_client(ProtectionLevel.Basic)
    client.post("/sign-in")
    assert client.get("/account", headers=ELSEWHERE).json() == "ada"
    assert arrives_at_sign_in(client, "/e-mail", headers=ELSEWHERE)


def test_strong_protection_ends_the_login_everywhere():
    client = site_client(ProtectionLevel.Strong)
    client.post("/sign-in")
    assert arrives_at_sign_in(client, "/account", headers=ELSEWHERE)
    assert arrives_at_sign_in(client, "/account")


def test_remember_sets_its_own_cookie_beside_ours(client):
    answer = client.post("/sign-in", params={"remember": True})
    assert set(answer.cookies) == {COOKIE, REMEMBER}
    assert client.get("/session").json()["_remember_seconds"] == 7 * 24 * 60 * 60


def test_a_remembered_user_comes_back_without_the_session_but_not_fresh(client):
    client.post("/sign-in", params={"remember": True})
    del client.cookies[COOKIE]
    assert client.get("/account").json() == "ada"
    assert arrives_at_sign_in(client, "/e-mail")


def test_a_forged_remember_token_signs_nobody_in(client):
    client.cookies.set(REMEMBER, "ada|" + "0" * 128, domain="testserver.local")
    assert arrives_at_sign_in(client, "/account")


def test_a_websocket_opens_for_a_user(client):
    client.post("/sign-in")
    with client.websocket_connect("wss://testserver/updates") as websocket:
        assert websocket.receive_text() == "ada"


def test_a_websocket_is_closed_for_a_visitor(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("wss://testserver/updates"):
        pass
