"""The example shop, driven over HTTP as a browser without JavaScript would."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from example_app import account_routes, shop_routes
from example_app.__main__ import development_secret
from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from example_app.app import create_app
from example_app.session import Cart, CartLine, ShopSession
from fastsession import generate_key
from fastsession.testing import Clock, opened_session, sealed_cookies

COOKIE = "__Host-shop_session"
ROUTES = [*shop_routes.router.routes, *account_routes.router.routes]
POSTS = [route.path for route in ROUTES if "POST" in route.methods]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(clock):
    return create_app(generate_key(), clock=clock)


@pytest.fixture
def browser(app):
    with TestClient(app, base_url="https://shop.example") as client:
        yield client


def send(browser, page, action, **fields):
    """Send a form from a page, with the token that the page holds, and follow to the page that comes after."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)
    return browser.post(action, data={**fields, "csrf_token": token[1]})


def sign_in(browser, *, page="/sign-in", **fields):
    following = re.search(r'name="next" value="([^"]+)"', browser.get(page).text)[1]
    fields = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD, "next": following, **fields}
    return send(browser, page, "/sign-in", **fields)


def attributes(response):
    """The attributes of the one Set-Cookie that the response carries."""
    (header,) = response.headers.get_list("set-cookie")
    pair, *rest = header.split("; ")
    assert pair.startswith(f"{COOKIE}=")
    return rest


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
    assert opened_session(app, browser).cart == Cart(lines=[CartLine(product="mug", quantity=5)])

    # The account asks to sign in, which gives the session another id and a cookie that outlives the browser.
    asked = browser.get("/account")
    assert asked.url.path == "/sign-in"
    before = opened_session(app, browser).info.id
    account = sign_in(browser, page=str(asked.url), remember="true")
    assert account.url.path == "/account"
    assert "Welcome back, Ada." in account.text
    assert attributes(account.history[0]) == ["path=/", "Max-Age=1209600", "HttpOnly", "SameSite=Lax", "Secure"]
    assert opened_session(app, browser).info.id != before
    assert opened_session(app, browser).cart.count == 5

    # An hour is longer than the idle timeout, but not for a session that is remembered.
    clock.advance(timedelta(hours=1))
    assert DEMO_EMAIL in browser.get("/account").text

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


def give(app, browser, session):
    """Put a session's cookies where the shop's own would be, so that the shop can replace and clear them."""
    for name, value in sealed_cookies(app, session).items():
        browser.cookies.set(name, value, domain="shop.example")


@pytest.fixture
def member(app, browser):
    """A browser that has just signed in to the second demo account."""
    give(app, browser, ShopSession(account_id=2))
    return browser


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
def test_next_never_leads_to_another_site(member, target):
    answer = member.get("/sign-in", params={"next": target}, follow_redirects=False)
    assert answer.headers["location"] == "/account"


def test_next_keeps_a_page_of_the_shop_with_its_query(member):
    answer = member.get("/sign-in", params={"next": "/account/email?from=cart"}, follow_redirects=False)
    assert answer.headers["location"] == "/account/email?from=cart"


@pytest.mark.parametrize("fields", [{}, {"csrf_token": ""}, {"csrf_token": "guess"}, {"csrf_token": "ü"}])
def test_a_form_without_the_sessions_token_changes_nothing(app, member, fields):
    member.get("/account")
    answer = member.post("/cart/mug/add", data={"quantity": "1", **fields})
    assert answer.status_code == 403
    assert "This form was out of date" in answer.text
    assert opened_session(app, member).cart.count == 0


def test_a_form_from_a_visitor_without_a_session_is_refused(browser):
    assert browser.post("/cart/mug/add", data={"quantity": "1", "csrf_token": ""}).status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_every_form_of_the_shop_needs_the_token(member, path):
    assert member.post(path.format(slug="mug")).status_code == 403


def test_signing_in_replaces_the_token(app, browser):
    browser.get("/sign-in")
    before = opened_session(app, browser).csrf_token
    sign_in(browser)
    assert before not in ("", opened_session(app, browser).csrf_token)


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
    give(app, browser, ShopSession(account_id=99))
    assert browser.get("/account").url.path == "/sign-in"
    assert opened_session(app, browser).account_id is None


@pytest.mark.parametrize("quantity", ["0", "-1", "10", "many", ""])
def test_a_quantity_that_no_page_offers_is_refused(browser, quantity):
    answer = send(browser, "/products/mug", "/cart/mug/add", quantity=quantity)
    assert answer.status_code == 422
    assert "Please check what you entered: quantity." in answer.text


def test_adding_again_stops_at_the_most_of_one_product(app, browser):
    send(browser, "/products/mug", "/cart/mug/add", quantity=6)
    send(browser, "/products/mug", "/cart/mug/add", quantity=6)
    assert opened_session(app, browser).cart.count == 9


def test_a_product_that_is_no_longer_sold_is_left_out_of_the_cart(app, browser):
    gone = ShopSession(cart=Cart(lines=[CartLine(product="gramophone", quantity=1)]))
    give(app, browser, gone)
    assert "nothing in it" in browser.get("/cart").text
    assert browser.get("/products/gramophone").status_code == 404


def test_messages_that_nobody_reads_do_not_fill_the_cookie(app, browser):
    give(app, browser, ShopSession(csrf_token="known"))
    browser.follow_redirects = False
    answers = [browser.post("/cart/mug/add", data={"quantity": "1", "csrf_token": "known"}) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {303}
    assert max(len(answer.headers.get("set-cookie", "")) for answer in answers) < 1000


def test_the_health_check_opens_no_session(member):
    answer = member.get("/health")
    assert answer.json() == {"status": "ok"}
    assert "vary" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/products/mug", "/cart", "/sign-in", "/signed-out", "/nowhere"])
def test_pages_ask_other_sites_for_nothing(browser, path):
    page = browser.get(path)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.search(r'(?:src|href|action)="(?!/(?!/)|#)|<script|<style|\sstyle=', page.text)


def test_the_development_secret_is_made_once_and_private(tmp_path):
    file = tmp_path / ".secret"
    secret = development_secret(file)
    assert development_secret(file) == secret
    assert file.stat().st_mode & 0o777 == 0o600
    create_app(secret)
