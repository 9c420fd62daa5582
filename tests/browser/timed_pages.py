"""Pages of the shop that warn before the session ends, under a Content Security Policy that allows nothing inline."""

from typing import Any

from fastapi.responses import HTMLResponse
from playwright.sync_api import Response, Route

from tests.browser.fetching import fetch
from tests.shop import MINUTE
from tests.timed_shop import timed_shop

# Seconds before the end at which the script warns, by the router's default.
LEAD = 2 * MINUTE
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
SCRIPT = '<script defer src="/session/session-timeout.js" {attributes}></script>'
PAGE = '<meta name="color-scheme" content="light dark"><title>{title}</title>{script}<h1>{title}</h1><input>'


def timed_pages(attributes: str = 'data-sign-in-url="/sign-in"', **options: Any) -> Any:
    """A shop with the page /account, which has the script with these attributes, and the page /sign-in."""
    app = timed_shop(**options)

    def html(title: str, script: str = "") -> HTMLResponse:
        return HTMLResponse(PAGE.format(title=title, script=script), headers={"Content-Security-Policy": POLICY})

    @app.get("/account")
    def account() -> HTMLResponse:
        return html("Account", SCRIPT.format(attributes=attributes))

    @app.get("/sign-in")
    def sign_in() -> HTMLResponse:
        return html("Sign in")

    return app


class Tab:
    """A tab of the browser, on a page that warns. Its clock moves with the server's."""

    def __init__(self, context: Any, site: str, clock: Any) -> None:
        self.page = context.new_page()
        self.page.clock.install()
        self.dialog = self.page.get_by_role("alertdialog")
        self._site = site
        self._clock = clock

    def sign_in(self) -> "Tab":
        self.page.goto(f"{self._site}/sign-in")
        fetch(self.page, "/login", "POST")
        return self.open()

    def open(self) -> "Tab":
        with self.page.expect_response("**/session"):
            self.page.goto(f"{self._site}/account")
        return self

    def sleep(self, seconds: float, *others: "Tab") -> None:
        """Let time pass as on a computer that sleeps: then every timer that is due goes off once."""
        self._clock.advance(seconds)
        for tab in (self, *others):
            tab.page.clock.fast_forward(int(seconds * 1000))

    def sleep_past_the_end(self, seconds: float) -> None:
        """As `sleep`, when the page is going to leave: in the middle of it, Playwright would wait for ever."""
        held: list[Route] = []
        asleep = True

        def answer(route: Route) -> None:
            if asleep:
                held.append(route)
            else:
                route.continue_()

        self.page.route("**/session", answer)
        with self.page.expect_request("**/session"):
            self.sleep(seconds)
        asleep = False
        for route in held:
            route.continue_()

    def press(self, name: str) -> None:
        self.dialog.get_by_role("button", name=name).click()

    def stay(self) -> None:
        """Press "Stay signed in", until the page knows that the session was renewed."""
        answered = []

        def knows(response: Response) -> bool:
            # The answer to a look from before may be reported late.
            answered.append(response.request.method)
            return answered[-1] == "GET" and "POST" in answered

        with self.page.expect_response(knows):
            self.press("Stay signed in")

    def check(self) -> None:
        """Have the page look at its session, as a page does that has just signed in by a script."""
        self.page.evaluate("dispatchEvent(new Event('fastsession:check'))")

    def hears(self, name: str) -> None:
        """Note from now on the events of this name, and keep our own reaction from happening."""
        self.page.evaluate(
            """name => {
                const heard = ((window.heard ??= {})[name] = []);
                addEventListener(`fastsession:${name}`, event => {
                    event.preventDefault();
                    heard.push(event.detail);
                });
            }""",
            name,
        )

    def has_heard(self, name: str, count: int) -> None:
        self.page.wait_for_function("([name, count]) => heard[name].length === count", arg=[name, count])
