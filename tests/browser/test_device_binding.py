"""Device-bound sessions in Chromium: logins, refreshes, thieves, failures. Nothing is waited for but what has to happen.

The server's clock is moved, and the browser's bound cookie deleted, where minutes would have to pass. One test waits
for a lifetime of seconds, and one runs into Chromium's quota.
"""

import time
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import expect

from fastsession import DeviceBinding, Lifetime, SessionMiddleware
from tests.browser.bound_sessions import PAGE, Site, Tab, pages
from tests.browser.chromium import BOUND_SESSIONS, BOUND_SESSIONS_WITH_QUOTA, launched, launched_with_profile
from tests.browser.fetching import fetch, jar
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REFRESH, REGISTER, bank, with_staff
from tests.processes import needed
from tests.shop import COOKIE, DAY, OLD_SECRET, SECRET, START, ShopSession

LISTEN = """path => new Promise((resolve, reject) => {
  const socket = new WebSocket(path)
  socket.onmessage = event => resolve(JSON.parse(event.data))
  socket.onclose = () => reject(new Error("closed without a message"))
})"""


@pytest.fixture(scope="module")
def chromium(browser_type, certificate):
    """A browser with the feature, in place of the other tests' one."""
    with launched(browser_type, needed("chromium"), certificate, BOUND_SESSIONS) as browser:
        yield browser


@pytest.fixture
def serve_site(serve):
    def start(app, **options):
        site = Site(app)
        site.url = serve(site, **options)
        return site

    return start


@pytest.fixture
def site(serve_site, clock):
    return serve_site(pages(clock=clock))


@pytest.fixture
def tab(context, site, clock):
    return Tab(context, site, clock)


@pytest.fixture
def user(tab):
    """A tab of somebody who is signed in and bound."""
    return tab.sign_in()


def thief_of(context, site):
    """Somebody else's client with a copy of the browser's cookies."""
    url = site.url.replace("a.test", "127.0.0.1")
    header = "; ".join(f"{name}={value}" for name, value in jar(context).items())
    return httpx.Client(base_url=url, headers={"cookie": header}, verify=False)


# Logins.


def test_a_login_by_a_script_is_bound(tab, context):
    tab.fetch("/login", "POST")
    [created] = tab.wait_for("creationEventDetails")
    assert created["fetchResult"] == "Success"
    assert tab.who() == [42, "valid", True, START + LIFETIME]
    assert sorted(jar(context)) == sorted([COOKIE, DEVICE, BOUND])


@pytest.mark.parametrize("way", ["To a page", "To a redirect", "To a page that saves"])
def test_a_login_by_a_form_is_bound(tab, way):
    tab.page.get_by_role("button", name=way, exact=True).click()
    [created] = tab.wait_for("creationEventDetails")
    assert created["fetchResult"] == "Success"
    assert tab.who() == [42, "valid", True, START + LIFETIME]


def test_what_the_page_after_the_login_saves_is_there(tab):
    """It writes the session cookie while the browser registers its key."""
    tab.page.get_by_role("button", name="To a page that saves").click()
    tab.wait_for("creationEventDetails")
    tab.page.wait_for_function("done")
    # Without a store the last of three parallel writes counts.
    assert len(tab.fetch("/cart")) >= 1
    tab.expire()
    assert tab.who() == [42, "valid", True, START + 2 * LIFETIME]
    assert len(tab.fetch("/cart")) >= 1


def test_the_browser_takes_the_instructions_as_they_are(tab, serve_site, clock, context):
    site = serve_site(pages(clock=clock, device_binding=DeviceBinding(exclude=["/public"])))
    tab = Tab(context, site, clock)
    tab.fetch("/login", "POST")
    [created] = tab.wait_for("creationEventDetails")
    session = created["newSession"]
    assert session["refreshUrl"] == f"{site.url}{REFRESH}"
    assert session["inclusionRules"]["includeSite"] is False
    assert {rule["pathPrefix"] for rule in session["inclusionRules"]["urlRules"]} == {"/public", REFRESH}
    [craving] = session["cookieCravings"]
    assert (craving["name"], craving["secure"], craving["httpOnly"], craving["sameSite"]) == (BOUND, True, True, "Lax")


def test_another_login_as_the_same_user_goes_on_with_the_key(user):
    user.fetch("/confirm-password", "POST")
    assert user.fetch("/large-transfer", "POST") == 42
    assert len(user.told("creationEventDetails")) == 1


