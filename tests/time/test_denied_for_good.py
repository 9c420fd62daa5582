"""A session that was ended stays ended, whatever lifetime a copy of its cookie was sealed with (security.md R-10)."""

import pytest

from fastsession import Lifetime
from fastsession.stores import MemoryRevocations
from tests.shop import ABSOLUTE, DAY, browser, cookie_header, shop, shown

# Logouts of others, one a second, until every denial that has expired is forgotten.
OTHERS = 70


@pytest.fixture
def app(clock):
    remember = Lifetime(idle=14 * DAY, absolute=60 * DAY)
    return shop(clock=clock, revocations=MemoryRevocations(clock=clock), remember=remember)


def test_a_cookie_from_while_it_was_remembered_is_revoked_for_as_long_as_it_would_have_lasted(app, clock):
    client = browser(app)
    client.post("/login")
    client.post("/remember/true")
    copied = cookie_header(client)
    client.post("/remember/false")
    client.post("/logout")
    clock.advance(ABSOLUTE)
    for _ in range(OTHERS):
        other = browser(app)
        other.post("/login")
        other.post("/logout")
        clock.advance(1)
    assert shown(app, copied, "/info").json()["status"] == "revoked"
