"""Ids of sessions: 128 bits that nobody can guess (security.md R-05)."""

import json

import pytest

from fastsession import SessionMiddleware
from fastsession.testing import Clock, sealed_cookies
from tests.reference.token_reader import joined, read
from tests.shop import COOKIE, SECRET, START, ShopSession, browser, shop

LIFETIME = (3_600, 3_600)
COUNT = 2_000


def id_in(cookies):
    token = joined(cookies, COOKIE)
    return read(token, secrets=[SECRET], name=COOKIE, now=START, lifetime=LIFETIME, remembered=LIFETIME)["id"]


@pytest.fixture(scope="module")
def ids():
    middleware = SessionMiddleware(None, model=ShopSession, secret_key=SECRET, clock=Clock(START))
    return [bytes.fromhex(id_in(sealed_cookies(middleware, ShopSession()))) for _ in range(COUNT)]


def test_an_id_has_128_bits_and_no_two_are_alike(ids):
    assert {len(session_id) for session_id in ids} == {16}
    assert len(set(ids)) == COUNT


def test_every_bit_of_an_id_is_set_as_often_as_not(ids):
    # Of 2,000 fair bits fewer than 850 or more than 1,150 are set once in 10^11 times.
    for bit in range(128):
        assert 850 < sum(int.from_bytes(session_id) >> bit & 1 for session_id in ids) < 1_150


@pytest.mark.parametrize("path", ["/cart/tea", "/login"])
def test_what_the_client_sends_has_no_part_in_it(path):
    """Two clients that send the same at the same second have different ids."""
    headers = {"cookie": f"{COOKIE}=chosen", "x-request-id": "1", "x-session-id": "0" * 32}
    bodies = json.dumps({"id": "0" * 32})
    clients = [browser(shop(clock=Clock(START))) for _ in range(2)]
    for client in clients:
        client.post(path, headers=headers, content=bodies)
    first, second = (id_in(dict(client.cookies)) for client in clients)
    assert first != second