def test_a_login_as_another_user_is_bound_anew(user):
    user.fetch("/login/7", "POST")
    user.wait_for("creationEventDetails", 2)
    assert user.who() == [7, "valid", True, START + LIFETIME]
    user.expire()
    assert user.who()[:3] == [7, "valid", True]
    assert user.site.count(f"POST {REFRESH} 401") <= 1


# Refreshes.


def test_a_request_waits_for_the_refresh(user):
    user.expire()
    assert user.who() == [42, "valid", True, START + 2 * LIFETIME]
    assert user.site.log == [f"POST {REFRESH} 403", f"POST {REFRESH} 200", "GET /who 200"]
    [refreshed] = user.told("refreshEventDetails")
    assert (refreshed["refreshResult"], refreshed["fetchResult"]) == ("Refreshed", "Success")


def test_the_next_refresh_is_one_round_trip(user):
    user.expire()
    user.who()
    user.site.log.clear()
    user.expire()
    assert user.who() == [42, "valid", True, START + 3 * LIFETIME]
    assert user.site.log == [f"POST {REFRESH} 200", "GET /who 200"]


def test_a_navigation_waits_too(user):
    user.expire()
    user.page.goto(f"{user.site.url}/account")
    expect(user.page.get_by_role("heading")).to_have_text("42 valid")


def test_five_parallel_requests_cost_one_refresh(user):
    user.expire()
    seen = user.fetch_together(*["/who"] * 5)
    assert seen == [[42, "valid", True, START + 2 * LIFETIME]] * 5
    assert user.site.refreshes == 1


def test_two_tabs_cost_one_refresh(user, context, site, clock):
    second = Tab(context, site, clock)
    user.expire()
    start = "paths => { seen = Promise.all(paths.map(path => fetch(path).then(r => r.json()))); }"
    for tab in (user, second):
        tab.page.evaluate(start, ["/who"] * 3)
    for tab in (user, second):
        assert tab.page.evaluate("() => seen") == [[42, "valid", True, START + 2 * LIFETIME]] * 3
    assert site.refreshes == 1


def test_a_web_socket_waits_for_the_refresh(user):
    user.expire()
    assert user.page.evaluate(LISTEN, "/live") == [42, "valid", True, START + 2 * LIFETIME]
    assert user.site.log == [f"POST {REFRESH} 403", f"POST {REFRESH} 200", "WEBSOCKET /live"]


def test_an_excluded_path_does_not_wait(context, serve_site, clock):
    site = serve_site(pages(clock=clock, device_binding=DeviceBinding(exclude=["/public"])))
    user = Tab(context, site, clock).sign_in()
    user.expire()
    user.fetch("/public")
    assert site.log == ["GET /public 200"]
    assert user.who()[:3] == [42, "valid", True]


def test_a_slow_refresh_is_waited_for(user):
    user.expire()
    user.site.delay = 0.5
    assert user.who() == [42, "valid", True, START + 2 * LIFETIME]


# A stolen jar.


def test_a_stolen_jar_stops_working_and_the_browser_goes_on(user, context, site):
    with thief_of(context, site) as thief:
        assert thief.get("/who").json() == [42, "valid", True, START + LIFETIME]
        user.expire()
        assert thief.get("/who").json()[:2] == [None, "unbound"]
        assert user.who() == [42, "valid", True, START + 2 * LIFETIME]
        assert thief.get("/who").json()[:2] == [None, "unbound"]
        identifier = user.events[-1]["sessionId"]
        assert thief.post(REFRESH, headers={"sec-secure-session-id": identifier}).status_code == 403
        assert thief.post("/transfer").status_code == 403
    assert user.fetch("/transfer", "POST") == 42


def test_it_does_within_the_lifetime_of_a_proof(context, serve_site, monkeypatch):
    """By real clocks, with a lifetime of some seconds."""
    lifetime = 4
    monkeypatch.setattr("fastsession.device_binding.SHORTEST_LIFETIME", timedelta(seconds=1))
    site = serve_site(pages(clock=time.time, device_binding=DeviceBinding(lifetime)))
    user = Tab(context, site).sign_in()
    with thief_of(context, site) as thief:
        # While the browser is active its proof is renewed all the time; the copied one is not.
        began = time.time()
        while (seen := thief.get("/who").json())[0] == 42:
            assert time.time() < began + lifetime + 1, "the thief is still in"
            assert user.who()[:3] == [42, "valid", True]
        assert seen[:2] == [None, "unbound"]
        assert user.who()[:3] == [42, "valid", True]
        assert user.fetch("/transfer", "POST") == 42


