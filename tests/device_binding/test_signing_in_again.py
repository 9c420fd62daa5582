"""Whoever has lost the key signs in again, whatever the sign-in keeps in the session on the way there.

The session cookie stays in the browser for as long as it lasts, weeks for a remembered one. Were nothing saved beside
it, an OAuth login would never find the state that it began with, nor a form its token.
"""

import secrets

import pytest
from fastapi import HTTPException, Request

from fastsession import DeviceBinding, Lifetime
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank
from tests.device_binding.modelled_browser import Browser
from tests.shop import COOKIE, DAY, Current, set_cookies

REMEMBER = Lifetime(idle=14 * DAY, absolute=90 * DAY)


def with_oauth(**options):
    """The bank with a login at an identity provider: what it begins with is kept in the session until the callback."""
    app = bank(**options)

    @app.get("/oauth/login")
    async def begin(request: Request) -> str:
        request.session["state"] = state = secrets.token_urlsafe()
        return state

    @app.get("/oauth/callback")
    async def end(request: Request, session: Current, state: str) -> int:
        if request.session.pop("state", None) != state:
            raise HTTPException(400, "mismatching state")
        session.regenerate()
        session.user_id = 7
        return session.user_id

    return app


@pytest.fixture
def user(mode, clock):
    binding = DeviceBinding(exclude=["/oauth/excluded"])
    browser = Browser(with_oauth(mode=mode, clock=clock, remember=REMEMBER, device_binding=binding), clock)
    browser.post("/login")
    browser.post("/remember/true")
    assert browser.is_bound
    clock.advance(LIFETIME)
    return browser


def begin(user, *headers, held=True, path="/oauth/login"):
    return user.ask("GET", path, headers=headers, held=held)


def test_a_login_that_keeps_something_in_the_session_works_without_the_key(user):
    user.bindings.clear()
    state = begin(user).json()
    # The provider leads back from another site.
    assert user.follow_link(f"/oauth/callback?state={state}").json() == 7
    assert user.is_bound
    assert user.get("/who").json()[:3] == [7, "valid", True]


def test_a_login_works_without_the_device_cookie(user):
    user.bindings.clear()
    user.forget(DEVICE)
    assert user.follow_link(f"/oauth/callback?state={begin(user).json()}").json() == 7


def test_an_anonymous_session_of_such_a_browser_is_one_like_any_other(user):
    user.bindings.clear()
    user.post("/cart/tea")
    assert user.get("/cart").json() == ["tea"]
    assert user.get("/who").json() == [None, "valid", False, None]


SKIPPED = ("secure-session-skipped", "server_error")
CROSS_SITE, SAME_SITE = ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")


@pytest.mark.parametrize("header", [SKIPPED, CROSS_SITE, SAME_SITE], ids=["skipped", "cross-site", "same-site"])
def test_a_browser_that_may_have_its_key_keeps_the_session(user, header):
    before = user.cookies()[COOKIE]
    assert set_cookies(begin(user, header, held=False)) == []
    assert user.cookies()[COOKIE] == before
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_a_request_that_was_under_way_when_the_proof_ran_out_keeps_the_session(mode, clock):
    """The browser sent the bound cookie, and so asked for no new one."""
    user = Browser(with_oauth(mode=mode, clock=clock), clock)
    user.post("/login")
    header = user.cookie_header()
    clock.advance(LIFETIME)
    response = user.client.get("/oauth/login", headers={"cookie": header})
    assert BOUND in header
    assert set_cookies(response) == []


def test_a_path_for_which_the_browser_asks_for_no_proof_keeps_the_session(user):
    @user.client.app.get("/oauth/excluded/login")
    async def excluded(request: Request) -> None:
        request.session["state"] = "set"

    response = begin(user, path="/oauth/excluded/login")
    assert response.status_code == 200
    assert set_cookies(response) == []
    assert user.get("/who").json()[:3] == [42, "valid", True]


@pytest.mark.parametrize("mode", ["revocations"], indirect=True)
def test_a_request_that_was_under_way_during_the_registration_keeps_the_session(offered, clock):
    """The page after the login may send it before the browser has a key, and the pair is claimed when it arrives."""
    header = offered.cookie_header()
    offered.register()
    response = offered.client.post("/cart/tea", headers={"cookie": header})
    assert set_cookies(response) == []
    assert offered.get("/who").json()[:3] == [42, "valid", True]


@pytest.mark.parametrize("mode", ["revocations"], indirect=True)
def test_a_browser_that_never_got_the_answer_to_its_registration_begins_anew(offered, clock):
    header = offered.cookie_header()
    offered.register()
    clock.advance(331)
    response = offered.client.post("/cart/tea", headers={"cookie": header})
    assert [line.partition("=")[0] for line in set_cookies(response)] == [COOKIE]
