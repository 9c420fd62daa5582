"""`data-sign-out-on-close` in Chromium: the last page that closes ends the session, and nothing else does."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.fetching import fetch
from tests.browser.shop_visits import learn_of_the_session
from tests.browser.timed_pages import LEAD, Tab, timed_pages
from tests.shop import IDLE, shop


class AddHeader:
    """A middleware that adds a header to every response."""

    def __init__(self, app, name, value):
        self.app, self.line = app, (name.encode(), value.encode())

    async def __call__(self, scope, receive, send):
        async def add(message):
            if message["type"] == "http.response.start":
                message["headers"].append(self.line)
            await send(message)

        await self.app(scope, receive, add)


ON = 'data-sign-in-url="/sign-in" data-sign-out-on-close="true"'
# The service worker waits three seconds before it looks which pages are left. Under control it waits until it is told.
CONTROL = """() => {
    self.waiting = [];
    self.looks = 0;
    self.setTimeout = resume => waiting.push(resume);
    const matchAll = clients.matchAll.bind(clients);
    clients.matchAll = options => matchAll(options).finally(() => looks++);
}"""
# Until the page could tell the service worker that it closes.
WATCHED = """async () => {
    while (!(await navigator.serviceWorker.getRegistration("/session/"))?.active)
        await new Promise(resolve => setTimeout(resolve, 20));
}"""

# Such a page is not kept for Back.
NOT_KEPT = "addEventListener('unload', () => 0)"


def eventually(holds):
    """Wait until it is so: nothing tells when a browser has closed a page."""
    end = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class Visitor:
    """Somebody signed in, in a browser at a site whose pages sign out when the last one closes."""

    def __init__(self, context, site, events):
        self.context, self.site, self.events = context, site, events
        self.page = context.new_page()
        self.page.goto(f"{site}/sign-in")
        fetch(self.page, "/login", "POST")
        self.goto(self.page)
        [self.worker] = context.service_workers
        events.clear()

    def goto(self, page):
        """Open the account's page as from the address bar, and wait until it knows of the session."""
        with page.expect_response("**/session"):
            page.goto(f"{self.site}/account")
        page.evaluate(WATCHED)
        learn_of_the_session(page)

    def another_tab(self):
        page = self.context.new_page()
        self.goto(page)
        return page

    def take_control(self):
        self.worker.evaluate(CONTROL)

    def told(self):
        """How often the worker has been told that a page is gone, and has not looked yet."""
        return self.worker.evaluate("waiting.length")

    def look(self, told=1):
        """Have the worker look which pages are left, once it has been told so many times that one is gone."""
        eventually(lambda: self.told() == told)
        looks = self.worker.evaluate("looks")
        self.worker.evaluate("waiting.splice(0).forEach(resume => resume())")
        # Of several that are gone at a time, the last decides.
        eventually(lambda: self.worker.evaluate("looks") == looks + 1)

    def is_signed_out(self):
        eventually(lambda: "destroyed" in [event.kind for event in self.events])

    def is_signed_in(self, page):
        return fetch(page, "/session")["signed_in"] and "destroyed" not in [event.kind for event in self.events]


@pytest.fixture
def site(serve, clock, events):
    return serve(timed_pages(ON, clock=clock, on_event=events.append))


@pytest.fixture
def visitor(context, site, events):
    return Visitor(context, site, events)


@pytest.fixture
def elsewhere(serve):
    """The address of another site."""
    return serve(shop(), "b.test") + "/public"


def test_closing_the_last_page_ends_the_session(visitor):
    visitor.page.close()
    visitor.is_signed_out()


def test_a_page_that_is_loaded_again_is_not_closed(visitor):
    visitor.take_control()
    visitor.page.reload()
    visitor.look()
    assert visitor.is_signed_in(visitor.page)


def test_another_page_of_the_site_from_the_address_bar_closes_nothing(visitor):
    visitor.take_control()
    visitor.page.evaluate(NOT_KEPT)
    visitor.page.goto(f"{visitor.site}/sign-in")
    visitor.look()
    assert visitor.is_signed_in(visitor.page)


