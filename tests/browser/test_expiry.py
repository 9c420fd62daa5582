"""Sessions that end by the server's clock, while the browser still holds their cookies."""

import pytest

from fastsession import Lifetime
from tests.browser.fetching import fetch, jar
from tests.shop import ABSOLUTE, COOKIE, DAY, IDLE, shop

REMEMBERED = Lifetime(idle=14 * DAY, absolute=60 * DAY)


@pytest.fixture
def shop_page(serve, page, clock, events):
    page.goto(serve(shop(clock=clock, on_event=events.append, remember=REMEMBERED)) + "/public")
    return page


def kinds(events):
    return [(event.kind, event.status) for event in events]


def test_an_idle_session_ends_and_its_cookie_stays_until_the_next_save(shop_page, context, clock, events):
    fetch(shop_page, "/cart/tea", "POST")
    clock.advance(IDLE)
    over = jar(context)
    assert fetch(shop_page, "/cart") == []
    assert jar(context) == over
    assert kinds(events) == [("created", "absent"), ("rejected", "expired_idle")]
    assert fetch(shop_page, "/cart/milk", "POST") == ["milk"]
    assert fetch(shop_page, "/cart") == ["milk"]


def test_a_session_in_use_is_renewed_by_requests_that_do_not_look_at_it(shop_page, context, clock, events):
    fetch(shop_page, "/cart/tea", "POST")
    for _ in range(4):
        before = jar(context)[COOKIE]
        clock.advance(IDLE - 1)
        fetch(shop_page, "/public")
        assert jar(context)[COOKIE] != before
    assert fetch(shop_page, "/cart") == ["tea"]
    assert kinds(events) == [("created", "absent"), *[("renewed", "valid")] * 4]


def test_a_busy_session_ends_with_the_absolute_timeout(shop_page, context, clock, events):
    fetch(shop_page, "/cart/tea", "POST")
    for _ in range(ABSOLUTE // IDLE * 2 - 1):
        clock.advance(IDLE // 2)
        assert fetch(shop_page, "/cart") == ["tea"]
    clock.advance(IDLE // 2)
    assert fetch(shop_page, "/cart") == []
    assert kinds(events)[-1] == ("rejected", "expired_absolute")


def test_a_remembered_session_has_an_end_in_the_browser_and_one_on_the_server(shop_page, context, clock):
    fetch(shop_page, "/cart/tea", "POST")
    assert context.cookies()[0]["expires"] == -1
    fetch(shop_page, "/remember/true", "POST")
    [cookie] = context.cookies()
    left = cookie["expires"] - shop_page.evaluate("Date.now() / 1000")
    assert left == pytest.approx(REMEMBERED.idle, abs=60)
    clock.advance(REMEMBERED.idle - 1)
    assert fetch(shop_page, "/cart") == ["tea"]
    clock.advance(REMEMBERED.idle)
    assert fetch(shop_page, "/cart") == []


def test_a_session_that_is_no_longer_remembered_ends_with_the_browser(shop_page, context):
    fetch(shop_page, "/remember/true", "POST")
    assert context.cookies()[0]["expires"] > 0
    fetch(shop_page, "/remember/false", "POST")
    assert context.cookies()[0]["expires"] == -1
