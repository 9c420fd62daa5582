"""Markup without script, as a comment may hold it, does not take the timeout script over."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import expect

from fastsession.session_status import session_status_router
from tests.browser.fetching import fetch
from tests.shop import IDLE, shop

EVIL = 'src="{evil}/session-timeout.js" data-signed-in="1" data-sign-in-url="javascript:document.title=\'evil\'"'
MARKUP = {
    "an image": f'<img name="currentScript" {EVIL}>',
    "two images": f'<img name="currentScript" {EVIL}><img name="currentScript" {EVIL}>',
    "a form": f'<form name="currentScript" {EVIL}></form>',
    "a frame": '<iframe name="currentScript"></iframe>',
    "an embedded object": f'<object name="currentScript" {EVIL}></object>',
    "an id": f'<a id="Document" {EVIL}></a><a id="Reflect"></a><a id="origin"></a><a id="URL"></a>',
}
SCRIPT = '<script src="/session/session-timeout.js" {attributes}></script>'


def commented(markup="", attributes='data-sign-in-url="/sign-in"', after="", **options):
    app = shop(**options)
    app.include_router(session_status_router(signed_in=lambda session: session.user_id is not None))

    @app.get("/comments")
    async def comments() -> HTMLResponse:
        page = f"<!doctype html><title>Comments</title><body>{markup}{SCRIPT.format(attributes=attributes)}{after}<h1>Comments</h1>"
        return HTMLResponse(page)

    @app.get("/sign-in")
    async def sign_in() -> HTMLResponse:
        return HTMLResponse("<title>Sign in</title><h1>Sign in</h1>")

    return app


def evil_site(asked):
    app = FastAPI()

    @app.get("/{path:path}")
    async def anything(path: str) -> HTMLResponse:
        asked.append(path)
        return HTMLResponse('{"signed_in": false}', headers={"access-control-allow-origin": "*"})

    return app


def end_the_session(page):
    page.evaluate(
        "fetch(location.origin + '/session', {method: 'DELETE'}).then(() => dispatchEvent(new Event('fastsession:check')))"
    )


@pytest.mark.parametrize("markup", MARKUP.values(), ids=MARKUP)
def test_the_script_believes_its_own_element_only(serve, page, clock, markup):
    asked = []
    evil = serve(evil_site(asked), "b.test")
    site = serve(commented(markup.replace("{evil}", evil), clock=clock))
    page.goto(f"{site}/public")
    fetch(page, "/login", "POST")
    with page.expect_response(f"{site}/session") as answer:
        page.goto(f"{site}/comments")
    assert answer.value.json()["idle_left"] == IDLE
    end_the_session(page)
    page.wait_for_url(f"{site}/sign-in")
    expect(page).to_have_title("Sign in")
    # Images load from where they like; the script asks nobody but the site.
    assert set(asked) <= {"session-timeout.js"}


@pytest.mark.parametrize("status_url", ["", 'data-status-url="/session"'])
def test_a_base_that_comes_later_does_not_lead_away(serve, page, status_url):
    asked = []
    evil = serve(evil_site(asked), "b.test")
    site = serve(commented(attributes=f'data-sign-in-url="/sign-in" {status_url}', after=f'<base href="{evil}/">'))
    page.goto(f"{site}/public")
    fetch(page, "/login", "POST")
    with page.expect_response(f"{site}/session"):
        page.goto(f"{site}/comments")
    end_the_session(page)
    page.wait_for_url(f"{site}/sign-in")
    assert asked == []


@pytest.mark.parametrize(
    "target",
    [
        "https://b.test/sign-in",
        "//b.test/sign-in",
        "/\\b.test",
        "javascript:document.title='evil'",
        "data:text/html,evil",
    ],
)
def test_a_sign_in_page_of_another_origin_is_an_error_on_the_page(serve, page, target):
    site = serve(commented(attributes=f'data-sign-in-url="{target}"'))
    errors = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto(f"{site}/comments")
    assert len(errors) == 1
    assert errors[0].startswith("Foreign ")
    expect(page).to_have_title("Comments")
