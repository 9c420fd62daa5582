"""Cookies changed with the browser's own tools: a fresh session, one event, and the bad cookie is gone."""

import pytest

from tests.browser.fetching import fetch, jar
from tests.shop import COOKIE, OLD_SECRET, browser, shop


@pytest.fixture
def app(clock, events):
    return shop(clock=clock, on_event=events.append, max_cookies=3)


@pytest.fixture
def set_cookie(page, context):
    """`set_cookie(value)` changes the session cookie as the developer tools do; other fields may be given too."""
    devtools = context.new_cdp_session(page)

    def change(value, **fields):
        fields = {"name": COOKIE, "url": page.url, "path": "/", "secure": True, "httpOnly": True, **fields}
        return devtools.send("Network.setCookie", {**fields, "value": value})["success"]

    return change


def flipped(value, position):
    """The value with one character replaced by another that a token can have there."""
    other = "A" if value[position] != "A" else "Q"
    return value[:position] + other + value[position + 1 :]


TAMPERED = {
    "the version": (lambda value: flipped(value, 0), "malformed"),
    "the time": (lambda value: flipped(value, 11), "forged"),
    "the nonce": (lambda value: flipped(value, 30), "forged"),
    "the ciphertext": (lambda value: flipped(value, 80), "forged"),
    "the tag": (lambda value: flipped(value, len(value) - 5), "forged"),
    # Eight characters are six whole bytes: what is left is canonical.
    "the end cut off": (lambda value: value[:-8], "forged"),
    "most cut off": (lambda value: value[:20], "malformed"),
    "padding": (lambda value: value + "=", "malformed"),
    "quotes": (lambda value: f'"{value}"', "malformed"),
    "nothing left": (lambda _: "", "malformed"),
    "another program's": (lambda _: "eyJ1c2VyX2lkIjogMX0=.Zm9yZ2Vk", "malformed"),
    "as long as it can be": (lambda _: "A" * (4096 - len(COOKIE)), "malformed"),
    "a chunk alone": (lambda value: f"2.AAAAAAAA.{value}", "incomplete"),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_a_changed_cookie_ends_in_a_fresh_session_and_one_event(shop_page, set_cookie, context, events, change):
    tamper, status = TAMPERED[change]
    assert set_cookie(tamper(jar(context)[COOKIE]))
    assert fetch(shop_page, "/cart") == []
    assert fetch(shop_page, "/cart/milk", "POST") == ["milk"]
    assert fetch(shop_page, "/cart") == ["milk"]
    assert [(event.kind, event.status) for event in events] == [("rejected", status), ("created", status)]


def test_a_cookie_that_was_only_copied_is_valid(shop_page, set_cookie, context, events):
    assert set_cookie(jar(context)[COOKIE])
    assert fetch(shop_page, "/cart") == ["tea"]
    assert events == []


def test_a_chunk_of_an_older_session_does_not_fit(shop_page, set_cookie, context, events):
    fetch(shop_page, "/note/5000", "POST")
    older = jar(context)
    fetch(shop_page, "/note/5001", "POST")
    events.clear()
    assert set_cookie(older[f"{COOKIE}.1"], name=f"{COOKIE}.1")
    assert fetch(shop_page, "/cart") == []
    assert [(event.kind, event.status) for event in events] == [("rejected", "incomplete")]


def test_a_deleted_chunk_is_one_event_and_the_next_save_takes_the_others_with_it(shop_page, context, events):
    fetch(shop_page, "/note/8000", "POST")
    events.clear()
    context.clear_cookies(name=f"{COOKIE}.1")
    assert fetch(shop_page, "/cart") == []
    assert [(event.kind, event.status) for event in events] == [("rejected", "incomplete")]
    fetch(shop_page, "/note/1", "POST")
    assert list(jar(context)) == [COOKIE]


def test_a_session_sealed_under_another_secret_is_left_where_it_is(shop_page, set_cookie, context, events, clock):
    elsewhere = browser(shop(clock=clock, secret_key=OLD_SECRET))
    elsewhere.post("/login")
    assert set_cookie(elsewhere.cookies[COOKIE])
    assert fetch(shop_page, "/cart") == []
    assert jar(context) == {COOKIE: elsewhere.cookies[COOKIE]}
    assert [(event.kind, event.status) for event in events] == [("rejected", "unknown_key")]


def test_a_cookie_of_another_name_under_the_same_secret_is_forged(shop_page, set_cookie, events, clock):
    other = browser(shop(clock=clock, session_cookie="other"))
    other.post("/login")
    assert set_cookie(other.cookies["__Host-other"])
    assert fetch(shop_page, "/cart") == []
    assert [(event.kind, event.status) for event in events] == [("rejected", "forged")]


def test_a_cookie_from_before_the_logout_is_a_session_again(shop_page, set_cookie, context):
    before = jar(context)[COOKIE]
    fetch(shop_page, "/logout", "POST")
    assert set_cookie(before)
    # Without revocations nobody knows that it was destroyed (docs/security.md).
    assert fetch(shop_page, "/cart") == ["tea"]
