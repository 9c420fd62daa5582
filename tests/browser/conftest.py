"""Fixtures for tests in a real browser.

A test asks for `serve` and `page`, serves an application, and drives the page with Playwright's synchronous
interface (https://playwright.dev/python/docs/api/class-page):

    def test_a_visitor_gets_a_cookie(serve, page):
        site = serve(shop())
        page.goto(f"{site}/cart")
        expect(page.get_by_text("[]")).to_be_visible()

Nothing is waited for by sleeping: `expect(...)`, `page.wait_for_url(...)`, `page.wait_for_function(...)` and
`page.expect_response(...)` wait until it is so. Time is the `clock` given to the application: `clock.advance(...)`
moves it while the server runs. The browser's own clock is moved by `page.clock`.
"""

from contextlib import ExitStack

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

from tests.browser.certificate import make_certificate
from tests.browser.chromium import HOSTS, launched, served
from tests.browser.fetching import fetch
from tests.browser.timed_pages import Tab, timed_pages
from tests.processes import needed

# For a busy machine. What is waited for is there in some milliseconds.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def certificate(tmp_path_factory):
    """A certificate for HOSTS that the browser trusts and that is gone after the tests."""
    return make_certificate(HOSTS, tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="package")
def browser_type():
    """Starts browsers. There can be only one in a process."""
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="package")
def chromium(browser_type, certificate):
    """The one browser of all these tests. Ask for `context` or `page`: they have cookies of their own."""
    with launched(browser_type, needed("chromium"), certificate) as browser:
        yield browser


def leave(context):
    """Have every tab show nothing: Chromium may not close a profile in which a page is being loaded."""
    for page in context.pages:
        # A navigation that the test has begun may come in between, each once.
        for _ in range(5):
            try:
                page.goto("about:blank")
                break
            except PlaywrightError as error:
                if "interrupted by another navigation" not in str(error):
                    raise


@pytest.fixture
def new_context(chromium, serve):
    """Call it for another browser profile: no cookies, no cache, no history. Takes Playwright's options.

    Two contexts are two people, or two devices of one. Two tabs are two pages of one context: `context.new_page()`.
    The servers outlast it, because they wait at their end for connections that the browser holds.
    """
    with ExitStack() as profiles:

        def make(**options):
            context = profiles.enter_context(chromium.new_context(**options))
            context.set_default_timeout(PATIENCE)
            profiles.callback(leave, context)
            return context

        yield make


@pytest.fixture
def context(new_context):
    """The profile that `page` is a tab of."""
    return new_context()


@pytest.fixture
def page(context):
    """A tab in a browser that has not been anywhere."""
    return context.new_page()


@pytest.fixture
def serve(certificate):
    """`serve(app)` runs an ASGI application, lifespan included, in this process and returns its address.

    That is https://a.test:PORT; `host=` takes another of HOSTS, or localhost with `tls=False`. a.test and b.test are
    two sites, www.a.test and a.test two origins of one. Stopped when the test ends.
    """
    with ExitStack() as servers:

        def start(app, host="a.test", *, tls=True):
            return servers.enter_context(served(app, host, certificate if tls else None))

        yield start


@pytest.fixture
def shop_page(serve, app, page, events):
    """A page of `app`, a shop that tells its `events`; its visitor has something in the cart."""
    page.goto(serve(app) + "/public")
    fetch(page, "/cart/tea", "POST")
    events.clear()
    return page


@pytest.fixture
def timed_site(serve, clock):
    """The address of pages that warn before the session ends."""
    return serve(timed_pages(clock=clock))


@pytest.fixture
def tab(timed_site, context, clock):
    """A tab on such a page, of somebody who is signed in."""
    return Tab(context, timed_site, clock).sign_in()
