"""What `same_origin` lets through of what a real browser sends: forms, fetch() and WebSockets of three origins."""

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse
from playwright.sync_api import expect

from fastsession import SameOrigin, same_origin
from tests.browser.fetching import fetch
from tests.shop import Current, shop

FORM = '<!doctype html><title>{title}</title><form method="post" action="{action}"><button>Send</button></form>'
# What becomes of a request by script: another origin's answer cannot be read, so it is the shop that tells.
SEND = """async url => {
  await fetch(url, {method: "POST", mode: "no-cors", credentials: "include"})
}"""
SOCKET = """url => new Promise(resolve => {
  const socket = new WebSocket(url)
  socket.onmessage = event => resolve(event.data)
  socket.onclose = () => resolve("refused")
})"""
POLICIES = ["", "no-referrer"]


def guarded_shop(guard=same_origin):
    """A shop that sends its cookie with everything, so that nothing but the guard can refuse."""
    app = shop(same_site="none")

    @app.post("/buy", dependencies=[Depends(guard)])
    async def buy(session: Current) -> HTMLResponse:
        session.cart.append("bought")
        return HTMLResponse("<h1>Bought</h1>")

    @app.websocket("/live", dependencies=[Depends(guard)])
    async def live(socket: WebSocket, session: Current) -> None:
        await socket.accept()
        await socket.send_text(f"in with {session.cart}")
        await socket.close()

    @app.api_route("/callback", methods=["GET", "POST"])
    async def callback(session: Current) -> HTMLResponse:
        session.cart.append("called back")
        return HTMLResponse("<h1>Signed in</h1>")

    @app.get("/form")
    async def form(policy: str = "") -> HTMLResponse:
        headers = {"Referrer-Policy": policy} if policy else {}
        return HTMLResponse(FORM.format(title="Shop", action="/buy"), headers=headers)

    return app


def other_site(action, callback=""):
    app = FastAPI()

    @app.get("/form")
    async def form(policy: str = "") -> HTMLResponse:
        headers = {"Referrer-Policy": policy} if policy else {}
        return HTMLResponse(FORM.format(title="Other", action=action), headers=headers)

    @app.get("/redirect")
    async def redirect(request: Request) -> RedirectResponse:
        return RedirectResponse(callback)

    return app


@pytest.fixture
def site(serve, page):
    """The shop, whose visitor has something in the cart."""
    site = serve(guarded_shop())
    page.goto(f"{site}/form")
    fetch(page, "/cart/tea", "POST")
    return site


def cart(page, site):
    page.goto(f"{site}/form")
    return fetch(page, "/cart")


@pytest.mark.parametrize("policy", POLICIES)
def test_the_site_s_own_pages_are_let_in(page, site, policy):
    page.goto(f"{site}/form?policy={policy}")
    assert page.evaluate(SOCKET, site.replace("https", "wss") + "/live") == "in with ['tea']"
    page.evaluate(SEND, "/buy")
    assert fetch(page, "/cart") == ["tea", "bought"]
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Bought")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("host", ["b.test", "www.a.test"])
def test_pages_of_another_site_and_of_a_sibling_host_are_refused(serve, page, site, host, policy):
    other = serve(other_site(f"{site}/buy"), host)
    page.goto(f"{other}/form?policy={policy}")
    assert page.evaluate(SOCKET, site.replace("https", "wss") + "/live") == "refused"
    page.evaluate(SEND, f"{site}/buy")
    with page.expect_response("**/buy") as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403
    assert cart(page, site) == ["tea"]


def test_another_port_of_the_same_host_is_another_origin(serve, page, site):
    other = serve(other_site(f"{site}/buy"), "a.test")
    page.goto(f"{other}/form")
    assert page.evaluate(SOCKET, site.replace("https", "wss") + "/live") == "refused"
    with page.expect_response("**/buy") as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403
    assert cart(page, site) == ["tea"]


def test_over_plain_http_the_origin_is_compared_with_the_host(serve, page):
    """Browsers send Sec-Fetch-Site to localhost too, and to no other host without TLS."""
    site = serve(guarded_shop(), "a.test", tls=False)
    other = serve(other_site(f"{site}/buy"), "b.test", tls=False)
    page.goto(f"{site}/form")
    assert page.evaluate(SOCKET, site.replace("http", "ws") + "/live") == "in with []"
    with page.expect_response("**/buy") as answer:
        page.get_by_role("button").click()
    assert "sec-fetch-site" not in answer.value.request.all_headers()
    assert answer.value.status == 200
    page.goto(f"{other}/form")
    assert page.evaluate(SOCKET, site.replace("http", "ws") + "/live") == "refused"
    with page.expect_response("**/buy") as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403


def test_pages_of_a_trusted_origin_are_let_in(serve, page):
    trusted = []
    app = guarded_shop(lambda: None)
    site = serve(app)
    other = serve(other_site(f"{site}/trusting"), "b.test")
    trusted.append(other)

    @app.post("/trusting", dependencies=[Depends(SameOrigin(trusted=trusted))])
    async def trusting() -> HTMLResponse:
        return HTMLResponse("<h1>Trusted</h1>")

    page.goto(f"{other}/form")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Trusted")


def test_the_way_back_from_an_identity_provider_works_by_link_redirect_and_form(serve, page, site):
    provider = serve(other_site(f"{site}/callback", f"{site}/callback"), "b.test")
    page.goto(f"{provider}/redirect")
    expect(page.get_by_role("heading")).to_have_text("Signed in")
    page.goto(f"{provider}/form")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Signed in")
    assert cart(page, site) == ["tea", "called back", "called back"]
