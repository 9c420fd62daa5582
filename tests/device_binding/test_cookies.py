"""The three cookies: names, sizes, attributes, who writes which, and an offer that is given up."""

import pytest
from fastapi import Request

from fastsession import DeviceBinding, Lifetime
from fastsession.device_binding.device_cookies import DeviceCookies
from fastsession.keyring import KeyRing
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REGISTERING, SKEW, bank, opened
from tests.device_binding.modelled_browser import Browser, Thief, offer_in
from tests.reference.set_cookie import parse
from tests.shop import ABSOLUTE, COOKIE, DAY, IDLE, SECRET, set_cookies


def written(response):
    """Names of the cookies that a response sets, and those that it deletes with a minus."""
    lines = [parse(line.encode(), now=0) for line in set_cookies(response)]
    return sorted(("" if line.value else "-") + line.name.decode() for line in lines)


def attributes(response, name):
    """A cookie's attributes as they stand in the response."""
    [line] = [line for line in set_cookies(response) if line.startswith(f"{name}=")]
    return line.partition("; ")[2]


def test_a_login_writes_the_session_and_an_empty_device_cookie(visitor):
    visitor.registers = False
    assert {COOKIE, DEVICE} <= set(written(visitor.post("/login"))) <= {COOKIE, DEVICE, f"-{BOUND}"}
    assert opened(DEVICE, visitor.cookies()[DEVICE]).payload == b""


def test_registration_writes_the_two_others(offered):
    assert written(offered.register()) == [BOUND, DEVICE]
    device, bound = (opened(name, offered.cookies()[name]) for name in (DEVICE, BOUND))
    assert device.payload == offered.binding.key.compressed
    assert (device.id, bound.payload) == (bound.id, b"")


def test_a_refresh_writes_the_bound_cookie_alone(user):
    user.forget(BOUND)
    session, device = user.cookies()[COOKIE], user.cookies()[DEVICE]
    user.get("/who")
    assert user.count("POST /session/device/refresh 200") == 1
    assert (user.cookies()[COOKIE], user.cookies()[DEVICE]) == (session, device)
    assert BOUND in user.cookies()


