"""The end of a session in the example shop: the warning before it, and what is said after it."""

import re
from datetime import timedelta

import pytest

from example_app.accounts import DEMO_EMAIL
from tests.example_shop import COOKIE, create_shop, send, serving, sign_in
from tests.timed_shop import SAME_ORIGIN, status

SCRIPT = re.compile(
    r'<script defer src="(/session/session-timeout\.js)" data-signed-in="true" data-sign-in-url="([^"]+)"'
)


@pytest.fixture
def browser(tmp_path, clock):
    with serving(create_shop(tmp_path, clock)) as client:
        client.headers.update(SAME_ORIGIN)
        yield client


@pytest.mark.parametrize("path", ["/", "/cart", "/account", "/account/email", "/nowhere"])
def test_pages_of_somebody_signed_in_warn_and_lead_back_after_the_sign_in(browser, path):
    sign_in(browser)
    found = SCRIPT.search(browser.get(path).text)
    assert found[2] == f"/sign-in?next={path.replace('/', '%2F')}"
    assert browser.get(found[1]).headers["content-type"].startswith("text/javascript")


def test_pages_of_a_visitor_have_no_script(browser):
    send(browser, "/products/mug", "/cart/mug/add", quantity=1)
    for path in ("/", "/cart", "/nowhere"):
        assert "<script" not in browser.get(path).text


def test_the_sign_in_page_has_a_script_that_loads_it_again_with_the_way_back(browser):
    page = browser.get("/sign-in", params={"next": "/cart"}).text
    [tag] = re.findall(r"<script[^>]*>", page)
    assert tag == '<script defer src="/session/sign-in-timeout.js" data-sign-in-url="/sign-in?next=%2Fcart">'
    assert browser.get("/session/sign-in-timeout.js").status_code == 200


def test_after_the_sign_in_the_password_is_not_asked_for_once_more(browser):
    sign_in(browser)
    page = browser.get("/confirm-password", params={"next": "/account/email"}).text
    assert SCRIPT.search(page)[2] == "/sign-in?next=%2Faccount%2Femail"


def test_pages_may_run_and_ask_what_the_warning_needs(browser):
    policy = browser.get("/").headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)


def test_the_warning_counts_those_who_are_signed_in(browser, clock):
    send(browser, "/products/mug", "/cart/mug/add", quantity=1)
    assert not status(browser)["signed_in"]
    sign_in(browser)
    clock.advance(timedelta(minutes=10))
    assert status(browser)["idle_left"] == 20 * 60


def test_the_warning_s_buttons_renew_and_end_the_session(browser, clock):
    sign_in(browser)
    clock.advance(timedelta(minutes=29))
    assert browser.post("/session").status_code == 204
    assert status(browser)["idle_left"] == 30 * 60
    assert browser.delete("/session").status_code == 204
    assert COOKIE not in browser.cookies
    assert browser.get("/account").url.path == "/sign-in"


def test_a_shorter_idle_timeout_warns_in_half_of_it(tmp_path, clock):
    with serving(create_shop(tmp_path, clock, idle_timeout=timedelta(minutes=1))) as browser:
        browser.headers.update(SAME_ORIGIN)
        sign_in(browser)
        assert (status(browser)["idle_left"], status(browser)["warn_before"]) == (60, 30)


@pytest.mark.parametrize("path", ["/account", "/sign-in"])
@pytest.mark.parametrize(
    ("pauses", "told"),
    [([timedelta(minutes=30)], "You were away"), ([timedelta(minutes=20)] * 36, "had become old")],
)
def test_the_sign_in_page_says_once_why_the_session_is_over(browser, clock, path, pauses, told):
    sign_in(browser)
    for pause in pauses:
        assert browser.post("/session").status_code == 204
        clock.advance(pause)
    assert told in browser.get(path).text
    assert told not in browser.get("/sign-in").text
    assert DEMO_EMAIL in sign_in(browser).text


def test_a_visitor_who_is_new_is_told_of_no_end(browser):
    assert 'role="status"' not in browser.get("/account").text
    browser.cookies.set(COOKIE, "never sent by us", domain="shop.example")
    assert 'role="status"' not in browser.get("/account").text
