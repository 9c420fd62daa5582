"""Device binding beside the rest: several middlewares, mounts, root_path, binding=, paths, remembered sessions, sockets."""

import logging

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from fastsession import (
    ConfigurationError,
    DeviceBinding,
    Lifetime,
    SessionMiddleware,
)
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REFRESH, REGISTER, bank, with_staff
from tests.device_binding.modelled_browser import Browser, offer_in
from tests.shop import COOKIE, DAY, HOUR, IDLE, SECRET, START, ShopSession, shop
from tests.wire import call, http_scope


@pytest.fixture
def two(clock, mode):
    return Browser(with_staff(bank(mode, clock=clock), clock), clock)


def test_each_of_two_sessions_has_its_own_binding(two, clock):
    two.post("/login")
    two.post("/staff/login")
    assert len(two.bindings) == 2
    assert two.get("/staff/who").json() == ["ann", "valid", True]
    assert two.get("/shop/who").json() == [42, "valid", True]
    clock.advance(LIFETIME)
    assert two.get("/staff/who").json() == ["ann", "valid", True]
    assert two.get("/shop/who").json() == [42, "valid", True]
    assert two.count("POST /staff/device/refresh 200") == two.count(f"POST {REFRESH} 200") == 1


def test_one_response_may_offer_both(two):
    response = two.post("/both/login")
    assert len(response.headers.get_list("secure-session-registration")) == 2
    assert len(two.bindings) == 2
    assert two.get("/staff/who").json() == ["ann", "valid", True]
    assert two.get("/shop/who").json() == [42, "valid", True]


def test_ending_one_session_leaves_the_other_bound(two, clock):
    two.post("/both/login")
    two.post("/logout")
    clock.advance(LIFETIME)
    assert two.get("/staff/who").json() == ["ann", "valid", True]


@pytest.mark.parametrize("outer", [DeviceBinding(), DeviceBinding(900)], ids=["equal", "another lifetime"])
def test_two_middlewares_with_one_path_are_refused(clock, outer):
    app = with_staff(bank(clock=clock), clock, device_binding=outer)
    with pytest.raises(ConfigurationError, match="path"):
        TestClient(app, base_url="https://testserver").get("/staff/who")


def test_a_middleware_beside_it_may_go_without(clock):
    browser = Browser(with_staff(bank(clock=clock), clock, device_binding=None), clock)
    browser.post("/both/login")
    assert len(browser.bindings) == 1
    assert browser.get("/staff/who").json() == ["ann", "valid", False]


def test_two_middlewares_for_one_cookie_must_agree(clock):
    outer = FastAPI()
    outer.mount("/inner", shop(clock=clock))
    outer.add_middleware(
        SessionMiddleware, model=ShopSession, secret_key=SECRET, clock=clock, device_binding=DeviceBinding()
    )
    with pytest.raises(ConfigurationError, match="device_binding"):
        TestClient(outer, base_url="https://testserver").get("/inner/cart")


def test_two_middlewares_for_one_cookie_share_the_binding(clock):
    outer = FastAPI()
    outer.mount("/inner", bank(clock=clock))
    outer.add_middleware(
        SessionMiddleware, model=ShopSession, secret_key=SECRET, clock=clock, device_binding=DeviceBinding()
    )
    browser = Browser(outer, clock)
    browser.post("/inner/login")
    assert browser.log[-1] == f"POST {REGISTER} 200"
    clock.advance(LIFETIME)
    assert browser.get("/inner/who").json()[:3] == [42, "valid", True]


def test_a_mounted_application_is_bound_below_its_mount(clock, mode):
    outer = Starlette(routes=[Mount("/bank", bank(mode, clock=clock))])
    browser = Browser(outer, clock)
    response = browser.post("/bank/login")
    assert offer_in(response).path == f"/bank{REGISTER}"
    assert browser.binding.refresh_path == f"/bank{REFRESH}"
    clock.advance(LIFETIME)
    assert browser.get("/bank/who").json()[:3] == [42, "valid", True]
    assert browser.count(f"POST /bank{REFRESH} 200") == 1


def test_a_middleware_around_a_mount_is_bound_at_its_own_place(clock):
    inner = bank(clock=clock, device_binding=None)
    inner.user_middleware.clear()
    outer = Starlette(routes=[Mount("/bank", inner)])
    outer.add_middleware(
        SessionMiddleware, model=ShopSession, secret_key=SECRET, clock=clock, device_binding=DeviceBinding()
    )
    browser = Browser(outer, clock)
    assert offer_in(browser.post("/bank/login")).path == REGISTER
    assert browser.get("/bank/who").json()[:3] == [42, "valid", True]


