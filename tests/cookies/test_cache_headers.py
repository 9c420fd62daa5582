from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fastsession import SessionMiddleware
from tests.shop import COOKIE, IDLE, SECRET, browser, set_cookies

LOOKS = {
    "read": lambda session: session.get("theme"),
    "in": lambda session: "theme" in session,
    "len": len,
    "iterate": list,
    "bool": bool,
    "keys": lambda session: session.keys(),
    "write": lambda session: session.update(theme="light"),
    "clear": lambda session: session.clear(),
}


class Page:
    """A page that does something to the session and sends headers of its own."""

    def __init__(self, clock: Any) -> None:
        self.look: Any = lambda session: session.get("theme")
        self.headers: dict[str, str] = {}
        self.status_code = 200
        app = Starlette(routes=[Route("/", self._serve), Route("/login", self._login)])
        app.add_middleware(SessionMiddleware, secret_key=SECRET, clock=clock)
        self.browser = browser(app)

    def get(self, **headers: str) -> Any:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.get("/")

    def unseen(self, **headers: str) -> Any:
        self.look = None
        return self.get(**headers)

    async def _serve(self, request: Request) -> Response:
        if self.look is not None:
            self.look(request.session)
        return Response(headers=self.headers, status_code=self.status_code)

    async def _login(self, request: Request) -> Response:
        request.session["theme"] = "dark"
        return Response()


@pytest.fixture
def page(clock):
    return Page(clock)


@pytest.fixture
def visited(page):
    page.browser.get("/login")
    return page


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("arrives", ["absent", "valid", "rejected"])
def test_whoever_looks_at_the_session_makes_the_response_vary_by_cookie(page, look, arrives):
    if arrives == "valid":
        page.browser.get("/login")
    elif arrives == "rejected":
        page.browser.cookies[COOKIE] = "garbage"
    page.look = LOOKS[look]
    assert page.get().headers["vary"] == "Cookie"


def test_a_renewal_makes_the_response_vary_and_uncacheable_although_nobody_looked(visited, clock):
    clock.advance(IDLE // 4)
    response = visited.unseen(cache_control="public, max-age=600")
    assert len(set_cookies(response)) == 1
    assert (response.headers["vary"], response.headers["cache-control"]) == ("Cookie", "no-store")


def test_a_page_that_nobody_looked_behind_stays_as_cacheable_as_it_was(visited):
    response = visited.unseen(cache_control="public, s-maxage=600", cdn_cache_control="max-age=60")
    assert response.headers["cache-control"] == "public, s-maxage=600"
    assert response.headers["cdn-cache-control"] == "max-age=60"
    assert "vary" not in response.headers


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ("Accept-Encoding", ["Accept-Encoding", "Cookie"]),
        ("Accept, Cookie", ["Accept, Cookie"]),
        ("cookie", ["cookie"]),
        ("*", ["*"]),
        ("X-Cookie", ["X-Cookie", "Cookie"]),
    ],
)
def test_vary_is_added_to_what_the_application_says(page, vary, expected):
    assert page.get(vary=vary).headers.get_list("vary") == expected


@pytest.mark.parametrize("said", [None, "public, max-age=600", "public, s-maxage=600", "private", "no-cache"])
@pytest.mark.parametrize("sets", ["write", "clear"])
def test_a_response_with_set_cookie_is_never_stored_whatever_the_application_says(visited, said, sets):
    visited.look = LOOKS[sets]
    response = visited.get(**({"cache_control": said} if said else {}))
    assert len(set_cookies(response)) == 1
    assert response.headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize("field", ["cdn_cache_control", "surrogate_control"])
def test_delivery_networks_are_not_told_otherwise_beside_a_set_cookie(visited, field):
    visited.look = LOOKS["write"]
    response = visited.get(**{field: "max-age=600"})
    assert field.replace("_", "-") not in response.headers


def test_a_page_that_shows_a_session_is_not_stored_unless_the_application_says_so(visited):
    assert visited.get().headers["cache-control"] == "no-store"
    assert visited.get(cache_control="private, max-age=60").headers["cache-control"] == "private, max-age=60"


def test_an_error_page_that_shows_a_session_and_saves_nothing_is_not_stored_either(visited):
    visited.look, visited.status_code = LOOKS["write"], 503
    response = visited.get()
    assert (set_cookies(response), response.headers["cache-control"]) == ([], "no-store")
    assert visited.get(cache_control="private, max-age=60").headers["cache-control"] == "private, max-age=60"


@pytest.mark.parametrize(("look", "status_code"), [("read", 200), ("write", 503)])
@pytest.mark.parametrize("arrives", ["absent", "emptied"])
def test_a_page_that_shows_an_empty_session_may_be_stored(page, arrives, look, status_code):
    if arrives == "emptied":
        page.look = lambda session: session.mark_modified()
        page.get()
    page.look, page.status_code = LOOKS[look], status_code
    response = page.get()
    assert "cache-control" not in response.headers
    assert response.headers["vary"] == "Cookie"


def test_other_cookies_of_the_application_are_left_alone(visited):
    visited.look = LOOKS["write"]
    lines = set_cookies(visited.get(set_cookie="theme=dark; Path=/"))
    assert lines[0] == "theme=dark; Path=/"
    assert [line.partition("=")[0] for line in lines] == ["theme", COOKIE]