def test_a_jar_in_another_browser_is_worth_nothing(user, new_context, context, site, clock):
    """A profile that was moved to another device, or a key that was lost: unbound until the next login."""
    elsewhere = new_context()
    elsewhere.add_cookies(context.cookies())
    moved = Tab(elsewhere, site, clock)
    assert moved.who()[:3] == [42, "valid", True]
    moved.expire()
    assert moved.who()[:2] == [None, "unbound"]
    moved.sign_in()
    assert moved.who()[:3] == [42, "valid", True]


# Restarts, logouts, several bindings.


def test_a_remembered_session_is_bound_after_a_restart(browser_type, certificate, serve_site, clock, tmp_path):
    site = serve_site(pages(clock=clock, remember=Lifetime(14 * DAY, 90 * DAY)))
    program = needed("chromium")

    def profile():
        return launched_with_profile(browser_type, program, tmp_path, certificate, BOUND_SESSIONS)

    with profile() as context:
        user = Tab(context, site, clock).sign_in()
        user.fetch("/remember/true", "POST")
        assert user.who()[:3] == [42, "valid", True]
    site.log.clear()
    with profile() as context:
        user = Tab(context, site, clock)
        user.expire()
        assert user.who() == [42, "valid", True, START + 2 * LIFETIME]
        assert site.refreshes == 1


def test_a_logout_is_one_in_every_tab(user, context, site, clock):
    second = Tab(context, site, clock)
    user.fetch("/logout", "POST")
    assert second.who()[:2] == [None, "absent"]
    assert user.who()[:2] == [None, "absent"]
    assert site.count(f"POST {REFRESH} 401") == 1
    assert jar(context) == {}
    second.sign_in(7)
    assert user.who()[:3] == [7, "valid", True]


def test_two_sessions_of_one_site_are_bound_independently(context, serve_site, clock):
    site = serve_site(with_staff(pages(clock=clock), clock))
    tab = Tab(context, site, clock)
    tab.fetch("/both/login", "POST")
    tab.wait_for("creationEventDetails", 2)
    assert [event["fetchResult"] for event in tab.told("creationEventDetails")] == ["Success", "Success"]
    clock.advance(LIFETIME)
    context.clear_cookies(name=BOUND)
    context.clear_cookies(name="__Host-bound-staff")
    assert tab.fetch("/shop/who") == [42, "valid", True]
    assert tab.fetch("/staff/who") == ["ann", "valid", True]


def test_two_sites_are_bound_independently(user, context, serve_site, clock):
    other = Tab(context, serve_site(pages(clock=clock), host="b.test"), clock).sign_in(7)
    user.expire()
    assert user.who()[:3] == [42, "valid", True]
    assert other.who()[:3] == [7, "valid", True]


def test_cleared_site_data_is_a_logout(user, context):
    user.page.evaluate("fetch('/clear-site-data', {method: 'POST'}).then(response => response.text())")
    user.page.wait_for_function("() => fetch('/who').then(r => r.json()).then(([id]) => id === null)")
    assert COOKIE not in jar(context)
    user.sign_in()
    assert user.who()[:3] == [42, "valid", True]


# Deployments.


def test_a_rotation_of_the_secret_ends_nothing(user, site, clock):
    site.app = pages(clock=clock, secret_key=OLD_SECRET, secret_key_fallbacks=[SECRET])
    assert user.who()[:3] == [42, "valid", True]
    user.expire()
    assert user.who()[:3] == [42, "valid", True]
    site.app = pages(clock=clock, secret_key=OLD_SECRET)
    user.expire()
    assert user.who()[:3] == [42, "valid", True]
    assert len(user.told("creationEventDetails")) == 1


def test_a_bad_deploy_ends_nothing(user, site, clock):
    good = site.app
    site.app = pages(clock=clock, secret_key=OLD_SECRET)
    user.expire()
    assert user.who()[:2] == [None, "unknown_key"]
    assert site.count(f"POST {REFRESH} 503") >= 1
    site.app = good
    assert user.who() == [42, "valid", True, START + 2 * LIFETIME]


# Failures.


def test_an_outage_of_the_endpoint_costs_some_answers(user, site):
    user.expire()
    site.status = 503
    assert user.who()[:2] == [None, "unbound"]
    assert site.skipped
    assert site.skipped[0].startswith("server_error")
    site.status = None
    assert user.who() == [42, "valid", True, START + 2 * LIFETIME]


