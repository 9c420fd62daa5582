"""The option's values and what they exclude, what routes ask for, and what the session says of itself."""

import dataclasses
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request

import fastsession.device_binding
from fastsession import ConfigurationError, DeviceBinding, Session, SessionMiddleware, SessionStatus, require
from fastsession.events import EventKind
from fastsession.formats import IronSession
from fastsession.testing import sealed_cookies
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank
from tests.device_binding.modelled_browser import Browser
from tests.shop import COOKIE, SECRET, START, ShopSession
from tests.shop import browser as client_of

DAY = 86_400


def test_the_defaults_are_the_documented_ones():
    binding = DeviceBinding()
    assert binding == DeviceBinding(timedelta(minutes=10), without_proof="reject", path="/session/device", exclude=())
    with pytest.raises(dataclasses.FrozenInstanceError):
        binding.path = "/elsewhere"


@pytest.mark.parametrize("lifetime", [180, 180.0, timedelta(minutes=3), 400 * DAY, timedelta(days=400)])
def test_a_proof_may_count_from_three_minutes_to_400_days(lifetime):
    DeviceBinding(lifetime)


@pytest.mark.parametrize("lifetime", [179, 0, -600, timedelta(seconds=179), 400 * DAY + 1, "600", None, True])
def test_other_lifetimes_are_refused(lifetime):
    with pytest.raises(ConfigurationError, match="180"):
        DeviceBinding(lifetime)


def test_the_shortest_lifetime_is_a_constant_that_tests_may_lower(monkeypatch):
    assert timedelta(seconds=180) == fastsession.device_binding.SHORTEST_LIFETIME
    monkeypatch.setattr("fastsession.device_binding.SHORTEST_LIFETIME", timedelta(seconds=2))
    DeviceBinding(2)
    with pytest.raises(ConfigurationError):
        DeviceBinding(1)


@pytest.mark.parametrize("without_proof", ["", "Reject", "deny", None, True])
def test_without_proof_is_reject_or_allow(without_proof):
    with pytest.raises(ConfigurationError, match="allow"):
        DeviceBinding(without_proof=without_proof)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "session",
        "session/device",
        "/a/",
        "/a?b",
        "/a#b",
        '/a"b',
        "/a b",
        "/a\nb",
        "/a/../b",
        "/ä",
        None,
    ],
)
def test_a_path_that_no_browser_would_post_to_is_refused(path):
    with pytest.raises(ConfigurationError, match="path"):
        DeviceBinding(path=path)


@pytest.mark.parametrize("exclude", ["/static", ["static"], [""], [None], 7, ['/a"b\n']])
def test_what_is_excluded_is_a_list_of_paths(exclude):
    with pytest.raises(ConfigurationError, match="exclude"):
        DeviceBinding(exclude=exclude)


def test_what_is_excluded_may_come_from_anywhere():
    assert DeviceBinding(exclude=(path for path in ["/a", "/b"])).exclude == ("/a", "/b")


@pytest.mark.parametrize(
    "initiators",
    [
        *("app.example.com", ["*"], ["*.*"], ["https://app.example.com"], ["app.example.com:443"], ["App.example.com"]),
        *([""], ["a b.com"], ['a".com'], ["-a.com"], ["a..com"], ["localhost"], [None], 7),
    ],
    ids=str,
)
def test_an_initiator_is_a_host_of_the_site(initiators):
    with pytest.raises(ConfigurationError, match="initiators"):
        DeviceBinding(initiators=initiators)


def test_the_browser_is_told_the_initiators(clock):
    told = []
    for initiators in ([], ["app.example.com", "*.example.com"]):
        browser = Browser(
            bank(clock=clock, device_binding=DeviceBinding(initiators=initiators)), clock, registers=False
        )
        browser.post("/login")
        told.append(browser.register().json())
    assert "allowed_refresh_initiators" not in told[0]
    assert told[1]["allowed_refresh_initiators"] == ["app.example.com", "*.example.com"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"format": IronSession(password="twelve grey herons stand below the 8th weir", cookie_name="s")}, "format"),
        ({"https_only": False}, "https_only"),
        ({"partitioned": True}, "partitioned"),
        ({"domain": "example.com"}, "domain"),
    ],
)
def test_it_does_not_go_with_options_that_it_cannot_keep(options, named):
    with pytest.raises(ConfigurationError, match=named):
        SessionMiddleware(None, secret_key=SECRET, device_binding=DeviceBinding(), **options)
    with pytest.raises(ConfigurationError, match=named):
        SessionMiddleware.with_options(secret_key=SECRET, device_binding=DeviceBinding(), **options)


