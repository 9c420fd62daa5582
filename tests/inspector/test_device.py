"""The inspector names the three cookies of a bound session, says how pair and proof stand, and tries replays."""

import re

import pytest

from fastsession import DeviceBinding
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REGISTERING, opened
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import offer_in, response_header
from tests.inspector.local import PAGE, attempt, inspected_shop, local_browser, panel, status
from tests.shop import COOKIE, cookie_header, set_cookies

SERVER_SIDE = {"cookies": {}, "store": {"store": MemoryStore}, "revocations": {"revocations": MemoryRevocations}}


@pytest.fixture(params=SERVER_SIDE)
def client(request, clock):
    """A browser at the shop with device binding."""
    options = {name: make(clock=clock) for name, make in SERVER_SIDE[request.param].items()}
    return local_browser(inspected_shop(clock=clock, device_binding=DeviceBinding(), **options))


@pytest.fixture
def key():
    return DeviceKey()


@pytest.fixture
def bound(client, key):
    """The browser, signed in and bound."""
    offer = offer_in(client.post("/login"))
    answer = client.post(offer.path, headers=[response_header(key.registration(offer.challenge))])
    assert answer.status_code == 200
    return client


def facts(client):
    """What the panel says of pair and proof."""
    found = re.fullmatch("Its device Pair (.*) Proof (.*) Its three cookies .*", panel(client.get(PAGE), "device"))
    assert found, panel(client.get(PAGE), "device")
    return found.groups()


def test_a_bound_session_shows_its_identifier_and_how_long_the_proof_lasts(bound, clock, key):
    assert facts(bound) == (f"bound to {key.identifier}", f"proven 0 s ago, {LIFETIME} s left")
    clock.advance(12)
    assert facts(bound) == (f"bound to {key.identifier}", f"proven 12 s ago, {LIFETIME - 12} s left")


def test_the_three_cookies_are_named_and_said_to_have_come(bound):
    for name in (COOKIE, DEVICE, BOUND):
        size = len(name) + len(bound.cookies[name])
        assert f"{name} {size} bytes" in panel(bound.get(PAGE), "device")
        assert f"{size} of 4,096 bytes" in panel(bound.get(PAGE), "browser")


def test_neither_pair_nor_key_is_shown(bound, key):
    page = bound.get(PAGE).text
    pair = opened(DEVICE, bound.cookies[DEVICE]).id
    for secret in (pair, key.compressed):
        assert secret.hex() not in page
    assert key.jwk["x"] not in page


def test_a_visitor_without_a_session_has_no_pair(client):
    pair, proof = facts(client)
    assert (pair, proof) == ("no valid session came", "none, because there is no key")
    assert "did not come" in panel(client.get(PAGE), "device")


def test_a_session_that_was_never_signed_in_is_not_bound(client):
    client.post("/cart/tea")
    assert facts(client)[0] == "not bound: nothing was offered to the browser, or the offer was given up"


def test_an_offer_is_counted_down_and_then_given_up(client, clock):
    client.post("/login")
    clock.advance(10)
    assert facts(client)[0] == f"offered: the browser has {REGISTERING - 10} s left to register a key"
    clock.advance(REGISTERING - 10)
    assert facts(client)[0] == "offered: the browser has 0 s left to register a key"
    clock.advance(1)
    assert facts(client)[0].startswith("given up: ")
    # A moment later it is taken out by the next save.
    clock.advance(60)
    client.post("/cart/tea")
    assert facts(client)[0].startswith("not bound: ")


def test_without_the_proof_the_page_says_so_and_still_names_the_key(bound, key):
    bound.cookies.delete(BOUND)
    assert facts(bound) == (f"bound to {key.identifier}", "none came with the request")
    assert status(bound.get(PAGE)) == "unbound"


def test_a_proof_that_is_over_says_for_how_long(bound, clock):
    clock.advance(LIFETIME + 5)
    assert facts(bound)[1] == f"proven {LIFETIME + 5} s ago, over for 5 s"


def test_a_proof_of_a_clock_that_is_ahead_is_no_proof(bound, clock):
    clock.advance(-31)
    # The session itself is from the future then.
    assert status(bound.get(PAGE)) == "future"
    assert facts(bound)[0] == "no valid session came"


def test_a_session_without_its_device_cookie_is_said_to_be_paired(bound):
    bound.cookies.delete(DEVICE)
    assert status(bound.get(PAGE)) == "unbound"
    assert facts(bound)[0] == "paired with a device whose cookie did not come, or came of another pair"


def test_looking_at_a_bound_session_changes_nothing(bound):
    before = cookie_header(bound)
    assert set_cookies(bound.get(PAGE)) == []
    assert cookie_header(bound) == before


OUTCOMES = {
    "flip": ("forged", "would leave the cookie as it is", "a fresh session", "refuses it"),
    "wait": ("expired_idle", "would leave the cookie as it is", "a fresh session", "refuses it"),
    "stay": ("expired_absolute", "would leave the cookie as it is", "a fresh session", "refuses it"),
    "rotate": ("valid", "would seal the cookie anew", "this session", "lets it pass"),
    "retire": ("unknown_key", "would leave the cookie as it is", "a fresh session", "refuses it"),
    "unproven": ("unbound", "would leave the cookie as it is", "a fresh session", "refuses it"),
    "alone": ("unbound", "would leave the cookie as it is", "a fresh session", "refuses it"),
}


@pytest.mark.parametrize("experiment", OUTCOMES)
def test_an_experiment_takes_the_device_into_account(bound, experiment):
    response = attempt(bound, experiment)
    expected, does, gets, passes = OUTCOMES[experiment]
    assert status(response, "result") == expected
    told = panel(response, "result")
    assert f"The response {does} The route gets {gets} require(bound=True) {passes}" in told


@pytest.mark.parametrize("experiment", ["unproven", "alone"])
def test_a_replay_leaves_the_session_as_it_is(bound, experiment):
    before = cookie_header(bound)
    assert set_cookies(attempt(bound, experiment)) == []
    assert cookie_header(bound) == before
    assert bound.get("/info").json()["device_bound"]


def test_with_allow_a_replay_gets_the_session_but_not_past_a_route_that_asks_for_the_proof(clock, key):
    allowing = DeviceBinding(without_proof="allow")
    client = local_browser(inspected_shop(clock=clock, device_binding=allowing))
    offer = offer_in(client.post("/login"))
    client.post(offer.path, headers=[response_header(key.registration(offer.challenge))])
    response = attempt(client, "unproven")
    assert status(response, "result") == "valid"
    assert "The route gets this session require(bound=True) refuses it" in panel(response, "result")


@pytest.mark.parametrize("experiment", ["unproven", "alone"])
def test_a_replay_needs_a_session_that_is_bound(client, experiment):
    client.post("/login")
    assert "Needs a session that is bound" in panel(attempt(client, experiment), "result")


def test_without_device_binding_there_is_no_panel_and_no_such_button(clock):
    client = local_browser(inspected_shop(clock=clock))
    client.post("/login")
    page = client.get(PAGE).text
    assert 'id="device"' not in page
    assert "experiment=unproven" not in page
    assert client.post(f"{PAGE}try?experiment=unproven", headers={"origin": "https://localhost"}).status_code == 404
    assert "require(bound=True)" not in attempt(client, "rotate").text
