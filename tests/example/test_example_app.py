"""The example shop, driven over HTTP as a browser without JavaScript would."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from example_app import account_routes, device_routes, shop_routes
from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD, Accounts
from example_app.catalogue import CATALOGUE
from example_app.pages import own_page
from tests.example_shop import COOKIE, GRACE, another_browser, create_shop, send, serving, sign_in, token_in

ROUTES = [*shop_routes.router.routes, *account_routes.router.routes, *device_routes.router.routes]
POSTS = [route.path for route in ROUTES if "POST" in route.methods]


@pytest.fixture
def app(tmp_path, clock):
    return create_shop(tmp_path, clock)


@pytest.fixture
def browser(app):
    with serving(app) as client:
        yield client


@pytest.fixture
def member(browser):
    """A browser that has just signed in to the second demo account."""
    sign_in(browser, email=GRACE)
    return browser


def quantities(browser):
    """How many there are of each product in the cart."""
    found = re.findall(r'id="quantity-(\w+)"[^>]* value="(\d+)"', browser.get("/cart").text)
    return {product: int(quantity) for product, quantity in found}


def attributes(response):
    """The attributes of the session cookie that the response sets."""
    (header,) = [line for line in response.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]
    return header.split("; ")[1:]


def test_a_visit_from_the_first_look_to_the_sign_out(app, browser, clock):
    # Look around: no session yet, so no cookie.
    front = browser.get("/")
    assert "Speckled mug" in front.text
    assert "set-cookie" not in front.headers

    # Fill the cart. The cookie lasts as long as the browser runs.
    cart = send(browser, "/products/mug", "/cart/mug/add", quantity=2)
    assert cart.url.path == "/cart"
    assert "Speckled mug is in your cart." in cart.text
    assert attributes(cart.history[0]) == ["path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    assert "is in your cart" not in browser.get("/cart").text
    send(browser, "/products/teapot", "/cart/teapot/add", quantity=1)
    cart = send(browser, "/cart", "/cart/mug", quantity=5)
    assert "€ 108.00" in cart.text
    cart = send(browser, "/cart", "/cart/teapot/remove")
    assert "Stoneware teapot is no longer in your cart." in cart.text
    assert quantities(browser) == {"mug": 5}

    # The account asks to sign in, which gives the session another id and a cookie that outlives the browser.
    asked = browser.get("/account")
    assert asked.url.path == "/sign-in"
    thief = another_browser(browser)
    thief.cookies.set(COOKIE, browser.cookies[COOKIE], domain="shop.example")
    assert quantities(thief) == {"mug": 5}
    account = sign_in(browser, page=str(asked.url), remember="true")
    assert account.url.path == "/account"
    assert "Welcome back, Ada." in account.text
    assert attributes(account.history[0]) == ["path=/", "Max-Age=1209600", "HttpOnly", "SameSite=Lax", "Secure"]
    assert quantities(browser) == {"mug": 5}
    assert quantities(thief) == {}

    # An hour is longer than the idle timeout, but not for a session that is remembered.
    clock.advance(timedelta(hours=1))
    assert "About you" in browser.get("/account").text

    # It is too long for the e-mail address, though: the password first, then back to where we were.
    asked = browser.get("/account/email")
    assert asked.url.path == "/confirm-password"
    refused = send(browser, "/confirm-password", "/confirm-password", password="guess", next="/account/email")
    assert refused.status_code == 422
    form = send(browser, str(asked.url), "/confirm-password", password=DEMO_PASSWORD, next="/account/email")
    assert form.url.path == "/account/email"
    assert attributes(form.history[0])[1] == "Max-Age=1209600"
    account = send(browser, "/account/email", "/account/email", email="countess@example.org")
    assert account.url.path == "/account"
    assert "countess@example.org" in account.text

    # Sign out: the cookie goes, with the attributes that it came with.
    goodbye = send(browser, "/account", "/sign-out")
    assert goodbye.url.path == "/signed-out"
    assert attributes(goodbye.history[0]) == ["path=/", "Max-Age=0", "HttpOnly", "SameSite=Lax", "Secure"]
    assert COOKIE not in browser.cookies
    assert browser.get("/account").url.path == "/sign-in"
    assert "nothing in it" in browser.get("/cart").text


def test_without_remember_the_session_ends_with_the_idle_timeout(browser, clock):
    account = sign_in(browser)
    assert attributes(account.history[0]) == ["path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    clock.advance(timedelta(minutes=30))
    assert browser.get("/account").url.path == "/sign-in"


LEADING_AWAY = [
    "https://other.example/",
    "//other.example",
    "/\\other.example",
    "/\t/other.example",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("target", [*LEADING_AWAY, "other.example", " //other.example", "/cart\r\nA: b", ""])
def test_a_page_of_another_site_is_not_our_own(target):
    assert own_page(target) == "/account"


def test_next_never_leads_to_another_site(browser):
    form = browser.get("/sign-in", params={"next": "//other.example"}).text
    assert 'name="next" value="/account"' in form
    signed_in = sign_in(browser, next="//other.example")
    assert signed_in.url == "https://shop.example/account"
    again = browser.get("/sign-in", params={"next": "//other.example"}, follow_redirects=False)
    assert again.headers["location"] == "/account"


def test_next_keeps_a_page_of_the_shop_with_its_query(member):
    answer = member.get("/sign-in", params={"next": "/account/email?from=cart"}, follow_redirects=False)
    assert answer.headers["location"] == "/account/email?from=cart"


@pytest.mark.parametrize("fields", [{}, {"csrf_token": ""}, {"csrf_token": "guess"}, {"csrf_token": "ü"}])
def test_a_form_without_the_sessions_token_changes_nothing(browser, fields):
    assert token_in(browser.get("/sign-in").text)
    answer = browser.post("/cart/mug/add", data={"quantity": "1", **fields})
    assert answer.status_code == 403
    assert "This form was out of date" in answer.text
    assert quantities(browser) == {}


def test_a_form_from_a_visitor_without_a_session_is_refused(browser):
    assert browser.post("/cart/mug/add", data={"quantity": "1", "csrf_token": ""}).status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_every_form_of_the_shop_needs_the_token(member, path):
    assert member.post(path.format(slug="mug")).status_code == 403


def test_signing_in_replaces_the_token(browser):
    before = token_in(browser.get("/sign-in").text)
    assert token_in(sign_in(browser).text) != before


def test_wrong_passwords_and_unknown_addresses_get_one_answer(browser):
    wrong = sign_in(browser, password="guess")
    unknown = sign_in(browser, email="nobody@example.org", password="guess")
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text == unknown.text.replace("nobody@", "ada@")


@pytest.mark.parametrize(
    "email", ["", "grace", "grace@home", "a b@example.org", "ADA@example.org", "x" * 250 + "@a.eu"]
)
def test_an_address_that_cannot_be_taken_leaves_the_old_one(member, email):
    answer = send(member, "/account/email", "/account/email", email=email)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "grace@example.org" in member.get("/account").text


def test_a_session_of_a_closed_account_is_signed_out(app, browser):
    sign_in(browser)
    app.state.accounts = Accounts([])
    assert browser.get("/account").url.path == "/sign-in"
    assert "Sign out" not in browser.get("/").text


@pytest.mark.parametrize("quantity", ["0", "-1", "10", "many", ""])
def test_a_quantity_that_no_page_offers_is_refused(browser, quantity):
    answer = send(browser, "/products/mug", "/cart/mug/add", quantity=quantity)
    assert answer.status_code == 422
    assert "Please check what you entered: quantity." in answer.text


def test_adding_again_stops_at_the_most_of_one_product(browser):
    send(browser, "/products/mug", "/cart/mug/add", quantity=6)
    send(browser, "/products/mug", "/cart/mug/add", quantity=6)
    assert quantities(browser) == {"mug": 9}


def test_a_product_that_is_no_longer_sold_is_left_out_of_the_cart(browser, monkeypatch):
    send(browser, "/products/mug", "/cart/mug/add", quantity=1)
    monkeypatch.delitem(CATALOGUE, "mug")
    assert "nothing in it" in browser.get("/cart").text
    assert browser.get("/products/mug").status_code == 404


def test_messages_that_nobody_reads_do_not_pile_up(browser):
    fields = {"quantity": "1", "csrf_token": token_in(browser.get("/sign-in").text)}
    answers = [browser.post("/cart/mug/add", data=fields, follow_redirects=False) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {303}
    assert browser.get("/cart").text.count("is in your cart.") == 3


def test_the_health_check_opens_no_session(member):
    answer = member.get("/health")
    assert answer.json() == {"status": "ok"}
    assert "vary" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/products/mug", "/cart", "/sign-in", "/signed-out", "/nowhere"])
def test_pages_ask_other_sites_for_nothing(browser, path):
    page = browser.get(path)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.search(
        r'(?:src|href|action)="(?!/(?!/)|#)|<script(?! defer src="/session/)|<style|\sstyle=', page.text
    )


def test_the_sign_in_page_shows_an_account_that_can_be_used(browser):
    shown = re.findall(r"<dd><code>([^<]+)</code></dd>", browser.get("/sign-in").text)
    assert shown == [DEMO_EMAIL, DEMO_PASSWORD]
    assert shown == re.findall(r"<dd><code>([^<]+)</code></dd>", sign_in(browser, password="guess").text)
    assert sign_in(browser).url.path == "/account"


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("/account/email", {"email": "countess@example.org"}),
        ("/account/password", {"password": "four words of mine", "repeated": "four words of mine"}),
    ],
)
def test_an_account_that_was_changed_is_no_longer_shown(browser, page, fields):
    sign_in(browser)
    assert send(browser, page, page, **fields).status_code == 200
    send(browser, "/account", "/sign-out")
    assert "Demo account" not in browser.get("/sign-in").text


def test_an_order_empties_the_cart_once(member):
    send(member, "/products/mug", "/cart/mug/add", quantity=2)
    order = member.get("/order")
    assert re.search("2 . Speckled mug", order.text)
    token = token_in(order.text)
    assert "Thank you for your order of € 28.00." in member.post("/order", data={"csrf_token": token}).text
    assert member.post("/order", data={"csrf_token": token}).url.path == "/cart"
    assert member.get("/order").url.path == "/cart"
    assert quantities(member) == {}


def test_an_order_asks_to_sign_in_and_leads_back(browser):
    send(browser, "/products/mug", "/cart/mug/add", quantity=1)
    asked = browser.get("/order")
    assert asked.url.path == "/sign-in"
    assert sign_in(browser, page=str(asked.url)).url.path == "/order"
    assert quantities(browser) == {"mug": 1}


def test_what_is_no_longer_sold_is_not_ordered_and_stays_in_the_cart(member, monkeypatch):
    send(member, "/products/mug", "/cart/mug/add", quantity=1)
    send(member, "/products/lamp", "/cart/lamp/add", quantity=1)
    with monkeypatch.context() as without:
        without.delitem(CATALOGUE, "mug")
        assert "€ 64.00" in send(member, "/order", "/order").text
    assert quantities(member) == {"mug": 1}


def test_the_cart_leads_on_to_the_order_and_back_to_the_shop(browser):
    send(browser, "/products/mug", "/cart/mug/add", quantity=1)
    main = browser.get("/cart").text.partition("<main")[2]
    assert 'href="/order"' in main
    assert 'href="/"' in main