@pytest.mark.parametrize("given", [True, False, 600, "reject", DeviceBinding])
def test_the_option_takes_a_device_binding(given):
    with pytest.raises(ConfigurationError, match="DeviceBinding"):
        SessionMiddleware(None, secret_key=SECRET, device_binding=given)


def test_an_application_without_it_imports_nothing_of_it():
    code = (
        "import sys, fastsession; from starlette.applications import Starlette\n"
        "app = fastsession.SessionMiddleware(Starlette(), secret_key=fastsession.generate_key())\n"
        "print([name for name in sys.modules if 'device_binding.' in name or name.endswith('.ec')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unbound_is_a_status_and_three_events_have_their_levels():
    assert SessionStatus.UNBOUND == "unbound"
    assert [(str(kind), kind.level, kind.floods) for kind in (EventKind.BOUND, EventKind.REFRESHED)] == [
        ("bound", 20, False),
        ("refreshed", 10, False),
    ]
    assert (str(EventKind.PROOF_FAILED), EventKind.PROOF_FAILED.level, EventKind.PROOF_FAILED.floods) == (
        "proof_failed",
        30,
        True,
    )


def test_a_model_without_a_request_is_not_bound():
    info = Session().info
    assert (info.device_bound, info.bound_until) == (False, None)


def test_the_session_tells_that_it_is_bound_and_until_when(user):
    info = user.get("/info").json()
    assert info["device_bound"] is True
    assert datetime.fromisoformat(info["bound_until"]) == datetime.fromtimestamp(START + LIFETIME, UTC)


def test_the_session_tells_that_it_is_not_bound(app, clock):
    browser = Browser(app, clock, binds=False)
    browser.post("/login")
    info = browser.get("/info").json()
    assert (info["status"], info["device_bound"], info["bound_until"]) == ("valid", False, None)


def test_a_route_may_ask_for_a_live_proof(user, clock):
    assert user.post("/transfer").json() == 42
    thief = user.stolen()
    clock.advance(LIFETIME)
    assert thief.post("/transfer").status_code == 403
    assert user.post("/transfer").json() == 42


def test_an_unbound_session_does_not_pass_for_a_proven_one(app, clock, offered):
    assert offered.get("/who").json()[:2] == [42, "valid"]
    assert offered.post("/transfer").status_code == 403
    browser = Browser(app, clock, binds=False)
    browser.post("/login")
    assert browser.post("/transfer").status_code == 403


def test_a_proof_that_a_route_asks_for_by_itself_needs_the_option_too(clock):
    """No start-up check sees it."""
    app = bank(clock=clock, device_binding=None)
    proven = require(ShopSession, lambda session: session.user_id, bound=True)

    @app.post("/quiet-transfer")
    async def transfer(request: Request) -> int | None:
        session: ShopSession = await proven(request)
        return session.user_id

    client = client_of(app)
    client.post("/login")
    with pytest.raises(ConfigurationError, match="device_binding=DeviceBinding"):
        client.post("/quiet-transfer")


def test_a_live_proof_does_not_make_up_for_the_condition(visitor):
    visitor.post("/login/0")
    assert visitor.is_bound
    assert visitor.post("/transfer").status_code == 403


def test_bound_and_fresh_are_both_asked_for(user, clock):
    assert user.post("/large-transfer").json() == 42
    clock.advance(61)
    assert user.post("/large-transfer").status_code == 403
    assert user.post("/transfer").json() == 42
    user.post("/confirm-password")
    assert user.post("/large-transfer").json() == 42


def test_a_condition_is_not_needed_to_ask_for_a_proof_with_a_model():
    require(ShopSession, lambda session: session.user_id, bound=True)


def test_a_session_of_a_dependency_override_counts_as_bound(app):
    # As with fresh=: it belongs to no request.
    from fastsession import get_session

    app.dependency_overrides[get_session] = lambda: ShopSession(user_id=7)
    assert client_of(app).post("/transfer").json() == 7


def test_tests_get_the_three_cookies_of_a_proven_session(app):
    client = client_of(app)
    cookies = sealed_cookies(app, ShopSession(user_id=7), bound=True)
    assert list(cookies) == [COOKIE, DEVICE, BOUND]
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert client.post("/transfer", headers={"cookie": header}).json() == 7
    assert client.get("/who", headers={"cookie": header}).json() == [7, "valid", True, START + LIFETIME]


def test_tests_get_the_session_cookie_alone_unless_they_ask_for_more(app):
    assert list(sealed_cookies(app, ShopSession(user_id=7))) == [COOKIE]


def test_tests_cannot_bind_where_the_application_does_not(clock):
    with pytest.raises(ConfigurationError, match="device_binding"):
        sealed_cookies(bank(clock=clock, device_binding=None), ShopSession(user_id=7), bound=True)
