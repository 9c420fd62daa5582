"""The example shop binds sessions in a Chromium that is started as the shop says, and says why it does not over http."""

import shlex
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from example_app.certificate import chromium_command, make_certificate
from tests.browser.conftest import PATIENCE, leave
from tests.browser.shop_visits import sign_in
from tests.browser.test_narrow_pages import BROKEN_WORDS, CUT_OFF
from tests.example_shop import create_shop
from tests.inspector.local import logger_kept
from tests.live_server import served
from tests.processes import needed

BOUND = "__Host-bound-shop_session"
PROVEN = "Yes, proven until"


@contextmanager
def started_as_the_shop_says(chromium, command):
    """A profile in a Chromium of its own, started with this command's flags."""
    _, *arguments = shlex.split(command)
    flags = [argument for argument in arguments if argument.startswith("--")]
    profile = next(flag.partition("=")[2] for flag in flags if flag.startswith("--user-data-dir="))
    flags.remove(f"--user-data-dir={profile}")
    context = chromium.browser_type.launch_persistent_context(
        profile, executable_path=needed("chromium"), args=[*flags, "--no-sandbox"]
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield context
        leave(context)
    finally:
        context.close()


@pytest.fixture
def shop(tmp_path, clock):
    with logger_kept():
        yield create_shop(tmp_path, clock, inspector=True)


@pytest.fixture
def secure_site(shop, tmp_path):
    """The shop over https, and a page in a browser that binds."""
    certificate = make_certificate(tmp_path)
    with served(shop, host="localhost", ssl_certfile=certificate.file, ssl_keyfile=certificate.key_file) as site:
        yield site, chromium_command(certificate, tmp_path / "profile", f"{site}/sign-in")


@pytest.fixture
def bound_page(secure_site, chromium):
    """The account's page of a session that is bound by now."""
    site, command = secure_site
    with started_as_the_shop_says(chromium, command) as context:
        page = context.new_page()
        sign_in(page, site)
        # It registers its key while the page is shown.
        link = page.get_by_role("link", name="look again")
        while link.is_visible():
            link.click()
            page.wait_for_load_state()
        yield page


def jar(page):
    return {cookie["name"] for cookie in page.context.cookies()}


def test_the_account_s_page_says_that_the_session_is_bound(bound_page):
    expect(bound_page.get_by_role("main")).to_contain_text(PROVEN)
    assert BOUND in jar(bound_page)


def test_a_shopper_with_a_bound_session_notices_nothing(bound_page, clock):
    clock.advance(600)
    bound_page.context.clear_cookies(name=BOUND)
    bound_page.get_by_role("link", name="Change e-mail address").click()
    # Not signed in again, but the password is ten minutes old.
    bound_page.wait_for_url("**/confirm-password?*")
    bound_page.get_by_label("Password").fill("engine-of-brass")
    bound_page.get_by_role("button", name="Confirm").click()
    bound_page.wait_for_url("**/account/email")
    bound_page.get_by_label("New e-mail address").fill("lovelace@example.org")
    bound_page.get_by_role("button", name="Change it").click()
    bound_page.wait_for_url("**/account")
    expect(bound_page.get_by_role("main")).to_contain_text(PROVEN)


def test_a_thief_with_the_jar_is_signed_out_when_the_proof_is_over(bound_page, new_context, clock):
    cookies = bound_page.context.cookies()
    site = bound_page.url.removesuffix("/account")
    thief = new_context(ignore_https_errors=True).new_page()
    thief.context.add_cookies(cookies)
    thief.goto(f"{site}/account")
    expect(thief.get_by_role("main")).to_contain_text("About you")
    clock.advance(600)
    thief.goto(f"{site}/account")
    thief.wait_for_url("**/sign-in?*")
    expect(thief.get_by_role("status")).to_contain_text("you signed in on this device")


@pytest.mark.parametrize("width", [390, 1280])
def test_what_the_pages_say_of_the_device_fits(bound_page, width):
    bound_page.set_viewport_size({"width": width, "height": 800})
    for path in ("/account", "/account/devices", "/_session/"):
        bound_page.goto(bound_page.url.split("/account")[0] + path)
        assert bound_page.evaluate(BROKEN_WORDS) == []
        assert bound_page.evaluate(CUT_OFF) == []


def test_over_plain_http_the_page_says_why_it_is_not_bound(serve, shop, page):
    sign_in(page, serve(shop, "localhost", tls=False))
    expect(page.get_by_role("main")).to_contain_text("browsers bind sessions over https only")
    assert BOUND not in jar(page)


def test_a_browser_without_the_feature_stays_unbound_and_signed_in(serve, shop, page):
    site = serve(shop)
    sign_in(page, site)
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Not yet, or not by this browser")