def test_back_and_forward_within_the_site_close_nothing(visitor):
    visitor.take_control()
    for step in ("back", "forward"):
        visitor.page.evaluate(f"history.{step}()")
        visitor.page.wait_for_url("**/sign-in" if step == "back" else "**/account", wait_until="commit")
    assert visitor.is_signed_in(visitor.page)
    assert visitor.told() == 0


def test_a_link_within_the_site_closes_nothing(visitor):
    visitor.take_control()
    visitor.page.evaluate("location.assign('/sign-in')")
    visitor.page.wait_for_url("**/sign-in")
    assert visitor.is_signed_in(visitor.page)
    assert visitor.told() == 0


def test_only_the_last_of_several_tabs_ends_the_session(visitor):
    visitor.take_control()
    other = visitor.another_tab()
    visitor.page.close()
    visitor.look()
    assert visitor.is_signed_in(other)
    other.close()
    visitor.look()
    visitor.is_signed_out()


def test_tabs_that_are_closed_together_end_the_session_once(visitor):
    visitor.take_control()
    for page in (visitor.another_tab(), visitor.page):
        page.close()
    visitor.look(told=2)
    visitor.is_signed_out()
    assert [event.kind for event in visitor.events].count("destroyed") == 1


def test_a_page_of_the_site_without_the_script_counts_as_open(visitor):
    visitor.take_control()
    other = visitor.context.new_page()
    other.goto(f"{visitor.site}/public")
    visitor.page.close()
    visitor.look()
    assert visitor.is_signed_in(other)


def test_a_link_to_another_site_is_no_end_so_that_a_payment_leads_back(visitor, elsewhere):
    visitor.take_control()
    visitor.page.evaluate("address => location.assign(address)", elsewhere)
    visitor.page.wait_for_url(elsewhere)
    visitor.goto(visitor.page)
    assert visitor.told() == 0
    assert visitor.is_signed_in(visitor.page)


def test_another_site_from_the_address_bar_is_an_end_when_the_page_is_not_kept_for_back(visitor, elsewhere):
    visitor.take_control()
    visitor.page.evaluate(NOT_KEPT)
    visitor.page.goto(elsewhere)
    visitor.look()
    visitor.is_signed_out()
    visitor.page.go_back(wait_until="commit")
    visitor.page.wait_for_url("**/account")
    assert fetch(visitor.page, "/session")["signed_in"] is False


def test_a_page_that_is_kept_for_back_is_not_closed(visitor, elsewhere):
    visitor.take_control()
    visitor.page.evaluate("addEventListener('pageshow', event => (window.back = event.persisted))")
    visitor.page.goto(elsewhere)
    visitor.page.go_back(wait_until="commit")
    visitor.page.wait_for_function("window.back")
    assert visitor.is_signed_in(visitor.page)
    assert visitor.told() == 0


def test_looking_at_something_else_closes_nothing(visitor):
    """A telephone on which another app is opened only says that the page is hidden."""
    visitor.take_control()
    visitor.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    assert visitor.is_signed_in(visitor.page)
    assert visitor.told() == 0


def test_a_visitor_who_never_signed_in_is_left_alone(context, site, events):
    page = context.new_page()
    with page.expect_response("**/session"):
        page.goto(f"{site}/account")
    fetch(page, "/cart/tea", "POST")
    page.evaluate(WATCHED)
    [worker] = context.service_workers
    worker.evaluate(CONTROL)
    page.goto(f"{site}/sign-in")
    assert fetch(page, "/cart") == ["tea"]
    assert worker.evaluate("waiting.length") == 0


@pytest.mark.parametrize("attributes", ["", 'data-sign-out-on-close="false"'])
def test_it_is_off_unless_it_is_asked_for(serve, context, clock, attributes):
    page = context.new_page()
    site = serve(timed_pages(attributes, clock=clock))
    page.goto(f"{site}/sign-in")
    fetch(page, "/login", "POST")
    page.goto(f"{site}/account")
    learn_of_the_session(page)
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0


def test_a_policy_that_forbids_the_worker_leaves_the_warning_as_it_is(serve, context, clock):
    app = timed_pages(ON, clock=clock)
    app.add_middleware(AddHeader, "content-security-policy", "worker-src 'none'; trusted-types 'none'")
    tab = Tab(context, serve(app), clock).sign_in()
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()
