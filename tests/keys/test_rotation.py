import pytest

from fastsession import ConfigurationError, generate_key
from fastsession.testing import opened_session
from tests.shop import IDLE, OLD_SECRET, SECRET, browser, cookie_header, set_cookies, shop, shown


@pytest.fixture
def old_cookie(clock):
    client = browser(shop(secret_key=OLD_SECRET, clock=clock))
    client.post("/login")
    client.post("/cart/tea")
    return cookie_header(client)


@pytest.fixture
def rotated(clock, events):
    return shop(secret_key_fallbacks=[OLD_SECRET], clock=clock, on_event=events.append)


def test_a_fallback_opens_what_it_sealed(rotated, old_cookie):
    assert shown(rotated, old_cookie).json() == ["tea"]


@pytest.mark.parametrize("path", ["/cart", "/public"])
def test_a_session_under_a_fallback_is_resealed_with_the_next_response(rotated, old_cookie, clock, events, path):
    client = browser(rotated)
    client.get(path, headers={"cookie": old_cookie})
    assert [event.kind for event in events] == ["renewed"]
    assert shown(shop(clock=clock), cookie_header(client)).json() == ["tea"]


def test_a_resealed_session_is_the_same_session(rotated, old_cookie, clock):
    before = opened_session(rotated, shown(rotated, old_cookie))
    clock.advance(60)
    after = opened_session(rotated, shown(rotated, old_cookie))
    assert after == before
    assert (after.info.id, after.info.created_at) == (before.info.id, before.info.created_at)
    assert after.info.authenticated_at == before.info.authenticated_at


def test_a_resealed_session_is_not_sealed_again(rotated, old_cookie):
    client = browser(rotated)
    client.get("/cart", headers={"cookie": old_cookie})
    assert set_cookies(client.get("/cart")) == []


@pytest.mark.parametrize("fallbacks", [[OLD_SECRET, generate_key()], (generate_key(), OLD_SECRET), [OLD_SECRET] * 2])
def test_any_of_several_fallbacks_opens(old_cookie, clock, fallbacks):
    assert shown(shop(secret_key_fallbacks=fallbacks, clock=clock), old_cookie).json() == ["tea"]


def test_a_secret_that_is_not_configured_shows_as_an_unknown_key_and_not_as_a_forgery(old_cookie, clock):
    assert shown(shop(clock=clock), old_cookie, "/info").json()["status"] == "unknown_key"


def test_a_cookie_under_an_unknown_key_is_not_cleared_and_opens_where_the_key_is_known(old_cookie, clock):
    client = browser(shop(clock=clock))
    client.cookies.update(dict(pair.split("=", 1) for pair in old_cookie.split("; ")))
    assert set_cookies(client.get("/cart")) == []
    assert shown(shop(secret_key=OLD_SECRET, clock=clock), cookie_header(client)).json() == ["tea"]


def test_a_fallback_does_not_keep_an_idle_session_alive(rotated, old_cookie, clock):
    clock.advance(IDLE)
    assert shown(rotated, old_cookie, "/info").json()["status"] == "expired_idle"


def test_a_rolling_deploy_in_three_steps_loses_no_session(clock):
    before = shop(secret_key=OLD_SECRET, clock=clock)
    accepting = shop(secret_key=OLD_SECRET, secret_key_fallbacks=[SECRET], clock=clock)
    sealing = shop(secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET], clock=clock)
    retired = shop(secret_key=SECRET, clock=clock)
    # During a deploy the servers of two neighbouring steps answer in turn.
    servers = [before, accepting, before, accepting, sealing, accepting, sealing, sealing, retired, sealing, retired]
    cookie, items = "", []
    for number, server in enumerate(servers):
        client = browser(server)
        items.append(f"item-{number}")
        response = client.post(f"/cart/item-{number}", headers={"cookie": cookie})
        assert response.json() == items
        cookie = cookie_header(client)


def test_a_bare_string_as_fallbacks_is_refused():
    with pytest.raises(ConfigurationError, match=r"write \[old_secret\]"):
        browser(shop(secret_key_fallbacks=OLD_SECRET)).get("/public")
