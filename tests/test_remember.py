import re
from datetime import timedelta

import pytest

from fastsession import ConfigurationError, Lifetime
from fastsession.testing import opened_session
from tests.shop import ABSOLUTE, DAY, HOUR, IDLE, Current, browser, set_cookies, shop

REMEMBERED = Lifetime(idle=14 * DAY, absolute=90 * DAY)


@pytest.fixture
def app(clock):
    return shop(clock=clock, remember=REMEMBERED)


@pytest.fixture
def client(app):
    client = browser(app)
    client.post("/login")
    return client


def max_age(response):
    [cookie] = set_cookies(response)
    found = re.search(r"Max-Age=(\d+)", cookie)
    return found and int(found[1])


def test_only_a_remembered_session_has_a_max_age(client):
    assert max_age(client.post("/cart/tea")) is None
    assert max_age(client.post("/remember/true")) == 14 * DAY
    assert max_age(client.post("/cart/milk")) == 14 * DAY


def test_a_remembered_session_lives_by_the_other_lifetime(app, client, clock):
    client.post("/remember/true")
    clock.advance(14 * DAY - 1)
    info = opened_session(app, client).info
    assert (info.status, info.remembered) == ("valid", True)
    clock.advance(1)
    assert opened_session(app, client).info.status == "expired_idle"


def test_a_remembered_session_ends_at_its_own_absolute_timeout(app, client, clock):
    client.post("/remember/true")
    for _ in range(9):
        clock.advance(10 * DAY - 1)
        client.get("/cart")
    clock.advance(9)
    assert opened_session(app, client).info.status == "expired_absolute"


def test_a_remembered_session_is_renewed_by_its_own_quarter(client, clock):
    client.post("/remember/true")
    clock.advance(IDLE)
    assert set_cookies(client.get("/public")) == []
    clock.advance(14 * DAY // 4 - IDLE)
    assert max_age(client.get("/public")) == 14 * DAY


def test_the_browser_is_never_told_more_than_what_is_left_of_the_absolute_timeout(client, clock):
    client.post("/remember/true")
    for _ in range(8):
        clock.advance(10 * DAY)
        client.get("/cart")
    assert max_age(client.post("/cart/tea")) == 10 * DAY


def test_remembering_neither_changes_the_id_nor_restarts_the_clocks(app, client, clock):
    before = opened_session(app, client).info
    clock.advance(60)
    client.post("/remember/true")
    after = opened_session(app, client).info
    assert (after.id, after.created_at, after.authenticated_at) == (
        before.id,
        before.created_at,
        before.authenticated_at,
    )


def test_a_session_can_be_switched_back(app, client, clock):
    client.post("/remember/true")
    assert max_age(client.post("/remember/false")) is None
    assert not opened_session(app, client).info.remembered
    clock.advance(IDLE)
    assert opened_session(app, client).info.status == "expired_idle"


def test_remember_says_how_the_request_arrived_until_the_next_one(app):
    @app.post("/remembered-now")
    async def remembered_now(session: Current) -> bool:
        session.remember()
        return session.info.remembered

    client = browser(app)
    assert client.post("/remembered-now").json() is False
    assert client.get("/info").json()["remembered"] is True


def test_a_new_login_stays_remembered(app, client):
    client.post("/remember/true")
    assert max_age(client.post("/login")) == 14 * DAY


def test_remember_without_a_second_lifetime_says_what_to_write():
    with pytest.raises(ConfigurationError, match=r"remember=Lifetime\(idle=..., absolute=...\)"):
        browser(shop()).post("/remember/true")


def test_a_session_remembered_before_the_option_was_removed_lives_by_the_standard_lifetime(client, clock):
    client.post("/remember/true")
    without = browser(shop(clock=clock))
    without.cookies = client.cookies
    assert max_age(without.post("/cart/tea")) is None
    clock.advance(IDLE)
    assert without.get("/info").json()["status"] == "expired_idle"


def test_a_lifetime_is_frozen_seconds():
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=ABSOLUTE)
    assert (lifetime.idle, lifetime.absolute) == (HOUR, ABSOLUTE)
    with pytest.raises(AttributeError):
        lifetime.idle = 1


def test_no_lifetime_is_longer_than_browsers_keep_a_cookie():
    with pytest.raises(ConfigurationError, match="400 days"):
        Lifetime(idle=DAY, absolute=401 * DAY)


def test_every_session_is_remembered_from_the_start_with_the_standard_timeouts(clock):
    client = browser(shop(clock=clock, remember=True, idle_timeout=14 * DAY, absolute_timeout=60 * DAY))
    assert max_age(client.post("/cart/tea")) == 14 * DAY
    clock.advance(7 * DAY)
    assert max_age(client.get("/cart")) == 14 * DAY
    clock.advance(14 * DAY)
    assert client.get("/cart").json() == []


def test_a_login_is_remembered_without_a_call_and_can_decline_it(clock):
    app = shop(clock=clock, remember=True)

    @app.post("/only-today")
    async def only_today(session: Current) -> bool:
        session.remember(False)
        return session.info.remembered

    client = browser(app)
    assert max_age(client.post("/login")) == IDLE
    assert client.post("/only-today").json() is True
    assert max_age(client.post("/cart/tea")) is None


def test_remember_false_is_as_none(clock):
    assert max_age(browser(shop(clock=clock, remember=False)).post("/login")) is None
