"""What arrives from another site with each `same_site`: links, redirects, forms, as a sign-in elsewhere makes them."""

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from playwright.sync_api import expect

from tests.browser.fetching import fetch
from tests.shop import Current, shop

PAGE = "<!doctype html><title>{title}</title>{body}"


def provider(callback: str) -> FastAPI:
    """The other site, where a visitor allows the shop to know who they are."""
    app = FastAPI()

    @app.get("/allow")
    async def allow() -> HTMLResponse:
        body = f"""<a href="/back">Allow by a link</a>
            <form method="post" action="{callback}"><button>Allow by a form</button></form>"""
        return HTMLResponse(PAGE.format(title="Provider", body=body))

    @app.get("/back")
    async def back() -> RedirectResponse:
        return RedirectResponse(callback)

    return app


def shop_with_callback(**options) -> FastAPI:
    app = shop(**options)
    app.state.provider = ""

    @app.get("/start/{way}")
    async def start(way: str) -> HTMLResponse:
        return HTMLResponse(PAGE.format(title="Shop", body=f'<a href="{app.state.provider}/{way}">Go there</a>'))

    @app.api_route("/callback", methods=["GET", "POST"])
    async def callback(request: Request, session: Current, item: str | None = None) -> HTMLResponse:
        if item:
            session.cart.append(item)
        plain = "a plain cookie" if "plain" in request.cookies else "no plain cookie"
        body = f"<h1>{session.info.status}: {session.cart}</h1><p>{plain}</p>"
        return HTMLResponse(PAGE.format(title="Shop", body=body))

    return app


# same_site, how the visitor comes back, whether the session arrives. Redirects that nobody interrupts count as the
# first page's own, so even a strict session comes through; a link is the provider's.
ARRIVALS = [
    ("lax", "link", True),
    ("strict", "link", False),
    ("none", "link", True),
    ("lax", "redirects", True),
    ("strict", "redirects", True),
    ("none", "redirects", True),
    ("lax", "form", False),
    ("strict", "form", False),
    ("none", "form", True),
]


@pytest.fixture
def visit(serve, page):
    """A page of the shop whose visitor has something in the cart, and knows the way to the provider and back."""

    def start(same_site, way="allow", callback="/callback"):
        app = shop_with_callback(same_site=same_site)
        site = serve(app)
        app.state.provider = serve(provider(site + callback), "b.test")
        page.goto(f"{site}/start/{way}")
        fetch(page, "/cart/tea", "POST")
        return site

    return start


def go_there(page):
    page.get_by_role("link", name="Go there").click()


@pytest.mark.parametrize(("same_site", "way", "arrives"), ARRIVALS)
def test_what_comes_back_from_the_provider(visit, page, same_site, way, arrives):
    site = visit(same_site, "back" if way == "redirects" else "allow")
    go_there(page)
    if way == "link":
        page.get_by_role("link", name="Allow by a link").click()
    elif way == "form":
        page.get_by_role("button", name="Allow by a form").click()
    expect(page.get_by_role("heading")).to_have_text("valid: ['tea']" if arrives else "absent: []")
    # It did not arrive, but it has not gone either.
    page.goto(f"{site}/public")
    assert fetch(page, "/cart") == ["tea"]


def test_a_session_that_begins_on_the_way_back_replaces_the_strict_one_that_did_not_arrive(visit, page):
    site = visit("strict", callback="/callback?item=milk")
    go_there(page)
    page.get_by_role("link", name="Allow by a link").click()
    expect(page.get_by_role("heading")).to_have_text("absent: ['milk']")
    page.goto(f"{site}/public")
    assert fetch(page, "/cart") == ["milk"]


def test_a_cookie_without_same_site_is_sent_where_a_lax_one_is_not(visit, page):
    visit("lax")
    # For its first two minutes Chromium sends it even with forms of other sites.
    page.evaluate("document.cookie = 'plain=1; path=/; Secure'")
    go_there(page)
    page.get_by_role("button", name="Allow by a form").click()
    expect(page.get_by_role("heading")).to_have_text("absent: []")
    expect(page.get_by_text("a plain cookie", exact=True)).to_be_visible()
