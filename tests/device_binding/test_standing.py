"""How pair and proof stand, in words: by tables of times."""

import pytest

from fastsession.device_binding.device_cookies import Device
from fastsession.device_binding.standing import NOT_BOUND, pair_state, proof_state, why_unbound
from tests.device_binding.bank import LIFETIME, REGISTERING, SKEW
from tests.device_binding.device_key import DeviceKey
from tests.shop import START

KEY = DeviceKey()
OVER = "unbound: without a live proof"


def device(*, key=b"", since=START, proven_at=0):
    return Device(bytes(16), key, since, proven_at, stale=False)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (0, f"offered: the browser has {REGISTERING} s left to register a key"),
        (0.9, f"offered: the browser has {REGISTERING - 1} s left to register a key"),
        (REGISTERING, "offered: the browser has 0 s left to register a key"),
        (REGISTERING + 1, "given up: the browser registered no key in time; a later save leaves the pair out"),
    ],
)
def test_an_offer_is_open_as_long_as_its_challenge_holds(age, state):
    assert pair_state(device(), START + age) == state
    assert proof_state(device(), START + age, proof_lifetime=LIFETIME) == "none, because there is no key"
    # A session whose offer is open, or was given up, is a session.
    assert why_unbound(device(), START + age, proof_lifetime=LIFETIME) == ""


def test_a_key_is_named_by_its_identifier():
    assert pair_state(device(key=KEY.compressed), START + 10**6) == f"bound to {KEY.identifier}"


def test_without_a_pair_there_is_neither():
    assert pair_state(None, START) == NOT_BOUND
    assert proof_state(None, START, proof_lifetime=LIFETIME) == "none, because there is no key"


@pytest.mark.parametrize(
    ("age", "state", "why"),
    [
        (0, f"proven 0 s ago, {LIFETIME} s left", ""),
        (1.5, f"proven 1 s ago, {LIFETIME - 1} s left", ""),
        (LIFETIME - 1, f"proven {LIFETIME - 1} s ago, 1 s left", ""),
        (LIFETIME, f"proven {LIFETIME} s ago, over for 0 s", OVER),
        (LIFETIME + 7, f"proven {LIFETIME + 7} s ago, over for 7 s", OVER),
        (-SKEW, f"proven 0 s ago, {LIFETIME + SKEW} s left", ""),
        (-SKEW - 0.5, "from the future: a server's clock is wrong", OVER),
    ],
)
def test_a_proof_counts_for_its_lifetime(age, state, why):
    proven = device(key=KEY.compressed, proven_at=START)
    assert proof_state(proven, START + age, proof_lifetime=LIFETIME) == state
    assert why_unbound(proven, START + age, proof_lifetime=LIFETIME) == why


def test_a_key_without_a_proof_says_so():
    registered = device(key=KEY.compressed)
    assert proof_state(registered, START, proof_lifetime=LIFETIME) == "none came with the request"
    assert why_unbound(registered, START, proof_lifetime=LIFETIME) == OVER
