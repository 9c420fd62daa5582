"""`python -m fastsession inspect` with the cookies of a session that is bound to a device."""

import re
import time

import pytest

from fastsession import DeviceBinding, generate_key
from fastsession.testing import Clock
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REGISTERING, bank, opened
from tests.device_binding.modelled_browser import Browser
from tests.project.test_command_line import REJECTED, VALID, fastsession, shown
from tests.shop import COOKIE, SECRET


def cookies(*, age=0, registers=True, **options):
    """The browser of a user who signed in so many seconds ago."""
    clock = Clock(time.time() - age)
    browser = Browser(bank(clock=clock, **options), clock, registers=registers)
    browser.post("/login")
    return browser


def test_a_bound_session_names_its_key_and_the_time_left():
    browser = cookies(age=90)
    result = fastsession("inspect", browser.cookie_header())
    lines = shown(result)
    assert (result.returncode, result.stderr) == (VALID, "")
    assert lines["status"] == "valid"
    assert lines["device"] == f"bound to {browser.binding.identifier} ({DEVICE})"
    proven = re.fullmatch(r"proven (\d+) s ago, (\d+) s left \((\S+)\)", lines["proof"])
    assert int(proven[1]) in range(90, 120)
    assert int(proven[1]) + int(proven[2]) == LIFETIME
    assert proven[3] == BOUND


def test_a_session_that_is_not_paired_has_no_lines_of_a_device():
    browser = cookies(device_binding=None)
    lines = shown(fastsession("inspect", browser.cookie_header()))
    assert lines["status"] == "valid"
    assert {"device", "proof"}.isdisjoint(lines)


def test_an_offer_is_said_to_be_open_or_given_up():
    lines = shown(fastsession("inspect", cookies(registers=False).cookie_header()))
    assert lines["status"] == "valid"
    assert lines["device"].startswith("offered: the browser has ")
    assert lines["proof"].startswith("none, because there is no key")
    late = fastsession("inspect", cookies(registers=False, age=REGISTERING + 60).cookie_header())
    assert late.returncode == VALID
    assert shown(late)["device"].startswith("given up: ")


@pytest.mark.parametrize("without", [BOUND, DEVICE])
def test_a_header_without_one_of_the_cookies_is_explained_as_the_middleware_would_take_it(without):
    result = fastsession("inspect", cookies().cookie_header(**{without: None}))
    lines = shown(result)
    assert result.returncode == REJECTED
    if without == BOUND:
        assert lines["status"] == "unbound: without a live proof"
        assert lines["proof"] == f"none came with the request ({BOUND})"
    else:
        assert lines["status"] == "unbound: without its device cookie"
        assert lines["device"] == f"{DEVICE} of its pair is needed: give the whole Cookie header"
    # All that the session's own cookie says is said.
    assert lines["created"]


def test_the_session_cookie_s_value_alone_asks_for_the_whole_header():
    result = fastsession("inspect", cookies().cookies()[COOKIE])
    assert result.returncode == REJECTED
    assert "give the whole Cookie header" in shown(result)["device"]


def test_a_proof_is_measured_by_the_lifetime_given():
    header = cookies(age=LIFETIME).cookie_header()
    assert shown(fastsession("inspect", header))["status"] == "unbound: without a live proof"
    assert shown(fastsession("inspect", "--proof", "3600", header))["status"] == "valid"


def test_a_session_that_is_over_is_so_for_that_reason_first():
    header = cookies(age=4_000).cookie_header()
    assert shown(fastsession("inspect", header))["status"] == "expired_idle"


@pytest.mark.parametrize("name", [DEVICE, BOUND])
def test_a_cookie_of_the_device_alone_is_not_taken_for_a_session(name):
    browser = cookies()
    result = fastsession("inspect", f"{name}={browser.cookies()[name]}")
    assert result.returncode == REJECTED
    assert shown(result)["status"] == f"a cookie of the device: give {COOKIE} as well, or its name with --name"


def test_the_name_leads_to_the_other_two_cookies():
    browser = cookies(session_cookie="shop", device_binding=DeviceBinding())
    result = fastsession("inspect", "; ".join(reversed(browser.cookie_header().split("; "))))
    assert result.returncode == VALID
    assert shown(result)["cookie"] == "__Host-shop"
    assert shown(result)["device"].endswith("(__Host-device-shop)")


def test_a_session_cookie_may_be_called_like_that_of_a_device():
    browser = cookies(session_cookie="device-shop", device_binding=None)
    header = browser.cookie_header()
    assert fastsession("inspect", header).returncode == REJECTED
    assert fastsession("inspect", "--name", "__Host-device-shop", header).returncode == VALID


def test_a_device_cookie_under_a_secret_that_is_gone_says_so():
    old = generate_key()
    browser = cookies(secret_key=old, session_cookie="other")
    value = browser.cookies()["__Host-device-other"]
    header = cookies().cookie_header(**{DEVICE: value})
    assert shown(fastsession("inspect", header))["status"].startswith("unknown_key: ")


def test_neither_pair_nor_key_nor_secret_is_printed():
    browser = cookies()
    result = fastsession("inspect", "--reveal", browser.cookie_header())
    pair, key = opened(DEVICE, browser.cookies()[DEVICE]).id, browser.binding.key
    for secret in (SECRET, pair.hex(), key.compressed.hex(), key.jwk["x"]):
        assert secret not in result.stdout + result.stderr
