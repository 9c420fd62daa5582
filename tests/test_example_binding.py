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
    device = bound.cookies[DEVICE]
    page = send(bound, "/confirm-password", "/confirm-password", password=DEMO_PASSWORD, next="/account")
    assert "Yes, proven until" in page.text
    assert offers(page) == []
    assert bound.cookies[DEVICE] == device


def test_a_browser_that_lost_its_key_signs_in_again_and_is_bound_again(bound, clock):
    lose_proof(bound, clock)
    before = bound.cookies[COOKIE]
    page = bound.get("/account")
    assert page.url.path == "/sign-in"
    assert NOT_PROVEN in page.text
    # Nothing was ended by that: the key may come back with the next request.
    assert bound.cookies[COOKIE] == before
    signed_in = sign_in(bound, page="/account")
    assert "Welcome back, Ada." in signed_in.text
    bind(bound, signed_in)
    assert "Yes, proven until" in bound.get("/account").text


def test_a_wrong_password_of_such_a_visitor_leaves_everything_as_it_was(bound, clock):
    lose_proof(bound, clock)
    before = bound.cookies[COOKIE]
    assert sign_in(bound, password="a guess").status_code == 422
    assert bound.cookies[COOKIE] == before
    assert "Welcome back, Ada." in sign_in(bound).text


def test_such_a_visitor_is_told_that_nothing_goes_into_the_cart(bound, clock):
    lose_proof(bound, clock)
    answer = send(bound, "/products/mug", "/cart/mug/add", quantity=1)
    assert answer.status_code == 403
    assert "Your browser could not show that you signed in on this device." in answer.text
    assert 'href="/sign-in"' in answer.text


def test_such_a_visitor_can_sign_out(bound, clock):
    lose_proof(bound, clock)
    assert bound.post("/sign-out").url.path == "/signed-out"
    assert {COOKIE, DEVICE}.isdisjoint(bound.cookies)


@pytest.mark.parametrize("form", ["/sign-in", "/sign-out"])
def test_a_page_of_another_site_sends_neither_form_for_such_a_visitor(bound, clock, form):
    lose_proof(bound, clock)
    answer = bound.post(form, headers={"origin": "https://other.example", "sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert {COOKIE, DEVICE} <= set(bound.cookies)


def test_a_visitor_without_a_proof_makes_no_noise_in_the_log(bound, clock, caplog):
    lose_proof(bound, clock)
    for path in ("/", "/account", "/sign-in", "/cart", "/products/mug"):
        bound.get(path)
    # That the cookie was turned away, once; and no change that could not be saved.
    assert [record.kind for record in caplog.records if record.name == "fastsession"] == ["rejected"]


def test_a_browser_that_cannot_bind_goes_on_as_before(browser, clock):
    sign_in(browser)
    clock.advance(PROOF_LIFETIME)
    assert browser.get("/account").url.path == "/account"
    assert "Welcome back" in sign_in(another_browser(browser)).text
