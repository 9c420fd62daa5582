"""The example shop, used as its customers use it."""

import pytest
from playwright.sync_api import expect

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from tests.browser.fetching import jar
from tests.browser.shop_visits import cart, put_into_cart, sign_in, sign_out
from tests.example_shop import COOKIE, create_shop
from tests.shop import IDLE

# On the account's page only: the sign-in page shows the demo account to everybody.
PRIVATE = "About you"
TEAPOT, CANDLE = "Stoneware teapot", "Beeswax candle"


@pytest.fixture
def site(serve, tmp_path, clock):
    return serve(create_shop(tmp_path, clock))


def test_a_customer_fills_the_cart_signs_in_and_signs_out(page, context, site):
    put_into_cart(page, site, TEAPOT, 2)
    put_into_cart(page, site, CANDLE)
    assert cart(page) == {TEAPOT: 2, CANDLE: 1}
    page.get_by_label(f"Quantity of {TEAPOT}").fill("5")
    page.get_by_role("button", name=f"Update {TEAPOT}").click()
    expect(page.get_by_role("main")).to_contain_text("199.50")
    before = jar(context)[COOKIE]

    sign_in(page, site)
    assert jar(context)[COOKIE] != before
    expect(page.get_by_role("status")).to_contain_text("Welcome back, Ada.")
    page.goto(f"{site}/cart")
    assert cart(page) == {TEAPOT: 5, CANDLE: 1}
    page.get_by_role("button", name=f"Remove {TEAPOT}").click()
    expect(page.get_by_role("status")).to_contain_text("no longer in your cart")
    assert cart(page) == {CANDLE: 1}

    sign_out(page)
    assert COOKIE not in jar(context)
    page.goto(f"{site}/cart")
    assert cart(page) == {}


def test_back_after_signing_out_shows_no_private_page(page, site):
    sign_in(page, site)
    expect(page.get_by_text(PRIVATE)).to_be_visible()
    sign_out(page)
    page.go_back()
    page.wait_for_url("**/sign-in?*")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_text(PRIVATE)).not_to_be_attached()


def test_tabs_share_one_session(page, context, site):
    put_into_cart(page, site, TEAPOT)
    other = context.new_page()
    put_into_cart(other, site, CANDLE)
    # This tab still shows the cart from before, and sends its form from there.
    page.get_by_role("button", name=f"Update {TEAPOT}").click()
    expect(page.get_by_role("heading", name=CANDLE)).to_be_visible()

    sign_in(other, site)
    page.goto(f"{site}/account")
    expect(page.get_by_text(PRIVATE)).to_be_visible()
    sign_out(page)
    other.reload()
    other.wait_for_url("**/sign-in?*")


def test_a_form_from_before_the_sign_in_changes_nothing_after_it(page, context, site):
    put_into_cart(page, site, TEAPOT)
    sign_in(context.new_page(), site)
    page.get_by_label(f"Quantity of {TEAPOT}").fill("5")
    page.get_by_role("button", name=f"Update {TEAPOT}").click()
    expect(page.get_by_role("heading", name="Forbidden")).to_be_visible()
    page.goto(f"{site}/cart")
    assert cart(page) == {TEAPOT: 1}


@pytest.mark.parametrize("remember", [False, True])
def test_only_remember_me_outlasts_the_browser_and_the_idle_timeout(page, context, site, clock, remember):
    sign_in(page, site, remember=remember)
    [cookie] = [cookie for cookie in context.cookies() if cookie["name"] == COOKIE]
    # A browser that is closed forgets the cookies without an end.
    assert (cookie["expires"] > 0) is remember
    clock.advance(IDLE)
    page.goto(f"{site}/account")
    expect(page.get_by_text(PRIVATE)).to_be_attached(attached=remember)


def test_a_visitor_signs_in_with_the_account_that_the_sign_in_page_shows_and_orders(page, site):
    put_into_cart(page, site, TEAPOT)
    page.get_by_role("link", name="Order").click()
    shown = page.locator(".demo dd").all_inner_texts()
    page.get_by_label("E-mail address").fill(shown[0])
    page.get_by_label("Password").fill(shown[1])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for your order of € 38.00.")
    page.goto(f"{site}/cart")
    assert cart(page) == {}


def test_a_sign_in_page_from_long_ago_is_loaded_again_with_a_form_that_works(page, site, clock):
    page.clock.install()
    page.goto(f"{site}/sign-in?next=/cart")
    clock.advance(IDLE)
    page.clock.fast_forward(IDLE * 1000)
    # By then a message says why.
    expect(page.get_by_role("status")).to_contain_text("You were away for a while")
    page.get_by_label("E-mail address").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/cart")
