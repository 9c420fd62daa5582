"""`fastsession.testing` makes bound sessions in every mode, from tests that are asynchronous and from those that are not."""

import httpx
import pytest

from fastsession import ConfigurationError, Lifetime
from fastsession.testing import (
    opened_session,
    opened_session_async,
    sealed_cookies,
    sealed_cookies_async,
    set_session,
    set_session_async,
)
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank
from tests.shop import COOKIE, DAY, START, ShopSession, browser

PROVEN = [7, "valid", True, START + LIFETIME]
ADA = {"user_id": 7}


def in_process(app):
    """An asynchronous client of the application in this event loop."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://testserver")


def test_a_client_that_was_given_a_bound_session_passes_routes_that_ask_for_the_proof(app):
    client = browser(app)
    set_session(app, client, ShopSession(**ADA), bound=True)
    assert client.post("/transfer").json() == 7
    assert client.get("/who").json() == PROVEN


@pytest.mark.anyio
async def test_an_asynchronous_client_does_too(app):
    async with in_process(app) as client:
        await set_session_async(app, client, ShopSession(**ADA), bound=True)
        assert (await client.post("/transfer")).json() == 7
        assert (await client.get("/who")).json() == PROVEN


@pytest.mark.anyio
async def test_the_cookies_are_the_same_three_in_an_event_loop(app):
    assert list(await sealed_cookies_async(app, ShopSession(**ADA), bound=True)) == [COOKIE, DEVICE, BOUND]
    assert list(await sealed_cookies_async(app, ShopSession(**ADA))) == [COOKIE]


def test_each_bound_session_has_a_pair_and_a_key_of_its_own(app):
    one, other = (sealed_cookies(app, ShopSession(**ADA), bound=True) for _ in range(2))
    mixed = {**one, DEVICE: other[DEVICE], BOUND: other[BOUND]}
    header = "; ".join(f"{name}={value}" for name, value in mixed.items())
    assert browser(app).get("/who", headers={"cookie": header}).json()[1] == "unbound"


def test_what_a_test_does_with_the_session_stays_bound(app):
    client = browser(app)
    set_session(app, client, ShopSession(**ADA), bound=True)
    client.post("/cart/tea")
    assert client.get("/cart").json() == ["tea"]
    assert client.get("/who").json() == PROVEN
    # A sign-in of the same user keeps the device.
    client.post("/confirm-password")
    assert client.post("/large-transfer").json() == 7


def test_a_test_can_let_the_proof_run_out(app, clock):
    client = browser(app)
    set_session(app, client, ShopSession(**ADA), bound=True)
    clock.advance(LIFETIME)
    assert client.get("/who").json()[:2] == [None, "unbound"]


def test_a_bound_session_can_be_remembered_and_have_extras(mode, clock):
    app = bank(mode, clock=clock, remember=Lifetime(idle=14 * DAY, absolute=90 * DAY))
    session = ShopSession(**ADA)
    session.remember()
    client = browser(app)
    set_session(app, client, session, bound=True, extras={"flash": "hello"})
    assert client.get("/info").json()["remembered"]
    assert client.get("/view").json()["flash"] == "hello"
    assert client.post("/transfer").json() == 7


def test_what_a_client_holds_is_opened_with_its_device(app, clock):
    client = browser(app)
    set_session(app, client, ShopSession(**ADA), bound=True)
    info = opened_session(app, client).info
    assert (info.device_bound, info.bound_until.timestamp()) == (True, START + LIFETIME)
    clock.advance(LIFETIME)
    assert str(opened_session(app, client).info.status) == "unbound"


@pytest.mark.anyio
async def test_and_in_an_event_loop(app):
    async with in_process(app) as client:
        await set_session_async(app, client, ShopSession(**ADA), bound=True)
        session = await opened_session_async(app, client, ShopSession)
    assert (session.user_id, session.info.device_bound) == (7, True)


@pytest.mark.anyio
async def test_a_session_cannot_be_bound_where_the_application_does_not_bind(mode, clock):
    app = bank(mode, clock=clock, device_binding=None)
    client = browser(app)
    with pytest.raises(ConfigurationError, match=r"bound=True needs .* device_binding=DeviceBinding\(\)"):
        set_session(app, client, ShopSession(**ADA), bound=True)
    with pytest.raises(ConfigurationError, match="device_binding="):
        await set_session_async(app, client, ShopSession(**ADA), bound=True)
    with pytest.raises(ConfigurationError, match="device_binding="):
        await sealed_cookies_async(app, ShopSession(**ADA), bound=True)
    assert not client.cookies
