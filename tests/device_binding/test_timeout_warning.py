"""What `session_status` tells pages of a bound session: one that cannot be proven for a moment is not over."""

import pytest

from fastsession import DeviceBinding
from fastsession.session_status import session_status_router
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank
from tests.device_binding.modelled_browser import Browser
from tests.shop import ABSOLUTE, COOKIE, IDLE, set_cookies
from tests.timed_shop import SAME_ORIGIN

SKIPPED = ("secure-session-skipped", "server_error")
OWN_PAGE = list(SAME_ORIGIN.items())


def signed_in_browser(mode, clock, **binding):
    app = bank(mode, clock=clock, device_binding=DeviceBinding(**binding))
    app.include_router(session_status_router(signed_in=lambda session: session.user_id))
    browser = Browser(app, clock)
    browser.post("/login")
    assert browser.is_bound
    return browser


@pytest.fixture
def user(mode, clock):
    return signed_in_browser(mode, clock)


def test_a_bound_session_lasts_as_long_as_any(user, clock):
    clock.advance(LIFETIME)
    response = user.get("/session")
    told = response.json()
    assert (told["signed_in"], told["idle_left"], told["absolute_left"]) == (True, IDLE - LIFETIME, ABSOLUTE - LIFETIME)
    assert set_cookies(response) == []


def test_a_page_whose_browser_lost_the_key_is_told_that_nobody_is_signed_in(user, clock):
    clock.advance(LIFETIME)
    user.bindings.clear()
    response = user.get("/session")
    assert (response.status_code, response.json()["signed_in"]) == (200, False)
    assert set_cookies(response) == []


@pytest.mark.parametrize("reason", ["unreachable", "server_error", "quota_exceeded"])
def test_a_page_whose_browser_could_not_get_a_proof_is_told_to_ask_again(user, clock, reason):
    """With `signed_in: false` its script would leave the page, and what was typed into it."""
    clock.advance(LIFETIME)
    response = user.ask("GET", "/session", headers=[("secure-session-skipped", reason)], held=False)
    assert response.status_code == 503
    assert response.headers["cache-control"] == "no-store"
    assert set_cookies(response) == []
    assert user.get("/session").json()["signed_in"]


def test_the_header_alone_says_nothing_of_a_session_that_is_over(user, clock):
    clock.advance(IDLE)
    response = user.ask("GET", "/session", headers=[SKIPPED], held=False)
    assert (response.status_code, response.json()["signed_in"]) == (200, False)


def test_the_header_changes_nothing_for_a_session_that_is_proven(user):
    assert user.ask("GET", "/session", headers=[SKIPPED]).json()["signed_in"]


def test_with_allow_a_session_without_a_proof_is_told_of_but_not_renewed(mode, clock):
    user = signed_in_browser(mode, clock, without_proof="allow")
    clock.advance(LIFETIME)
    told = user.ask("GET", "/session", headers=[SKIPPED], held=False).json()
    assert (told["signed_in"], told["idle_left"]) == (True, IDLE - LIFETIME)
    response = user.ask("POST", "/session", headers=OWN_PAGE, held=False)
    assert set_cookies(response) == []
    # The page asks how long is left now, and warns again.
    assert user.ask("GET", "/session", held=False).json()["idle_left"] == IDLE - LIFETIME


def test_renewing_waits_for_the_proof_and_then_renews(user, clock):
    clock.advance(IDLE - 1)
    assert user.post("/session", headers=OWN_PAGE).status_code == 204
    assert user.get("/session").json()["idle_left"] == IDLE


def test_renewing_without_a_proof_is_refused_and_ends_nothing(user, clock):
    clock.advance(LIFETIME)
    response = user.ask("POST", "/session", headers=[*OWN_PAGE, SKIPPED], held=False)
    assert response.status_code == 401
    assert set_cookies(response) == []
    assert user.get("/session").json()["signed_in"]


def test_ending_without_a_proof_deletes_the_cookies(user, clock):
    clock.advance(LIFETIME)
    response = user.ask("DELETE", "/session", headers=[*OWN_PAGE, SKIPPED], held=False)
    assert response.status_code == 204
    assert {COOKIE, DEVICE, BOUND}.isdisjoint(user.cookies())
