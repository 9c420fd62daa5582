"""The option taken away again, given later, and sessions of other releases and systems."""

import base64
import json
from datetime import UTC, datetime

import pytest
from itsdangerous import TimestampSigner

from fastsession import DeviceBinding
from fastsession.formats import Migration, StarletteSession
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REFRESH, REGISTER, bank
from tests.device_binding.modelled_browser import Browser, offer_in
from tests.reference.cookie_jar import Request
from tests.shop import COOKIE, IDLE, START, set_cookies


@pytest.fixture
def shared(mode, clock):
    """The options of two deployments of one application."""
    options = {"clock": clock}
    bank(mode, **options)
    if mode == "store":
        from fastsession.stores import MemoryStore

        options["store"] = MemoryStore(clock=clock)
    if mode == "revocations":
        from fastsession.stores import MemoryRevocations

        options["revocations"] = MemoryRevocations(clock=clock)
    return options


@pytest.fixture
def switched(shared, clock):
    """A bound user, whose browser goes on with a deployment that is called with these options."""
    user = Browser(bank("cookies", **shared), clock)
    user.post("/login")

    def switch(**options):
        other = Browser(bank("cookies", **{**shared, **options}), clock)
        other.jar, other.bindings = user.jar, user.bindings
        return other

    return switch


def test_switched_off_the_session_goes_on(switched, clock):
    user = switched(device_binding=None)
    assert user.get("/who").json() == [42, "valid", False, None]
    clock.advance(LIFETIME)
    assert user.get("/who").json()[:2] == [42, "valid"]


def test_switched_off_the_endpoints_are_the_applications(switched):
    user = switched(device_binding=None)
    assert user.send("POST", REGISTER).json() == "the application's register"
    assert user.send("POST", REFRESH).json() == "the application's refresh"


def test_switched_off_the_pair_is_carried_along(switched, clock):
    off, on = switched(device_binding=None), switched()
    off.post("/cart/tea")
    clock.advance(IDLE // 4)
    off.get("/cart")
    assert on.get("/who").json()[:3] == [42, "valid", True]
    assert on.get("/cart").json() == ["tea"]
    thief = on.stolen()
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def test_switched_off_nothing_is_offered(switched):
    response = switched(device_binding=None).post("/login")
    assert offer_in(response) is None
    assert not [line for line in set_cookies(response) if line.startswith((DEVICE, BOUND)) and "Max-Age=0" not in line]


def test_a_login_while_it_is_off_has_no_pair(switched, clock):
    off = switched(device_binding=None)
    off.bindings = {}
    off.post("/login/7")
    on = switched()
    on.bindings = {}
    assert on.get("/who").json() == [7, "valid", False, None]


def test_sessions_from_before_the_option_are_unbound_until_the_next_login(shared, clock):
    before = Browser(bank("cookies", **shared, device_binding=None), clock)
    before.post("/login")
    after = Browser(bank("cookies", **shared), clock)
    after.jar = before.jar
    assert after.get("/who").json() == [42, "valid", False, None]
    after.post("/cart/tea")
    assert list(after.cookies()) == [COOKIE]
    after.post("/confirm-password")
    assert after.get("/who").json()[:3] == [42, "valid", True]


class SignedThen(TimestampSigner):
    """Starlette's signer by the tests' clock."""

    def get_timestamp(self):
        return START


def test_sessions_taken_over_from_another_system_are_unbound_until_the_next_login(mode, clock):
    secret = "forty-two blue lanterns over the pier"
    migration = Migration(StarletteSession(secret_key=secret), accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    browser = Browser(bank(mode, clock=clock, migrate_from=[migration]), clock)
    value = SignedThen(secret).sign(base64.b64encode(json.dumps({"user_id": 42}).encode())).decode()
    browser.jar.receive(Request(f"{browser.site}/"), f"session={value}; Path=/; HttpOnly".encode())
    assert browser.get("/who").json() == [42, "valid", False, None]
    browser.post("/cart/tea")
    assert browser.get("/who").json() == [42, "valid", False, None]
    browser.post("/confirm-password")
    assert browser.get("/who").json()[:3] == [42, "valid", True]
    # The old cookie, copied, is no way around the device.
    thief = browser.stolen()
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def test_a_shorter_lifetime_counts_at_once(switched, clock):
    user = switched(device_binding=DeviceBinding(180))
    clock.advance(180)
    assert user.stolen().get("/who").json()[:2] == [None, "unbound"]


def test_reject_after_allow_counts_at_once(switched, clock):
    user = switched(device_binding=DeviceBinding(without_proof="allow"))
    clock.advance(LIFETIME)
    assert user.stolen().get("/who").json()[:2] == [42, "valid"]
    assert switched().stolen().get("/who").json()[:2] == [None, "unbound"]
