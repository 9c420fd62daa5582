"""The example shop binds sessions in a Chromium that is started as the shop says, and says why it does not over http."""

import shlex
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from example_app.certificate import chromium_command, make_certificate
from tests.browser.conftest import PATIENCE, leave
from tests.browser.shop_visits import learn_of_the_session, sign_in
from tests.browser.test_narrow_pages import BROKEN_WORDS, CUT_OFF
from tests.device_binding.test_failures import Answering
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


def wait_until_bound(page):
    """Look at the account's page again, as it says, until the browser has registered its key."""
    link = page.get_by_role("link", name="look again")
    while link.is_visible():
        link.click()
        page.wait_for_load_state()


@pytest.fixture
def shop(tmp_path, clock):
    with logger_kept():
        yield create_shop(tmp_path, clock, inspector=True)


@pytest.fixture
def layer(shop):
    """The shop behind something that can answer the browser's proofs in its place."""
    return Answering(shop)


@pytest.fixture
def secure_site(layer, tmp_path):
    """The shop over https, and the command that it prints."""
    certificate = make_certificate(tmp_path)
    with served(layer, host="localhost", ssl_certfile=certificate.file, ssl_keyfile=certificate.key_file) as site:
        yield site, chromium_command(certificate, tmp_path / "profile", f"{site}/sign-in")


@pytest.fixture
def bound_page(secure_site, chromium):
    """The account's page of a session that is bound by now."""
    site, command = secure_site
    with started_as_the_shop_says(chromium, command) as context:
        page = context.new_page()
        sign_in(page, site)
        wait_until_bound(page)
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


def test_a_page_stays_while_the_server_cannot_be_asked_for_a_proof(bound_page, layer, clock):
    """Its script asks how long the session lasts, and would lead to the sign-in page if there were none."""
    clock.advance(600)
    bound_page.context.clear_cookies(name=BOUND)
    layer.status = 503
    with bound_page.expect_response("**/session") as asked:
        bound_page.evaluate("dispatchEvent(new Event('fastsession:check'))")
    assert asked.value.status == 503
    layer.status = None
    learn_of_the_session(bound_page)
    assert bound_page.url.endswith("/account")


def test_a_browser_that_lost_its_key_signs_in_again_and_is_bound_again(bound_page, layer, clock):
    clock.advance(600)
    bound_page.context.clear_cookies(name=BOUND)
    # Whatever stands in front of the shop, such an answer ends the binding.
    layer.status = 401
    bound_page.reload()
    bound_page.wait_for_url("**/sign-in?*")
    expect(bound_page.get_by_role("status")).to_contain_text("you signed in on this device")
    layer.status = None
    site = bound_page.url.split("/sign-in")[0]
    sign_in(bound_page, site)
    wait_until_bound(bound_page)
    expect(bound_page.get_by_role("main")).to_contain_text(PROVEN)


def test_the_inspector_shows_the_device_and_replays_without_it(bound_page):
    bound_page.goto(bound_page.url.replace("/account", "/_session/"))
    expect(bound_page.locator("#device")).to_contain_text("bound to ")
    expect(bound_page.locator("#device")).to_contain_text("proven 0 s ago, 600 s left")
    bound_page.get_by_role("button", name="Replay without the proof").click()
    expect(bound_page.locator("#result")).to_contain_text("unbound")
    bound_page.get_by_role("link", name="Look again").click()
    expect(bound_page.locator("#server")).to_contain_text("valid")


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
