"""What Back shows after a logout: the back/forward cache and the browser's cache of responses."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import expect

from fastsession import SessionMiddleware
from tests.shop import SECRET, Current, ShopSession

PAGE = """<!doctype html>
<title>A page</title>
<p id="visitor">{visitor}</p>
<p id="origin">from the server</p>
<script>
addEventListener("pageshow", event => {{
  if (event.persisted) document.getElementById("origin").textContent = "as it was left"
}})
</script>
"""


def private_page(session: ShopSession, cache_control: str | None = None) -> HTMLResponse:
    headers = {"Cache-Control": cache_control} if cache_control else {}
    return HTMLResponse(PAGE.format(visitor=session.user_id), headers=headers)


@pytest.fixture
def site(serve):
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=SECRET)

    @app.get("/login")
    async def login(session: Current) -> HTMLResponse:
        session.regenerate()
        session.user_id = 42
        return private_page(session)

    @app.get("/private")
    async def private(session: Current) -> HTMLResponse:
        return private_page(session)

    @app.get("/kept")
    async def kept(session: Current) -> HTMLResponse:
        return private_page(session, "private, max-age=600")

    @app.get("/logout")
    async def logout(session: Current) -> HTMLResponse:
        session.destroy()
        return HTMLResponse("<!doctype html><title>Bye</title>")

    return serve(app)


def leave(page, site, private):
    """Sign in, look at a private page, and sign out."""
    page.goto(f"{site}/login")
    page.goto(site + private)
    expect(page.locator("#visitor")).to_have_text("42")
    page.goto(f"{site}/logout")


@pytest.mark.parametrize("private", ["/private", "/login"])
def test_back_after_the_logout_asks_the_server_again(page, site, private):
    leave(page, site, private)
    with page.expect_response(site + private):
        page.go_back()
    expect(page.locator("#origin")).to_have_text("from the server")


def test_back_after_the_logout_shows_nobodys_page(page, site):
    leave(page, site, "/private")
    page.go_back()
    expect(page.locator("#visitor")).to_have_text("None")


def test_a_page_that_the_application_let_the_browser_keep_comes_back(page, site):
    leave(page, site, "/kept")
    # A page that was kept is not loaded, so there is no load to wait for.
    page.go_back(wait_until="commit")
    expect(page.locator("#visitor")).to_have_text("42")
    expect(page.locator("#origin")).to_have_text("as it was left")