@pytest.mark.parametrize("status", [401, 302])
def test_an_answer_of_another_layer_ends_the_binding_until_the_next_login(user, site, status):
    user.expire()
    site.status = status
    user.who()
    site.status = None
    assert user.who()[:2] == [None, "unbound"]
    user.sign_in()
    assert user.who()[:3] == [42, "valid", True]


def test_a_registration_that_fails_leaves_the_session_unbound(tab, site):
    site.status = 400
    tab.fetch("/login", "POST")
    [created] = tab.wait_for("creationEventDetails")
    assert created["succeeded"] is False
    site.status = None
    assert tab.who() == [42, "valid", False, None]


def test_with_allow_an_unproven_request_goes_on(context, serve_site, clock):
    site = serve_site(pages(clock=clock, device_binding=DeviceBinding(without_proof="allow")))
    user = Tab(context, site, clock).sign_in()
    user.expire()
    site.status = 503
    assert user.who() == [42, "valid", True, None]
    assert user.page.evaluate("fetch('/transfer', {method: 'POST'}).then(r => r.status)") == 403
    site.status = None
    assert user.fetch("/transfer", "POST") == 42


def test_the_quota_costs_answers_and_no_session(browser_type, certificate, serve_site, clock):
    """Registration and five refreshes in some minutes, if the bound cookie is deleted each time."""
    site = serve_site(pages(clock=clock))
    with launched(browser_type, needed("chromium"), certificate, BOUND_SESSIONS_WITH_QUOTA) as browser:
        context = browser.new_context()
        user = Tab(context, site, clock).sign_in()
        for _ in range(12):
            user.expire()
            if user.who()[0] is None:
                break
            clock.advance(-LIFETIME)
        assert any(value.startswith("quota_exceeded") for value in site.skipped)
        assert {COOKIE, DEVICE} <= jar(context).keys()
        user.page.goto("about:blank")
        context.close()


# Links from another site.


def elsewhere(target):
    """A page of another site with a link."""
    app = FastAPI()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.format(title="Elsewhere", body=f'<a href="{target}">Go</a>'))

    return app


@pytest.mark.parametrize("without_proof", ["reject", "allow"])
@pytest.mark.parametrize("end", ["", "?csp=default-src 'none'", "#part", "?csp=default-src 'none'#part"])
def test_a_link_from_another_site_arrives_signed_in(context, serve, serve_site, clock, without_proof, end):
    site = serve_site(pages(clock=clock, device_binding=DeviceBinding(without_proof=without_proof)))
    user = Tab(context, site, clock).sign_in()
    target = f"{site.url}/account{end}".replace(" ", "%20").replace("'", "%27")
    user.page.goto(serve(elsewhere(target), "b.test"))
    entries = user.page.evaluate("history.length")
    user.expire()
    user.page.get_by_role("link", name="Go").click()
    expect(user.page.get_by_role("heading")).to_have_text("42 valid")
    assert user.page.url == target
    assert user.page.evaluate("history.length") == entries + 1
    assert site.refreshes == 1
    # One entry: the way back leads to the other site at once.
    user.page.evaluate("history.back()")
    expect(user.page).to_have_title("Elsewhere")


