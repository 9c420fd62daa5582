"""The default model behaves as Starlette's own session middleware does, options renamed.

The ideas come from Starlette's tests/middleware/test_session.py: here are our names for its options,
our prefix for its cookie, and a clock in place of waiting.
"""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from fastsession import SessionMiddleware
from fastsession.testing import Clock
from tests.shop import DAY, SECRET, START, browser, set_cookies


async def view_session(request: Request) -> JSONResponse:
    return JSONResponse({"session": request.session})


async def update_session(request: Request) -> JSONResponse:
    request.session.update(await request.json())
    return JSONResponse({"session": request.session})


async def clear_session(request: Request) -> JSONResponse:
    request.session.clear()
    return JSONResponse({"session": request.session})


ROUTES = [
    Route("/view_session", view_session),
    Route("/update_session", update_session, methods=["POST"]),
    Route("/clear_session", clear_session, methods=["POST"]),
]


def visitor(*, base_url="https://testserver", **options):
    middleware = Middleware(SessionMiddleware, secret_key=SECRET, **options)
    return browser(Starlette(routes=ROUTES, middleware=[middleware]), base_url=base_url)


def view(client):
    return client.get("/view_session").json()["session"]


def test_a_session_is_viewed_updated_and_cleared():
    client = visitor()
    assert view(client) == {}
    assert client.post("/update_session", json={"some": "data"}).json() == {"session": {"some": "data"}}
    assert view(client) == {"some": "data"}
    assert client.post("/clear_session").json() == {"session": {}}
    assert view(client) == {}


def test_a_session_expires():
    clock = Clock(START)
    client = visitor(idle_timeout=14 * DAY, absolute_timeout=14 * DAY, clock=clock)
    client.post("/update_session", json={"some": "data"})
    clock.advance(14 * DAY - 1)
    assert view(client) == {"some": "data"}
    clock.advance(1)
    assert view(client) == {}


def test_a_secure_session_is_not_sent_over_plain_http():
    secure = visitor(https_only=True)
    assert secure.post("/update_session", json={"some": "data"}).status_code == 200
    assert view(secure) == {"some": "data"}
    plain = visitor(https_only=True, base_url="http://testserver")
    plain.cookies = secure.cookies
    assert view(plain) == {}
    assert secure.post("/clear_session").json() == {"session": {}}
    assert view(secure) == {}


def test_a_session_without_https_only_works_over_plain_http():
    client = visitor(https_only=False, base_url="http://testserver")
    client.post("/update_session", json={"some": "data"})
    assert view(client) == {"some": "data"}


def test_a_mounted_applications_cookie_has_the_path_it_was_given():
    second = Starlette(routes=ROUTES, middleware=[Middleware(SessionMiddleware, secret_key=SECRET, path="/second_app")])
    client = browser(Starlette(routes=[Mount("/second_app", app=second)]))
    [cookie] = set_cookies(client.post("/second_app/update_session", json={"some": "data"}))
    assert "; path=/second_app;" in cookie
    assert client.get("/second_app/view_session").json() == {"session": {"some": "data"}}


def test_an_invalid_cookie_is_an_empty_session():
    client = visitor()
    client.post("/update_session", json={"some": "data"})
    assert client.get("/view_session", headers={"cookie": "__Host-app_session=invalid"}).json() == {"session": {}}


def test_a_cookie_without_max_age_lasts_as_long_as_the_browser():
    client = visitor()
    [cookie] = set_cookies(client.post("/update_session", json={"some": "data"}))
    assert "max-age" not in cookie.lower()
    assert "expires" not in cookie.lower()
    client.cookies.jar.clear_session_cookies()
    assert view(client) == {}


def test_a_cookie_has_the_domain_it_was_given():
    client = visitor(domain=".example.com", base_url="https://shop.example.com")
    [cookie] = set_cookies(client.post("/update_session", json={"some": "data"}))
    assert cookie.startswith("__Secure-app_session=")
    assert "; domain=.example.com;" in cookie
    client.base_url = "https://www.example.com"
    assert view(client) == {"some": "data"}


@pytest.mark.parametrize("same_site", ["lax", "strict", "none"])
def test_a_cookie_has_the_same_site_it_was_given(same_site):
    [cookie] = set_cookies(visitor(same_site=same_site).post("/update_session", json={"some": "data"}))
    assert f"; samesite={same_site};" in cookie.lower()


def test_a_partitioned_cookie_says_so():
    [cookie] = set_cookies(visitor(partitioned=True).post("/update_session", json={"some": "data"}))
    assert cookie.endswith("; Partitioned")


def test_a_session_that_is_only_read_is_not_written():
    client = visitor()
    client.post("/update_session", json={"some": "data"})
    response = client.get("/view_session")
    assert set_cookies(response) == []
    assert response.headers["vary"] == "Cookie"
