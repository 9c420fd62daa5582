"""The example shop's list of devices, and the ways to sign them out, with two browsers at one shop."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from html import unescape

import pytest

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from example_app.devices import device_name
from tests.example_shop import (
    CHROME,
    COOKIE,
    FIREFOX,
    GRACE,
    SAFARI,
    another_browser,
    create_shop,
    send,
    serving,
    sign_in,
    token_in,
)

DEVICES = "/account/devices"
NEW_PASSWORD = "difference-engine-no-2"


@pytest.fixture
def laptop(tmp_path, clock):
    """Ada's first browser, signed in."""
    with serving(create_shop(tmp_path, clock)) as browser:
        browser.headers["user-agent"] = FIREFOX
        sign_in(browser)
        yield browser


@pytest.fixture
def phone(laptop, clock):
    """Ada's second browser, signed in five minutes later than the first."""
    clock.advance(timedelta(minutes=5))
    browser = another_browser(laptop, SAFARI)
    sign_in(browser)
    return browser


def listed(browser):
    """The devices on the page: name, lines below it, and the handle to sign it out by."""
    items = re.findall(r"<li>\s*<div class=\"what\">(.*?)</li>", browser.get(DEVICES).text, re.DOTALL)
    return [(*re.findall(r"\S.*", re.sub(r"<[^>]*>", "", unescape(item)))[:3], handle_in(item)) for item in items]


def handle_in(item):
    found = re.search(r'name="end" value="(\w+)"', item)
    return found and found[1]


def handles(browser):
    """The devices' handles by the names that the page gives them."""
    return {name: handle for name, *_, handle in listed(browser)}


def end(browser, devices):
    """Press the button that ends all sessions, the others, or the one with this handle."""
    return send(browser, DEVICES, DEVICES, end=devices)


def is_signed_in(browser):
    return browser.get("/account").url.path == "/account"


def test_the_page_lists_this_device_first_and_the_others_with_a_button(laptop, phone, clock):
    signed_in = "Signed in 15 January 2027, 08:0"
    clock.advance(timedelta(minutes=5))
    assert is_signed_in(phone)
    [this, other] = listed(laptop)
    assert this == ("Firefox on Linux This device", f"{signed_in}0\xa0UTC", "Last seen now", None)
    assert other[:3] == (
        "Safari on iPhone",
        "Signed in 15 January 2027, 08:05\xa0UTC",
        "Last seen 15 January 2027, 08:10\xa0UTC",
    )
    assert re.fullmatch("[0-9a-f]{16}", other[3])


def test_somebody_else_s_devices_are_not_listed_and_cannot_be_ended(laptop, phone):
    stranger = another_browser(laptop, CHROME)
    sign_in(stranger, email=GRACE)
    assert [device[0] for device in listed(stranger)] == ["Chrome on Windows This device"]
    handle = listed(laptop)[1][3]
    page = end(stranger, handle)
    assert "That device was no longer signed in." in page.text
    assert is_signed_in(phone)


def test_signing_one_device_out_ends_it_with_its_next_request(laptop, phone):
    third = another_browser(laptop, CHROME)
    sign_in(third)
    handle = handles(laptop)["Safari on iPhone"]
    page = end(laptop, handle)
    assert page.url.path == DEVICES
    assert "The device has been signed out." in page.text
    assert [device[0] for device in listed(laptop)] == ["Firefox on Linux This device", "Chrome on Windows"]

    refused = phone.get("/account")
    assert refused.url.path == "/sign-in"
    assert "You have been signed out. Please sign in again." in refused.text
    assert is_signed_in(third)
    again = end(laptop, handle)
    assert "That device was no longer signed in." in again.text


@pytest.mark.parametrize("handle", ["0" * 16, "x", "", "0" * 500])
def test_a_handle_that_nobody_has_ends_nothing(laptop, phone, handle):
    page = end(laptop, handle)
    assert "That device was no longer signed in." in page.text
    assert is_signed_in(phone)


def test_signing_out_everywhere_else_keeps_this_browser_with_its_cart(laptop, phone):
    send(laptop, "/products/mug", "/cart/mug/add", quantity=1)
    before, token = laptop.cookies[COOKIE], token_in(laptop.get(DEVICES).text)
    page = end(laptop, "others")
    assert page.url.path == DEVICES
    assert "You are signed out everywhere else." in page.text
    assert [device[0] for device in listed(laptop)] == ["Firefox on Linux This device"]
    assert "Speckled mug" in laptop.get("/cart").text
    assert not is_signed_in(phone)
    assert token_in(page.text) != token
    # Whoever had copied this browser's cookie is out too.
    thief = another_browser(laptop)
    thief.cookies.set(COOKIE, before, domain="shop.example")
    assert not is_signed_in(thief)


