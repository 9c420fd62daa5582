"""Several cookies of our name in one browser, from several paths."""

import pytest
from playwright.sync_api import Error

from tests.browser.fetching import fetch, jar
from tests.shop import COOKIE, browser, shop

BARE = "app_session"


@pytest.fixture
def app(clock, events):
    # Without a prefix, which would not let a browser keep two.
    return shop(clock=clock, on_event=events.append, https_only=False)


@pytest.fixture
def plant(page, context):
    """`plant(value, path)` puts a cookie of our name beside those of other paths, as the developer tools do."""
    devtools = context.new_cdp_session(page)

    def put(value, path, **fields):
        fields = {"name": BARE, "url": page.url, "path": path, "value": value, **fields}
        return devtools.send("Network.setCookie", fields)["success"]

    return put


# The browser sends the longer path first.
@pytest.mark.parametrize("paths", [("/", "/cart"), ("/cart", "/")])
def test_of_two_cookies_of_one_session_the_newer_is_taken(shop_page, plant, clock, events, paths):
    older = jar(shop_page.context)[BARE]
    clock.advance(1)
    fetch(shop_page, "/cart/milk", "POST")
    newer = jar(shop_page.context)[BARE]
    events.clear()
    shop_page.context.clear_cookies()
    for value, path in zip((older, newer), paths, strict=True):
        assert plant(value, path)
    assert fetch(shop_page, "/cart") == ["tea", "milk"]
    assert events == []


@pytest.mark.parametrize("paths", [("/", "/cart"), ("/cart", "/")])
def test_cookies_of_two_sessions_count_as_none(shop_page, app, plant, events, paths):
    own = jar(shop_page.context)[BARE]
    attacker = browser(app)
    attacker.post("/cart/poison")
    events.clear()
    shop_page.context.clear_cookies()
    for value, path in zip((own, attacker.cookies[BARE]), paths, strict=True):
        assert plant(value, path)
    assert fetch(shop_page, "/cart") == []
    assert [(event.kind, event.status) for event in events] == [("rejected", "ambiguous")]


def test_garbage_beside_a_session_does_no_harm(shop_page, plant, events):
    assert plant("garbage", "/cart")
    assert fetch(shop_page, "/cart") == ["tea"]
    assert events == []


def test_the_host_prefix_lets_no_second_cookie_in(serve, page, plant, context):
    page.goto(serve(shop()) + "/public")
    fetch(page, "/cart/tea", "POST")
    with pytest.raises(Error, match="Sanitizing cookie failed"):
        plant("garbage", "/cart", name=COOKIE, secure=True)
    assert len(context.cookies()) == 1
    assert fetch(page, "/cart") == ["tea"]
