"""A customer's way through every page of the example shop."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from playwright.sync_api import Browser, BrowserContext, Page, expect

from fastsession.testing import Clock
from tests.browser.shop_visits import look_again, put_into_cart, sign_in, sign_out
from tests.example_shop import FIREFOX, SAFARI

# Until a sign-in is no longer fresh; from the last visit to the warning, and from there to the end.
FRESH, WARNED, OVER = timedelta(minutes=10), timedelta(minutes=28), timedelta(minutes=2)


def sign_in_elsewhere(chromium: Browser, site: str, clock: Clock) -> None:
    """Be signed in on a phone for two days, and on another computer for some hours."""
    for user_agent, passed in ((SAFARI, timedelta(days=2)), (FIREFOX, timedelta(hours=3))):
        device = chromium.new_context(user_agent=user_agent)
        sign_in(device.new_page(), site, remember=True)
        device.close()
        clock.advance(passed)


def tour(context: BrowserContext, site: str, clock: Clock) -> Iterator[tuple[str, Page]]:
    """Each page while it is shown, with a name for it. Time passes on the way."""
    page = context.new_page()
    for name in chain(_shopping(page, site), _at_home(page, site, clock)):
        yield name, page


def _shopping(page: Page, site: str) -> Iterator[str]:
    page.goto(site)
    yield "catalogue"
    page.goto(f"{site}/products/teapot")
    yield "product"
    page.goto(f"{site}/cart")
    yield "empty-cart"
    put_into_cart(page, site, "Stoneware teapot", 2)
    put_into_cart(page, site, "Beeswax candle")
    yield "cart"
    page.get_by_role("link", name="Look for more").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/nowhere")
    yield "not-found"
    page.goto(f"{site}/account")
    yield "sign-in"
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("a guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "sign-in-error"


def _at_home(page: Page, site: str, clock: Clock) -> Iterator[str]:
    sign_in(page, site)
    yield "account"
    for name in ("email", "password", "devices"):
        page.goto(f"{site}/account/{name}")
        yield name
    page.goto(f"{site}/cart")
    page.get_by_role("link", name="Order").click()
    page.wait_for_url("**/order")
    yield "order"
    clock.advance(FRESH)
    page.goto(f"{site}/account/email")
    yield "confirm-password"
    page.goto(f"{site}/_session/")
    yield "inspector"
    page.get_by_role("button", name="Flip a bit").click()
    page.get_by_role("heading", name="Try it").evaluate("heading => heading.scrollIntoView()")
    yield "experiment"
    page.get_by_role("link", name="Back to the application").click()
    page.wait_for_url(f"{site}/")
    put_into_cart(page, site, "Desk lamp")
    clock.advance(WARNED)
    look_again(page)
    expect(page.get_by_role("alertdialog")).to_be_visible()
    yield "warning"
    clock.advance(OVER)
    look_again(page)
    page.wait_for_url("**/sign-in?*")
    yield "session-over"
    sign_in(page, site)
    sign_out(page)
    yield "signed-out"
