"""Which requests Chromium holds for a refresh: all that pages of the host start, those of other hosts when it is told."""

import pytest
from fastapi.responses import HTMLResponse, Response

from fastsession import DeviceBinding
from tests.browser.bound_sessions import Site, Tab, pages
from tests.browser.chromium import BOUND_SESSIONS, launched
from tests.processes import needed

# Each starts one request to /asked.
SAME_HOST = {
    "fetch": "fetch('/asked')",
    "beacon": "navigator.sendBeacon('/asked')",
    "image": "new Image().src = '/asked'",
    "script": "document.head.append(Object.assign(document.createElement('script'), {src: '/asked'}))",
    "prefetch": "document.head.append(Object.assign(document.createElement('link'), {rel: 'prefetch', href: '/asked'}))",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), {src: '/asked'}))",
    "window": "open('/asked', '_blank', 'noopener,noreferrer')",
    "events": "new EventSource('/asked')",
    "worker": "new Worker('/asked')",
    "navigation": "location = '/asked'",
}
OTHER_HOST = {
    "fetch": "fetch(site + '/asked', {credentials: 'include', mode: 'no-cors'})",
    "image": "new Image().src = site + '/asked'",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), {src: site + '/asked'}))",
}


@pytest.fixture(scope="module")
def chromium(browser_type, certificate):
    """A browser with the feature, in place of the other tests' one."""
    with launched(browser_type, needed("chromium"), certificate, BOUND_SESSIONS) as browser:
        yield browser


class Noting:
    """Notes whether requests to /asked have the bound cookie."""

    def __init__(self, app):
        self.app, self.proven = app, []

    async def __call__(self, scope, receive, send):
        if scope.get("path") == "/asked":
            self.proven.append(b"__Host-bound-" in dict(scope["headers"]).get(b"cookie", b""))
        await self.app(scope, receive, send)


@pytest.fixture(params=[()])
def initiators(request):
    return request.param


@pytest.fixture
def app(clock, initiators):
    app = pages(clock=clock, device_binding=DeviceBinding(initiators=initiators))

    @app.get("/blank")
    async def blank() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>Blank</title><link rel='icon' href='data:,'><body>")

    @app.api_route("/asked", methods=["GET", "POST"])
    async def asked() -> Response:
        return Response("", media_type="text/html")

    return Noting(app)


@pytest.fixture
def user(app, serve, context, clock):
    site = Site(app)
    site.url = serve(site)
    return Tab(context, site, clock).sign_in()


def ask(page, app, script, site):
    page.evaluate(f"site => void ({script})", site)
    while not app.proven:
        page.wait_for_timeout(5)
    return app.proven


@pytest.mark.parametrize("kind", SAME_HOST)
def test_a_request_of_the_host_s_own_pages_waits_for_the_proof(user, app, kind):
    user.page.goto(f"{user.site.url}/blank")
    user.expire()
    assert ask(user.page, app, SAME_HOST[kind], user.site.url) == [True]


@pytest.mark.parametrize("kind", OTHER_HOST)
def test_a_request_of_another_host_s_page_does_not_wait(user, app, kind):
    other = user.context.new_page()
    other.goto(user.site.url.replace("a.test", "www.a.test") + "/blank")
    user.expire()
    assert ask(other, app, OTHER_HOST[kind], user.site.url) == [False]


@pytest.mark.parametrize("initiators", [["www.a.test"], ["*.a.test"]], indirect=True, ids=str)
@pytest.mark.parametrize("kind", OTHER_HOST)
def test_a_request_of_another_host_that_is_an_initiator_waits(user, app, kind):
    other = user.context.new_page()
    other.goto(user.site.url.replace("a.test", "www.a.test") + "/blank")
    user.expire()
    assert ask(other, app, OTHER_HOST[kind], user.site.url) == [True]
    # And it is no end of the binding, as one from another site would be.
    user.expire()
    assert user.who()[:3] == [42, "valid", True]


def test_a_link_on_another_host_of_the_site_arrives_proven_after_a_reload(user, app):
    other = user.context.new_page()
    other.goto(user.site.url.replace("a.test", "www.a.test") + "/blank")
    user.expire()
    other.evaluate("site => void (location = site + '/account#part')", user.site.url)
    other.get_by_role("heading", name="42 valid").wait_for()
    assert other.url == f"{user.site.url}/account#part"