def test_a_root_path_is_part_of_the_paths(clock, mode):
    """A proxy that serves the application under a prefix and tells it so."""
    browser = Browser(bank(mode, clock=clock), clock, root_path="/api")
    response = browser.post("/login")
    assert offer_in(response).path == f"/api{REGISTER}"
    assert browser.binding.refresh_path == f"/api{REFRESH}"
    clock.advance(LIFETIME)
    assert browser.get("/who").json()[:3] == [42, "valid", True]


@pytest.mark.parametrize("root_path", ["", "/api", "/s", "/session/device/ref"])
@pytest.mark.parametrize("put_back", [True, False])
def test_the_endpoints_are_found_whether_or_not_the_server_puts_the_root_path_back(clock, root_path, put_back):
    """uvicorn does; Hypercorn, Granian, Daphne and gunicorn leave the path as the proxy sends it."""
    scope = http_scope(root_path + REFRESH if put_back else REFRESH, method="POST")
    assert call(bank(clock=clock), {**scope, "root_path": root_path})[0]["status"] == 401


def test_a_root_path_that_a_header_cannot_hold_offers_nothing_broken(clock):
    browser = Browser(bank(clock=clock), clock, root_path='/a"b', registers=False)
    response = browser.client.post("/login", headers={})
    value = response.headers.get("secure-session-registration", "")
    assert '/a"b' not in value


def test_a_path_that_would_be_another_host_offers_nothing(clock):
    """A browser reads `//other.example/session/device/register` as an address, not as a path."""
    outer = Starlette(routes=[Mount("/{where:path}", bank(clock=clock))])
    sent = call(outer, http_scope("//other.example/login", method="POST"))
    names = [name for name, _ in sent[0]["headers"]]
    assert sent[0]["status"] == 200
    assert b"set-cookie" in names
    assert b"secure-session-registration" not in names


def test_excluded_paths_are_below_the_root_path_too(clock):
    app = bank(clock=clock, device_binding=DeviceBinding(exclude=["/static"]))
    browser = Browser(app, clock, root_path="/api")
    browser.post("/login")
    assert browser.binding.excluded == ["/api/static"]


def test_excluded_requests_are_not_held(clock):
    browser = Browser(bank(clock=clock, device_binding=DeviceBinding(exclude=["/public"])), clock)
    browser.post("/login")
    browser.log.clear()
    clock.advance(LIFETIME)
    browser.get("/public")
    assert browser.log == ["GET /public 200"]


def test_a_cookie_path_around_the_endpoints(clock):
    browser = Browser(bank(clock=clock, path="/session"), clock)
    browser.post("/login")
    assert browser.is_bound


def test_a_cookie_path_that_the_endpoints_lie_outside_of_offers_nothing(clock, caplog):
    """The endpoints would never see the cookie."""
    caplog.set_level(logging.WARNING, "fastsession")
    browser = Browser(bank(clock=clock, path="/shop"), clock)
    for _ in range(3):
        response = browser.client.post("/login")
        assert offer_in(response) is None
        assert "device" not in " ".join(response.headers.get_list("set-cookie"))
    warnings = [record for record in caplog.records if "DeviceBinding" in record.getMessage()]
    assert len(warnings) == 1


@pytest.mark.parametrize("path", ["/sess", "/session/dev"])
def test_a_path_that_only_begins_alike_is_outside(clock, path):
    browser = Browser(bank(clock=clock, path=path), clock)
    assert offer_in(browser.client.post("/login")) is None


def test_a_binding_of_the_application_is_independent(clock, mode):
    app = bank(mode, clock=clock, binding=lambda connection: connection.headers.get("x-tenant", "").encode())
    browser = Browser(app, clock)
    tenant = [("x-tenant", "one")]
    browser.registers = False
    browser.post("/login", headers=tenant)
    # The browser's own POSTs go to the same tenant.
    from tests.device_binding.device_key import DeviceKey
    from tests.device_binding.modelled_browser import response_header

    key = DeviceKey()
    proof = response_header(key.registration(browser.offers[-1].challenge))
    assert browser.send("POST", REGISTER, [proof]).status_code == 400
    assert browser.send("POST", REGISTER, [proof, *tenant]).status_code == 200
    assert browser.get("/who", headers=tenant).json() == [42, "valid", True, START + LIFETIME]
    assert browser.get("/who").json()[:2] == [None, "binding"]


# Remembered sessions.


@pytest.fixture
def remembered(clock, mode):
    app = bank(mode, clock=clock, remember=Lifetime(14 * DAY, 90 * DAY))
    browser = Browser(app, clock)
    browser.post("/login")
    browser.post("/remember/true")
    return browser


