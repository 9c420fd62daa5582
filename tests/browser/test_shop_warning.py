"""The timeout warning and the list of devices in the example shop, as its customers meet them."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from example_app.accounts import DEMO_PASSWORD
from tests.browser.shop_visits import cart, learn_of_the_session, look_again, put_into_cart, sign_in
from tests.example_shop import create_shop
from tests.shop import IDLE, MINUTE

WARNED = IDLE - 2 * MINUTE
LAMP = "Desk lamp"


@pytest.fixture
def site(serve, tmp_path, clock):
    return serve(create_shop(tmp_path, clock))


@pytest.fixture
def dialog(page):
    return page.get_by_role("alertdialog")


def test_somebody_who_stays_goes_on_where_the_warning_came(page, site, clock, dialog):
    refused = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    sign_in(page, site)
    put_into_cart(page, site, LAMP)
    clock.advance(WARNED)
    look_again(page)
    expect(dialog).to_contain_text("You have been away for a while. You will be signed out in")
    # The dialog goes at once, the clock only when the shop has answered.
    with page.expect_response(lambda response: response.request.method == "POST"):
        dialog.get_by_role("button", name="Stay signed in").click()
    expect(dialog).not_to_be_attached()
    clock.advance(WARNED)
    page.reload()
    assert cart(page) == {LAMP: 1}
    assert refused == []


def test_somebody_who_does_not_is_told_and_led_back_after_the_sign_in(page, site, clock):
    sign_in(page, site)
    page.goto(f"{site}/account/devices")
    learn_of_the_session(page)
    clock.advance(IDLE)
    look_again(page)
    page.wait_for_url("**/sign-in?*")
    expect(page.get_by_role("status")).to_contain_text("You were away for a while")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account/devices")


def test_a_device_that_is_signed_out_from_elsewhere_leaves_its_page(page, new_context, site):
    phone = new_context().new_page()
    sign_in(phone, site)
    learn_of_the_session(phone)
    sign_in(page, site)
    page.goto(f"{site}/account/devices")
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out everywhere else.")
    look_again(phone)
    phone.wait_for_url("**/sign-in?*")
    expect(phone.get_by_role("status")).to_contain_text("You have been signed out.")


def test_devices_are_signed_out_without_javascript(new_context, site, clock):
    sign_in(new_context().new_page(), site)
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    clock.advance(timedelta(minutes=10))
    page.goto(f"{site}/account/devices")
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing has been changed yet.")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/account/devices")
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("button", name="Sign out everywhere else")).not_to_be_attached()
    expect(page.get_by_text("This device")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_warning_looks_like_the_shop_and_fits_the_window(new_context, site, clock, scheme, width):
    page = new_context(color_scheme=scheme, viewport={"width": width, "height": 700}).new_page()
    sign_in(page, site)
    clock.advance(WARNED)
    look_again(page)
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    background = "element => getComputedStyle(element).backgroundColor"
    assert dialog.evaluate(background) == page.locator(".panel").first.evaluate(background)
    assert page.evaluate("document.documentElement.scrollWidth") == width