@pytest.mark.parametrize("end", ["", "#part"])
def test_the_bounce_works_under_the_policy_of_a_proxy(context, serve, serve_site, clock, end):
    """Put on every answer, that of the bounce too: its script does not run, and the header reloads after a second.

    An address with a fragment is not loaded again by the header. There the link is left.
    """
    inner = pages(clock=clock)

    async def with_policy(scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", b"script-src 'none'")]
            await send(message)

        await inner(scope, receive, send if scope["type"] == "lifespan" else send_with_policy)

    site = serve_site(with_policy)
    user = Tab(context, site, clock)
    user.page.get_by_role("button", name="To a page", exact=True).click()
    user.wait_for("creationEventDetails")
    user.page.goto(serve(elsewhere(f"{site.url}/account{end}"), "b.test"))
    user.expire()
    user.page.get_by_role("link", name="Go").click()
    if end:
        user.page.get_by_role("link", name="Continue").click()
    expect(user.page.get_by_role("heading")).to_have_text("42 valid")


def test_without_scripts_a_link_from_another_site_arrives_too(new_context, serve, site, clock):
    context = new_context(java_script_enabled=False)
    user = Tab(context, site, clock)
    user.page.get_by_role("button", name="To a page", exact=True).click()
    user.wait_for("creationEventDetails")
    user.page.goto(serve(elsewhere(f"{site.url}/account"), "b.test"))
    user.expire()
    user.page.get_by_role("link", name="Go").click()
    expect(user.page.get_by_role("heading")).to_have_text("42 valid")


def test_a_link_with_a_live_proof_is_not_bounced(user, serve, site):
    user.page.goto(serve(elsewhere(f"{site.url}/account"), "b.test"))
    user.page.get_by_role("link", name="Go").click()
    expect(user.page.get_by_role("heading")).to_have_text("42 valid")
    assert site.refreshes == 0
    assert site.count("GET /account 200") == 1


# Where it is served.


def test_over_plain_http_the_session_stays_unbound(context, serve_site, clock):
    """A Secure cookie is kept on localhost only; no key is registered even there."""
    site = serve_site(pages(clock=clock), host="localhost", tls=False)
    tab = Tab(context, site, clock)
    tab.fetch("/login", "POST")
    assert tab.who() == [42, "valid", False, None]
    assert site.count(f"POST {REGISTER} 200") == 0


def test_below_a_mount(context, serve_site, clock):
    outer = FastAPI()

    @outer.get("/start")
    async def start() -> HTMLResponse:
        return HTMLResponse(PAGE.format(title="Start", body=""))

    outer.mount("/bank", bank(clock=clock))
    site = serve_site(outer)
    tab = Tab(context, site, clock)
    tab.fetch("/bank/login", "POST")
    tab.wait_for("creationEventDetails")
    tab.expire()
    assert tab.fetch("/bank/who") == [42, "valid", True, START + 2 * LIFETIME]
    assert site.count(f"POST /bank{REFRESH} 200") == 1


def test_around_a_mount(context, serve_site, clock):
    outer = FastAPI()
    inner = bank(clock=clock)
    inner.user_middleware.clear()
    outer.mount("/bank", inner)
    outer.add_middleware(
        SessionMiddleware, model=ShopSession, secret_key=SECRET, clock=clock, device_binding=DeviceBinding()
    )

    @outer.get("/start")
    async def start() -> HTMLResponse:
        return HTMLResponse(PAGE.format(title="Start", body=""))

    site = serve_site(outer)
    tab = Tab(context, site, clock)
    tab.fetch("/bank/login", "POST")
    tab.wait_for("creationEventDetails")
    tab.expire()
    assert tab.fetch("/bank/who") == [42, "valid", True, START + 2 * LIFETIME]
    assert site.refreshes == 1


def test_below_a_root_path(context, serve_site, clock):
    """A proxy that takes a prefix off, and tells the application."""
    app = pages(clock=clock)

    async def proxied(scope, receive, send):
        if scope["type"] != "lifespan":
            prefix = "/api" if scope["path"].startswith("/api/") else ""
            scope = {**scope, "root_path": prefix}
        await app(scope, receive, send)

    site = serve_site(proxied)
    tab = Tab(context, site, clock)
    tab.fetch("/api/login", "POST")
    tab.wait_for("creationEventDetails")
    tab.expire()
    assert tab.fetch("/api/who") == [42, "valid", True, START + 2 * LIFETIME]
    assert site.count(f"POST /api{REFRESH} 200") == 1


def test_behind_a_proxy_that_ends_tls(context, serve_site, clock):
    """The application sees http and another host; nothing of either is in what the browser is told."""
    app = pages(clock=clock)

    async def behind(scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "scheme": "http", "headers": [*headers, (b"host", b"10.0.0.7:8000")]}
        await app(scope, receive, send)

    site = serve_site(behind)
    user = Tab(context, site, clock).sign_in()
    user.expire()
    assert user.who() == [42, "valid", True, START + 2 * LIFETIME]


def test_a_browser_without_the_feature_is_as_before(browser_type, certificate, serve_site, clock):
    site = serve_site(pages(clock=clock))
    with launched(browser_type, needed("chromium"), certificate) as browser:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/start")
        fetch(page, "/login", "POST")
        assert fetch(page, "/who") == [42, "valid", False, None]
        clock.advance(LIFETIME)
        assert fetch(page, "/who") == [42, "valid", False, None]
        assert list(jar(context)) == [COOKIE]
        assert site.count(f"POST {REGISTER} 200") == 0
        page.goto("about:blank")
        context.close()
