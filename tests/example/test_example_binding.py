"""The example shop's sessions bound to a device, with a browser that has a device key and one that has not."""

from __future__ import annotations

import pytest

from example_app.accounts import DEMO_PASSWORD
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import offer_in, response_header
from tests.example_shop import COOKIE, another_browser, create_shop, send, serving, sign_in

DEVICE, BOUND = "__Host-device-shop_session", "__Host-bound-shop_session"
PROOF_LIFETIME = 600
NOT_PROVEN = "Your browser could not show that you signed in on this device. Please sign in again."


@pytest.fixture
def browser(tmp_path, clock):
    with serving(create_shop(tmp_path, clock)) as client:
        yield client


@pytest.fixture
def bound(browser):
    """A browser whose session is bound to its key."""
    bind(browser, sign_in(browser))
    return browser


def offers(answer):
    """The offers to register a key in a response and those that led to it."""
    return [offer for response in (*answer.history, answer) if (offer := offer_in(response))]


def bind(browser, signed_in):
    """Register a key, as the sign-in offered."""
    [offer] = offers(signed_in)
    proof = response_header(DeviceKey().registration(offer.challenge))
    assert browser.post(offer.path, headers=[proof]).status_code == 200


def lose_proof(browser, clock):
    """Let the proof run out in a browser that has lost its key."""
    clock.advance(PROOF_LIFETIME)
    browser.cookies.delete(BOUND)


def test_the_account_s_page_says_whether_the_session_is_bound_and_until_when(browser):
    signed_in = sign_in(browser)
    assert "Not yet, or not by this browser" in browser.get("/account").text
    assert "bound to this device" not in browser.get("/account/devices").text
    bind(browser, signed_in)
    page = browser.get("/account").text
    assert "Yes, proven until" in page
    # The clock of the tests stands at 08:00.
    assert "15 January 2027, 08:10&nbsp;UTC" in page


def test_the_list_of_devices_says_which_session_is_bound(bound):
    sign_in(another_browser(bound))
    page = bound.get("/account/devices").text
    assert page.count("Sign out<span") == 1
    assert page.count("bound to this device") == 1


def test_a_copied_jar_opens_the_account_until_the_proof_is_over(bound, clock):
    thief = another_browser(bound)
    for cookie in bound.cookies.jar:
        thief.cookies.set(cookie.name, cookie.value, domain="shop.example")
    clock.advance(PROOF_LIFETIME - 1)
    assert thief.get("/account").url.path == "/account"
    clock.advance(1)
    assert thief.get("/account").url.path == "/sign-in"


def test_entering_the_password_again_keeps_the_device_and_its_proof(bound, clock):
    clock.advance(PROOF_LIFETIME - 1)
    page = send(bound, "/confirm-password", "/confirm-password", password=DEMO_PASSWORD, next="/account")
    assert "Yes, proven until" in page.text
    assert offers(page) == []


def test_a_browser_that_lost_its_key_signs_in_again_and_is_bound_again(bound, clock):
    lose_proof(bound, clock)
    page = bound.get("/account")
    assert page.url.path == "/sign-in"
    assert page.text.count(NOT_PROVEN) == 1
    assert sign_in(bound, page="/account", password="a guess").status_code == 422
    signed_in = sign_in(bound, page="/account")
    assert "Welcome back, Ada." in signed_in.text
    bind(bound, signed_in)
    assert "Yes, proven until" in bound.get("/account").text


def test_such_a_browser_can_go_shopping_before_it_signs_in(bound, clock):
    lose_proof(bound, clock)
    send(bound, "/products/mug", "/cart/mug/add", quantity=1)
    assert "Speckled mug" in bound.get("/cart").text
    sign_in(bound)
    assert "Speckled mug" in bound.get("/cart").text


def test_a_browser_that_could_not_be_asked_for_its_key_stays_signed_in(bound, clock):
    before, proof = bound.cookies[COOKIE], bound.cookies[BOUND]
    lose_proof(bound, clock)
    page = bound.get("/account", headers={"secure-session-skipped": "server_error"})
    assert page.url.path == "/sign-in"
    assert NOT_PROVEN in page.text
    assert bound.cookies[COOKIE] == before
    # The server's clock goes back in place of a new proof.
    clock.advance(-1)
    bound.cookies.set(BOUND, proof, domain="shop.example")
    assert bound.get("/account").url.path == "/account"


def test_a_browser_that_cannot_bind_goes_on_as_before(browser, clock):
    sign_in(browser)
    clock.advance(PROOF_LIFETIME)
    assert browser.get("/account").url.path == "/account"
    assert "Welcome back" in sign_in(another_browser(browser)).text