@pytest.mark.parametrize("devices", ["others", "all", "one"])
def test_signing_devices_out_needs_a_password_of_the_last_ten_minutes(laptop, phone, clock, devices):
    # OWASP ASVS 5.0, 7.5.2: somebody who finds the laptop open ends nobody's session.
    clock.advance(timedelta(minutes=5))
    chosen = handles(laptop)["Safari on iPhone"] if devices == "one" else devices
    asked = end(laptop, chosen)
    assert asked.url.path == "/confirm-password"
    assert "Nothing has been changed yet." in asked.text
    assert is_signed_in(phone)

    page = send(laptop, str(asked.url), "/confirm-password", password=DEMO_PASSWORD, next=DEVICES)
    assert page.url.path == DEVICES
    end(laptop, chosen)
    assert not is_signed_in(phone)


def test_signing_others_out_makes_no_sign_in_fresh(laptop, clock):
    clock.advance(timedelta(minutes=9))
    end(laptop, "others")
    assert laptop.get("/account/password").url.path == "/account/password"
    clock.advance(timedelta(minutes=1))
    assert laptop.get("/account/password").url.path == "/confirm-password"


def test_signing_out_everywhere_leads_to_the_sign_in_page(laptop, phone):
    page = end(laptop, "all")
    assert page.url.path == "/sign-in"
    assert "You have been signed out. Please sign in again." in page.text
    assert not is_signed_in(laptop)
    assert not is_signed_in(phone)
    assert "Welcome back, Ada." in sign_in(laptop).text


def test_signing_out_on_one_browser_leaves_the_other(laptop, phone):
    send(phone, "/account", "/sign-out")
    assert [device[0] for device in listed(laptop)] == ["Firefox on Linux This device"]


def test_a_form_of_a_browser_that_was_signed_out_changes_nothing(laptop, phone):
    token = token_in(phone.get("/products/mug").text)
    end(laptop, "others")
    answer = phone.post("/cart/mug/add", data={"quantity": 1, "csrf_token": token})
    assert answer.status_code == 403
    assert not is_signed_in(phone)


def test_a_new_password_signs_every_other_device_out(laptop, phone, clock):
    # The laptop's sign-in is ten minutes old by now: the password first.
    clock.advance(timedelta(minutes=5))
    asked = laptop.get("/account/password")
    assert asked.url.path == "/confirm-password"
    form = send(laptop, str(asked.url), "/confirm-password", password=DEMO_PASSWORD, next="/account/password")
    assert form.url.path == "/account/password"
    page = send(laptop, "/account/password", "/account/password", password=NEW_PASSWORD, repeated=NEW_PASSWORD)
    assert page.url.path == "/account"
    assert "Your password has been changed, and you are signed out everywhere else." in page.text
    assert is_signed_in(laptop)
    assert not is_signed_in(phone)
    assert sign_in(phone).status_code == 422
    assert "Welcome back, Ada." in sign_in(phone, password=NEW_PASSWORD).text


@pytest.mark.parametrize(
    ("password", "repeated", "error"),
    [
        ("", "", "at least 15 characters"),
        ("fourteen chars", "fourteen chars", "at least 15 characters"),
        (NEW_PASSWORD, NEW_PASSWORD.upper(), "not the same"),
    ],
)
def test_a_password_that_cannot_be_taken_leaves_everything_as_it_was(laptop, password, repeated, error):
    other = another_browser(laptop)
    sign_in(other)
    answer = send(laptop, "/account/password", "/account/password", password=password, repeated=repeated)
    assert answer.status_code == 422
    assert error in answer.text
    assert is_signed_in(other)
    send(other, "/account", "/sign-out")
    assert "Welcome back" in sign_in(other).text


def test_sessions_outlive_the_server_and_their_file_tells_nothing(tmp_path, clock):
    secret_key = "one secret for both runs of the server"
    with serving(create_shop(tmp_path, clock, secret_key)) as browser:
        sign_in(browser)
        cookie = browser.cookies[COOKIE]
    with serving(create_shop(tmp_path, clock, secret_key)) as browser:
        browser.cookies.set(COOKIE, cookie, domain="shop.example")
        assert DEMO_EMAIL in browser.get("/account").text
    with closing(sqlite3.connect(tmp_path / "sessions.sqlite3")) as file:
        [(data,)] = file.execute("SELECT data FROM sessions WHERE owner NOT NULL")
    assert b"account_id" not in data


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/142.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_devices_are_called_by_the_names_their_users_know(user_agent, name):
    assert device_name(user_agent) == name