@pytest.mark.parametrize(("path", "later"), [("/cart/tea", 0), ("/cart", IDLE // 4)], ids=["a save", "a renewal"])
def test_ordinary_responses_write_the_session_cookie_alone(user, clock, path, later):
    clock.advance(later)
    response = user.ask("POST" if later == 0 else "GET", path)
    assert written(response) == [COOKIE]
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_a_logout_deletes_all_three(user):
    user.post("/logout")
    assert user.cookies() == {}


def test_emptying_the_dict_deletes_all_three_too(visitor, clock):
    visitor.app.add_api_route("/empty", empty, methods=["POST"])
    visitor.post("/login")
    visitor.post("/empty")
    assert visitor.cookies() == {}


async def empty(request: Request) -> None:
    request.session.clear()


def test_a_logout_deletes_them_with_the_attributes_that_set_them(user):
    response = user.post("/logout")
    assert written(response) == sorted([f"-{COOKIE}", f"-{BOUND}", f"-{DEVICE}"])
    assert {attributes(response, name) for name in (COOKIE, DEVICE, BOUND)} == {
        "path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    }


def test_the_device_cookie_lasts_as_long_as_any_session_and_the_bound_one_as_long_as_a_proof(offered):
    response = offered.register()
    assert attributes(response, DEVICE) == f"path=/; Max-Age={ABSOLUTE}; HttpOnly; SameSite=Lax; Secure"
    assert attributes(response, BOUND) == f"path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Lax; Secure"


def test_the_longest_session_may_be_a_remembered_one(clock):
    app = bank(clock=clock, remember=Lifetime(7 * DAY, 30 * DAY), device_binding=DeviceBinding(3600))
    browser = Browser(app, clock, registers=False)
    response = browser.post("/login")
    assert "Max-Age" not in attributes(response, COOKIE)
    assert attributes(response, DEVICE).startswith(f"path=/; Max-Age={30 * DAY};")
    assert attributes(browser.register(), BOUND).startswith("path=/; Max-Age=3600;")


def test_they_have_the_session_cookies_attributes(clock):
    app = bank(clock=clock, same_site="strict", path="/session", session_cookie="visit")
    browser = Browser(app, clock, registers=False)
    login = browser.post("/login")
    shown = "path=/session; HttpOnly; SameSite=Strict; Secure"
    assert attributes(login, "__Secure-visit") == shown
    offered = attributes(login, "__Secure-device-visit")
    assert offered.replace(f"Max-Age={ABSOLUTE}; ", "") == shown
    registered = browser.register()
    assert attributes(registered, "__Secure-bound-visit").replace(f"Max-Age={LIFETIME}; ", "") == shown


@pytest.mark.parametrize("given", ["__Host-visit", "__Secure-visit"])
def test_a_name_with_a_prefix_keeps_its_prefix_in_front(clock, given):
    prefix, name = given.split("-")
    browser = Browser(bank(clock=clock, session_cookie=given), clock)
    browser.post("/login")
    assert sorted(browser.cookies()) == sorted([given, f"{prefix}-device-{name}", f"{prefix}-bound-{name}"])


def test_they_have_these_sizes(user):
    sizes = {name: len(name) + 1 + len(value) for name, value in user.cookies().items()}
    assert (sizes[DEVICE], sizes[BOUND]) == (177, 176)


def test_the_empty_device_cookie_has_the_size_of_the_full_one(offered):
    assert len(DEVICE) + 1 + len(offered.cookies()[DEVICE]) == 177


def test_an_error_report_with_the_device_in_it_shows_neither_key_nor_pair(user):
    @user.app.get("/report")
    async def report(request: Request) -> str:
        device = request.session.visit.device
        return f"{device!r} {[device]} {device}"

    user.get("/who")
    shown = user.get("/report").json()
    device = opened(DEVICE, user.cookies()[DEVICE])
    assert shown == "Device(...) [Device(...)] Device(...)"
    assert device.payload != b""


def test_a_device_is_known_again_at_the_third_sight_of_its_cookies_and_few_are_noted(clock):
    keys = KeyRing([SECRET.encode()])
    devices = DeviceCookies(keys, cookie_name=COOKIE, audience="", proof_lifetime=LIFETIME)
    pair = bytes(16)
    [(name, value)] = devices.device_cookie(pair, b"k" * 33, since=clock(), now=clock()).items()
    header = f"{name}={value}".encode()
    for number in range(3_000):
        assert devices.find(header + b"; visit=%d" % number, pair).key == b"k" * 33
    first, second, third = (devices.find(header, pair) for _ in range(3))
    assert first == second == third
    assert first is not second
    assert second is third
    assert len(devices._noted) <= 1024


def test_no_name_begins_with_the_sessions(user):
    assert [name for name in user.cookies() if name.startswith(COOKIE)] == [COOKIE]


def test_the_device_cookie_that_outlives_its_session_is_replaced_by_the_next_login(user):
    old = user.cookies()[DEVICE]
    user.close()
    assert sorted(user.cookies()) == [BOUND, DEVICE]
    assert user.get("/who").json()[:3] == [None, "absent", False]
    user.post("/login")
    assert user.cookies()[DEVICE] != old
    assert user.get("/who").json()[:3] == [42, "valid", True]


# An offer that nobody took is given up.
GIVEN_UP = REGISTERING + SKEW
GIVES_UP = [f"-{BOUND}", f"-{DEVICE}", COOKIE]


@pytest.fixture
def without_feature(app, clock):
    """A browser without the feature, signed in."""
    browser = Browser(app, clock, binds=False)
    browser.post("/login")
    return browser


def test_an_offer_that_may_still_be_taken_is_carried_along(without_feature, clock):
    clock.advance(GIVEN_UP - 1)
    assert written(without_feature.post("/cart/tea")) == [COOKIE]
    assert DEVICE in without_feature.cookies()


def test_the_next_save_gives_an_offer_up(without_feature, clock):
    clock.advance(GIVEN_UP + 1)
    assert written(without_feature.post("/cart/tea")) == GIVES_UP
    assert list(without_feature.cookies()) == [COOKIE]
    assert without_feature.get("/cart").json() == ["tea"]


def test_the_next_renewal_gives_an_offer_up(without_feature, clock):
    clock.advance(IDLE // 4)
    assert written(without_feature.get("/cart")) == GIVES_UP
    clock.advance(IDLE // 4)
    assert written(without_feature.get("/cart")) == [COOKIE]
    assert without_feature.get("/who").json() == [42, "valid", False, None]


def test_a_renewal_that_nobody_looks_at_gives_it_up_too(without_feature, clock):
    clock.advance(IDLE // 4)
    assert written(without_feature.get("/public")) == GIVES_UP


def test_an_offer_that_was_given_up_cannot_be_taken(offered, clock):
    clock.advance(GIVEN_UP + 1)
    offered.post("/cart/tea")
    assert offered.register().status_code == 400
    assert offered.get("/who").json()[:3] == [42, "valid", False]


def test_a_session_that_has_given_up_is_offered_a_binding_at_the_next_login_only(without_feature, clock):
    clock.advance(GIVEN_UP + 1)
    assert offer_in(without_feature.post("/cart/tea")) is None
    assert offer_in(without_feature.get("/who")) is None
    assert offer_in(without_feature.post("/confirm-password")) is not None


def test_a_bound_session_is_never_given_up(user, clock):
    for _ in range(10):
        clock.advance(LIFETIME)
        user.post("/cart/tea")
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_nothing_is_given_up_for_a_thief_without_the_device_cookie(user, clock):
    """A copy without the device cookie looks like an offer nobody took, and must not become an unbound session."""
    clock.advance(GIVEN_UP + 1)
    thief = Thief(user)
    del thief.taken[DEVICE]
    response = thief.post("/cart/tea")
    assert (response.status_code, set_cookies(response)) == (200, [])
    assert thief.get("/who").json()[:2] == [None, "unbound"]
