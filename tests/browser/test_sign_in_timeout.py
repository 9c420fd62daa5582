"""sign-in-timeout.js in Chromium: a sign-in page that was open too long is loaded again, and typing is not disturbed."""

import pytest
from fastapi import Request
from fastapi.responses import HTMLResponse
from playwright.sync_api import Route, expect

from fastsession.session_status import session_status_router
from tests.browser.fetching import fetch
from tests.browser.timed_pages import POLICY
from tests.shop import shop

LIMIT = 600
PAGE = """<!doctype html><title>Sign in</title>
<script defer src="/session/sign-in-timeout.js" {attributes}></script>
<h1>Page {number}</h1>
<form method="post" action="/sign-in"><input name="email"><button>Sign in</button></form>"""


class SignIn:
    """A tab on the sign-in page. Each answer of the server is a page with the next number."""

    def __init__(self, serve, context, clock, attributes, path="/sign-in"):
        # How each of the pages was asked for, and how often the script asked about the session.
        self.methods, self.questions = [], 0
        self.page = context.new_page()
        self.page.clock.install()
        self.page.on("request", self._count)
        self.page.goto(serve(self._app(attributes, clock)) + path)

    def _app(self, attributes, clock):
        app = shop(clock=clock)
        app.include_router(session_status_router(signed_in=lambda session: session.user_id is not None))

        @app.api_route("/sign-in", methods=["GET", "POST"])
        def sign_in(request: Request) -> HTMLResponse:
            self.methods.append(request.method)
            page = PAGE.format(attributes=attributes, number=len(self.methods))
            return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

        return app

    def _count(self, request):
        self.questions += request.url.endswith("/session")

    def shows(self, number):
        expect(self.page.get_by_role("heading")).to_have_text(f"Page {number}")

    def wait(self, seconds):
        self.page.clock.fast_forward(int(seconds * 1000))

    def waits_in_peace(self, seconds):
        """Let time pass in which the page does not even ask whether it may be loaded again."""
        before = self.questions
        self.wait(seconds)
        # Whatever the script asked for was asked for before this.
        fetch(self.page, "/public")
        assert self.questions == before


@pytest.fixture
def tab(serve, context, clock):
    return SignIn(serve, context, clock, "")


def test_a_page_that_nobody_used_is_loaded_again_after_ten_minutes(tab):
    pages = tab.page.evaluate("history.length")
    tab.waits_in_peace(LIMIT - 1)
    tab.wait(11)
    tab.shows(2)
    assert tab.page.evaluate("history.length") == pages


def test_it_is_loaded_once_in_ten_minutes_and_not_in_a_loop(tab):
    for number in (2, 3, 4):
        tab.wait(LIMIT + 10)
        tab.shows(number)
        tab.waits_in_peace(LIMIT - 20)


def test_the_time_is_the_page_s_own_choice(serve, context, clock):
    tab = SignIn(serve, context, clock, 'data-reload-after="60"')
    tab.waits_in_peace(59)
    tab.wait(11)
    tab.shows(2)


def test_whoever_types_is_not_disturbed(tab):
    field = tab.page.get_by_role("textbox")
    for _ in range(3):
        tab.waits_in_peace(LIMIT - 20)
        field.press_sequentially("a")
    tab.waits_in_peace(LIMIT - 20)
    expect(field).to_have_value("aaa")
    tab.wait(30)
    tab.shows(2)


def test_typing_that_begins_while_the_script_asks_the_server_keeps_the_page(tab, context):
    held: list[Route] = []

    def hold(route):
        held.append(route)

    context.route("**/session", hold)
    with tab.page.expect_request("**/session"):
        tab.wait(LIMIT + 10)
    tab.page.get_by_role("textbox").press_sequentially("a")
    with tab.page.expect_response("**/session"):
        held[0].continue_()
    context.unroute("**/session")
    tab.waits_in_peace(LIMIT - 20)
    tab.shows(1)


@pytest.mark.parametrize("use", ["document.forms[0].requestSubmit()", "document.querySelector('h1').click()"])
def test_a_form_that_is_sent_and_a_click_begin_the_time_anew(tab, use):
    """The form is sent by a script, as in a single-page application: the page stays while the server checks."""
    tab.page.evaluate("document.addEventListener('submit', event => event.preventDefault())")
    tab.waits_in_peace(LIMIT - 20)
    tab.page.evaluate(use)
    tab.waits_in_peace(LIMIT - 20)
    tab.shows(1)


def test_a_page_that_answers_a_form_is_loaded_again_without_sending_the_form(tab):
    tab.page.get_by_role("button").click()
    tab.shows(2)
    tab.wait(LIMIT + 10)
    tab.shows(3)
    assert tab.methods == ["GET", "POST", "GET"]


def test_a_page_that_nobody_looks_at_is_loaded_again_when_somebody_does(tab):
    tab.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    tab.waits_in_peace(10 * LIMIT)
    tab.page.evaluate(
        "delete document.hidden, document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))"
    )
    tab.shows(2)


def test_without_a_connection_the_page_stays_until_there_is_one(tab, context):
    context.route("**/session", lambda route: route.abort("internetdisconnected"))
    for _ in range(2):
        with tab.page.expect_event("requestfailed"):
            tab.wait(LIMIT + 10)
    context.unroute("**/session")
    tab.shows(1)
    tab.wait(10)
    tab.shows(2)


def test_somebody_who_signed_in_meanwhile_is_left_alone(tab):
    fetch(tab.page, "/login", "POST")
    with tab.page.expect_response("**/session"):
        tab.wait(LIMIT + 10)
    fetch(tab.page, "/logout", "POST")
    tab.shows(1)
    tab.wait(10)
    tab.shows(2)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in?next=%2Faccount#form", "/sign-in#form"])
def test_it_leads_to_the_page_that_it_is_told(serve, context, clock, path):
    """Also when only the fragment differs, which alone would load nothing."""
    tab = SignIn(serve, context, clock, 'data-sign-in-url="/sign-in?next=%2Faccount#form"', path)
    tab.wait(LIMIT + 10)
    tab.shows(2)
    assert tab.page.evaluate("location.pathname + location.search") == "/sign-in?next=%2Faccount"


def test_a_page_that_cancels_the_event_stays_and_is_told_again(tab):
    tab.page.evaluate("window.heard = 0, addEventListener('fastsession:stale', e => (heard++, e.preventDefault()))")
    for times in (1, 2):
        tab.wait(LIMIT + 10)
        tab.page.wait_for_function("times => heard === times", arg=times)
    tab.shows(1)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('data-reload-after="59"', "data-reload-after"),
        ('data-reload-after="soon"', "data-reload-after"),
        ('data-reload-after=""', "data-reload-after"),
        ('data-sign-in-url="https://b.test/"', "Foreign"),
        ("data-sign-in-url=\"javascript:document.title='evil'\"", "Foreign"),
    ],
)
def test_what_cannot_work_is_an_error_on_the_page(serve, context, clock, attributes, message):
    errors = []
    context.on("weberror", lambda error: errors.append(error.error.message))
    tab = SignIn(serve, context, clock, attributes)
    fetch(tab.page, "/public")
    assert len(errors) == 1
    assert errors[0].startswith(message)
    tab.waits_in_peace(LIMIT + 10)