def test_a_remembered_session_stays_bound_over_a_restart(remembered, clock):
    remembered.close()
    clock.advance(8 * HOUR)
    assert remembered.get("/who").json()[:3] == [42, "valid", True]


def test_a_remembered_jar_that_is_copied_from_a_closed_browser_is_worthless(remembered, clock):
    remembered.close()
    thief = remembered.stolen()
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[:2] == [None, "unbound"]
    clock.advance(2 * DAY)
    assert remembered.get("/who").json()[:3] == [42, "valid", True]
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def test_a_remembered_cookie_from_before_the_registration_is_bound_by_it(clock, mode):
    """Written by the page after the login, and on disk for days: with a mark in the session it would stay unmarked."""
    browser = Browser(bank(mode, clock=clock, remember=Lifetime(14 * DAY, 90 * DAY)), clock, registers=False)
    browser.post("/login")
    browser.post("/remember/true")
    early = browser.cookies()[COOKIE]
    browser.register()
    header = browser.cookie_header(**{COOKIE: early})
    assert Browser(browser.app, clock).client.get("/who", headers={"cookie": header}).json()[2] is True
    clock.advance(LIFETIME)
    thief = browser.stolen()
    thief.taken = {COOKIE: early, DEVICE: browser.cookies()[DEVICE]}
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def test_a_year_of_a_remembered_session(clock):
    app = bank(clock=clock, remember=Lifetime(30 * DAY, 365 * DAY))
    browser = Browser(app, clock)
    browser.post("/login")
    browser.post("/remember/true")
    for _ in range(36):
        browser.close()
        clock.advance(10 * DAY)
        assert browser.get("/who").json()[:3] == [42, "valid", True]
    clock.advance(5 * DAY)
    assert browser.get("/who").json()[0] is None


# WebSocket.


def socket(browser, path="/live"):
    header = browser.cookie_header()
    with browser.client.websocket_connect(path, headers={"cookie": header}) as connection:
        return connection.receive_json()


def test_a_socket_of_a_proven_session(user):
    assert socket(user) == [42, "valid", True, START + LIFETIME]


def test_a_socket_without_a_proof(user, clock):
    thief = user.cookies()
    clock.advance(LIFETIME)
    header = "; ".join(f"{name}={value}" for name, value in thief.items())
    with user.client.websocket_connect("/live", headers={"cookie": header}) as connection:
        assert connection.receive_json()[:2] == [None, "unbound"]


def test_a_handshake_that_signs_in_offers_a_binding(app, clock):
    from fastapi import WebSocket

    from tests.shop import Current

    @app.websocket("/sign-in")
    async def sign_in(websocket: WebSocket, session: Current) -> None:
        session.regenerate()
        session.user_id = 42
        await websocket.accept()
        await websocket.close()

    client = TestClient(app, base_url="https://testserver")
    with client.websocket_connect("/sign-in") as connection:
        headers = {name.decode(): value.decode() for name, value in connection.extra_headers}
    # Chromium looks for the header in responses to requests; a handshake's is one.
    assert "set-cookie" in headers


def test_an_unbound_handshake_saves_nothing(user, clock):
    from fastapi import WebSocket

    from tests.shop import Current

    @user.app.websocket("/add")
    async def add(websocket: WebSocket, session: Current) -> None:
        session.cart.append("tea")
        await websocket.accept()
        await websocket.close()

    thief = user.cookies()
    clock.advance(LIFETIME)
    header = "; ".join(f"{name}={value}" for name, value in thief.items())
    with user.client.websocket_connect("/add", headers={"cookie": header}) as connection:
        assert [name for name, _ in connection.extra_headers if name == b"set-cookie"] == []
    user.client.cookies.clear()
    assert user.get("/cart").json() == []


def test_a_socket_on_an_endpoints_path_is_the_applications(app, user):
    from fastapi import WebSocket

    @app.websocket(REFRESH)
    async def own(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json("the application's")
        await websocket.close()

    assert socket(user, REFRESH) == "the application's"


def test_the_session_ends_by_its_own_clocks_while_it_is_refreshed(user, clock):
    while clock.now < START + 12 * HOUR - LIFETIME:
        clock.advance(LIFETIME)
        assert user.get("/who").json()[:3] == [42, "valid", True]
    clock.advance(LIFETIME)
    assert user.get("/who").json()[0] is None
    assert user.get("/who").json()[0] is None
    assert not user.is_bound


def test_a_bound_cookie_near_its_end_is_renewed_beside_requests(user, clock):
    clock.advance(LIFETIME - 60)
    user.get("/who")
    assert user.count(f"POST {REFRESH} 200") == 1
    assert user.seconds_kept(BOUND) == LIFETIME
    clock.advance(IDLE // 4)
    assert user.get("/who").json()[:3] == [42, "valid", True]
