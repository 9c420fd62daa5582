"""What happens when something fails: the contract's table of failures, with the modelled browser."""

import asyncio

import pytest

from fastsession import DeviceBinding, StoreUnavailableError
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REFRESH, REGISTER, bank, opened
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import Browser, challenge_in, offer_in, response_header
from tests.device_binding.test_registering import check_headers
from tests.shop import COOKIE, IDLE, OLD_SECRET, SECRET, START, set_cookies
from tests.wire import exchange, http_scope


class Answering:
    """An application in front of which something answers the two POSTs."""

    def __init__(self, app):
        self.app, self.status = app, None

    async def __call__(self, scope, receive, send):
        if self.status is not None and scope["type"] == "http" and scope["path"] in (REGISTER, REFRESH):
            headers = [(b"location", b"/login")] if self.status == 302 else []
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)


@pytest.fixture(params=["reject", "allow"])
def without_proof(request):
    return request.param


@pytest.fixture
def layer(mode, clock, events, without_proof):
    options = {"clock": clock, "on_event": events.append}
    return Answering(bank(mode, **options, device_binding=DeviceBinding(without_proof=without_proof)))


@pytest.fixture
def user(layer, clock):
    browser = Browser(layer, clock)
    browser.post("/login")
    browser.log.clear()
    return browser


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_transient_failure_costs_one_answer(user, layer, clock, without_proof, status):
    clock.advance(LIFETIME)
    layer.status = status
    seen = user.get("/who").json()
    assert seen[:2] == ([None, "unbound"] if without_proof == "reject" else [42, "valid"])
    assert COOKIE in user.cookies()
    assert user.is_bound
    layer.status = None
    assert user.get("/who").json() == [42, "valid", True, START + 2 * LIFETIME]


def test_a_change_of_an_unproven_answer_is_not_made(user, layer, clock, without_proof):
    clock.advance(LIFETIME)
    layer.status = 503
    user.get("/page")
    layer.status = None
    assert user.get("/cart").json() == ([] if without_proof == "reject" else ["seen"])


@pytest.mark.parametrize("status", [302, 401, 404])
def test_a_binding_that_is_lost_is_a_new_sign_in(user, layer, clock, without_proof, status):
    clock.advance(LIFETIME)
    layer.status = status
    user.get("/who")
    assert not user.is_bound
    layer.status = None
    seen = user.get("/who").json()
    assert seen[:2] == ([None, "unbound"] if without_proof == "reject" else [42, "valid"])
    user.post("/login")
    assert user.is_bound
    assert user.get("/who").json() == [42, "valid", True, START + 2 * LIFETIME]


def test_a_lost_key_is_a_new_sign_in(user, clock):
    """Cleared site data, a profile moved to another device, a security chip that was reset."""
    user.bindings.clear()
    assert user.get("/who").json()[:3] == [42, "valid", True]
    clock.advance(LIFETIME)
    user.post("/login")
    assert user.get("/who").json() == [42, "valid", True, START + 2 * LIFETIME]


@pytest.mark.parametrize("status", [400, 403, 500, 503, 302, 404])
def test_a_registration_that_fails_leaves_the_session_unbound(layer, clock, status):
    browser = Browser(layer, clock)
    layer.status = status
    browser.post("/login")
    layer.status = None
    assert not browser.is_bound
    assert browser.get("/who").json() == [42, "valid", False, None]
    clock.advance(IDLE // 4)
    browser.get("/who")
    assert list(browser.cookies()) == [COOKIE]
    assert browser.get("/who").json() == [42, "valid", False, None]


def test_a_browser_that_registers_but_loses_the_answer_is_a_new_sign_in(layer, clock, without_proof):
    """Its device cookie came, or did not; never is a session left that nobody can use and nobody can replace."""
    browser = Browser(layer, clock, registers=False)
    browser.post("/login")
    jar = browser.jar
    from copy import deepcopy

    before = deepcopy(jar._cookies)
    browser.register()
    jar._cookies = before
    browser.bindings.clear()
    # Without revocations it goes on unbound; with them the unclaimed pair is denied.
    assert browser.get("/who").json()[1] in ("valid", "unbound")
    browser.registers = True
    browser.post("/login")
    assert browser.get("/who").json()[:3] == [42, "valid", True]


def test_plain_http_stays_unbound(mode, clock):
    app = bank(mode, clock=clock)
    browser = Browser(app, clock, site="http://testserver")
    browser.post("/login")
    assert not browser.is_bound


def test_a_browser_that_was_closed_asks_once_and_is_quiet(user, clock):
    user.close()
    clock.advance(LIFETIME)
    assert user.get("/who").json()[:2] == [None, "absent"]
    user.get("/who")
    assert user.log.count(f"POST {REFRESH} 401") == 1
    assert not user.is_bound


def test_a_logout_in_another_tab_is_one_401(user, clock):
    user.post("/logout")
    assert user.get("/who").json()[:2] == [None, "absent"]
    user.get("/who")
    assert user.log.count(f"POST {REFRESH} 401") == 1
    assert not user.is_bound


def test_a_slow_answer_from_before_a_login_leaves_no_other_session(user, clock):
    """The old session with the new device cookie: unbound, where it would silently be the old session."""
    slow = user.cookies()
    user.jar.receive(_request(user), b"unrelated=1; Path=/")
    old_answer = user.client.request(
        "POST", "/cart/tea", headers=[("cookie", "; ".join(f"{n}={v}" for n, v in slow.items()))]
    )
    user.client.cookies.clear()
    user.post("/login/7")
    assert user.get("/who").json()[0] == 7
    for line in set_cookies(old_answer):
        user.jar.receive(_request(user), line.encode())
    seen = user.get("/who").json()
    assert seen[:2] in ([None, "unbound"], [None, "revoked"])
    user.post("/login/7")
    assert user.get("/who").json()[:3] == [7, "valid", True]


def _request(browser):
    from tests.reference.cookie_jar import Request

    return Request(f"{browser.site}/")


def test_a_slow_answer_from_before_the_registration_does_not_unbind(layer, clock):
    """The page after the login rewrites the session cookie while registration runs, in either order."""
    browser = Browser(layer, clock, registers=False)
    browser.post("/login")
    header = browser.cookie_header()
    slow = browser.client.request("POST", "/cart/tea", headers=[("cookie", header)])
    browser.client.cookies.clear()
    browser.register()
    for line in set_cookies(slow):
        browser.jar.receive(_request(browser), line.encode())
    assert browser.get("/cart").json() == ["tea"]
    assert browser.get("/who").json() == [42, "valid", True, START + LIFETIME]


def test_a_registration_that_ends_late_does_not_undo_what_was_saved(layer, clock):
    browser = Browser(layer, clock, registers=False)
    browser.post("/login")
    browser.post("/cart/tea")
    browser.register()
    assert browser.get("/cart").json() == ["tea"]
    assert browser.get("/who").json() == [42, "valid", True, START + LIFETIME]


def test_a_refresh_from_before_a_login_brings_nothing_back(user, clock):
    """Its answer arrives after that of a login as somebody else: the bound cookie is of the old pair."""
    user.refreshes_early = False
    identifier = user.binding.identifier
    challenge = challenge_in(user.send("POST", REFRESH, [("sec-secure-session-id", identifier)]))
    header = user.cookie_header()
    proof = response_header(user.binding.key.refresh(challenge))
    slow = user.client.request(
        "POST", REFRESH, headers=[("cookie", header), ("sec-secure-session-id", identifier), proof]
    )
    user.client.cookies.clear()
    assert slow.status_code == 200
    user.post("/login/7")
    for line in set_cookies(slow):
        user.jar.receive(_request(user), line.encode())
    # The bound cookie is there, so the browser does not refresh until it is over: unproven, and never the other user.
    assert user.get("/who").json()[0] in (7, None)
    clock.advance(LIFETIME)
    assert user.get("/who").json()[:3] == [7, "valid", True]


def test_parallel_requests_are_all_served(layer, user, clock):
    """Five requests and a refresh beside one another, whose answers come in any order."""
    clock.advance(LIFETIME - 60)
    header = user.cookie_header().encode()

    async def five():
        paths = ["/who", "/cart", "/info", "/view", "/page"]
        scopes = [http_scope(path, headers=[(b"cookie", header)]) for path in paths]
        return await asyncio.gather(*(exchange(layer, scope) for scope in scopes))

    answers = asyncio.run(five())
    assert [messages[0]["status"] for messages in answers] == [200] * 5


def test_clocks_that_differ_too_much(user, clock):
    """More than 30 s between servers: as a session from the future."""
    user.get("/who")
    clock.advance(-31)
    assert user.stolen().get("/who").json()[0] is None
    clock.advance(31)
    assert user.get("/who").json()[:2] == [42, "valid"]


# Rotation of the secret.


@pytest.fixture
def deployments(clock, without_proof):
    def deploy(*secrets):
        primary, *fallbacks = secrets
        return bank(
            clock=clock,
            secret_key=primary,
            secret_key_fallbacks=fallbacks,
            device_binding=DeviceBinding(without_proof=without_proof),
        )

    return deploy


def moved(browser, app, clock):
    other = Browser(app, clock)
    other.jar, other.bindings, other.log = browser.jar, browser.bindings, browser.log
    return other


def test_a_rotation_ends_no_session(deployments, clock):
    user = Browser(deployments(SECRET), clock)
    user.post("/login")
    user = moved(user, deployments(SECRET, OLD_SECRET), clock)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    user = moved(user, deployments(OLD_SECRET, SECRET), clock)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    # One renewal and one refresh later the old secret can go.
    clock.advance(LIFETIME)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    user = moved(user, deployments(OLD_SECRET), clock)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    clock.advance(LIFETIME)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    assert opened(DEVICE, user.cookies()[DEVICE], secret=OLD_SECRET).payload == user.binding.key.compressed


def test_a_renewal_alone_does_not_reseal_the_device_cookie(deployments, clock):
    user = Browser(deployments(SECRET), clock)
    user.post("/login")
    device = user.cookies()[DEVICE]
    user = moved(user, deployments(OLD_SECRET, SECRET), clock)
    user.get("/who")
    assert user.cookies()[DEVICE] == device


def test_a_bad_deploy_ends_no_binding(deployments, clock):
    """One without the right secret: unknown_key while it is there, and nothing is lost when it is gone."""
    user = Browser(deployments(SECRET), clock)
    user.post("/login")
    clock.advance(LIFETIME)
    bad = moved(user, deployments(OLD_SECRET), clock)
    assert bad.get("/who").json()[:2] == [None, "unknown_key"]
    assert bad.log[-2:] == [f"POST {REFRESH} 503", "GET /who 200"]
    assert bad.is_bound
    good = moved(bad, deployments(SECRET), clock)
    assert good.get("/who").json()[:3] == [42, "valid", True]


def test_a_rotation_during_registration(deployments, clock):
    browser = Browser(deployments(SECRET), clock, registers=False)
    browser.post("/login")
    other = moved(browser, deployments(OLD_SECRET, SECRET), clock)
    other.offers = browser.offers
    assert other.register().status_code == 200
    assert opened(DEVICE, other.cookies()[DEVICE], secret=OLD_SECRET).payload == other.binding.key.compressed


def test_a_rotation_strands_no_browser_without_the_feature(deployments, clock):
    """A device cookie without a key is never sealed again: the offer is given up before its secret may go."""
    browser = Browser(deployments(SECRET), clock, binds=False)
    browser.post("/login")
    rotated = moved(browser, deployments(OLD_SECRET, SECRET), clock)
    # Due at once, because a fallback sealed it; the offer may still be taken.
    rotated.get("/who")
    assert rotated.get("/who").json() == [42, "valid", False, None]
    clock.advance(IDLE // 4)
    rotated.get("/who")
    assert list(rotated.cookies()) == [COOKIE]
    retired = moved(rotated, deployments(OLD_SECRET), clock)
    assert retired.get("/who").json() == [42, "valid", False, None]


def test_the_open_challenge_is_asked_again_after_a_rotation(deployments, clock):
    user = Browser(deployments(SECRET), clock)
    user.post("/login")
    user.refresh()
    rotated = moved(user, deployments(OLD_SECRET, SECRET), clock)
    rotated.get("/who")
    assert rotated.refresh()
    retired = moved(rotated, deployments(OLD_SECRET), clock)
    clock.advance(LIFETIME)
    assert retired.get("/who").json()[:3] == [42, "valid", True]


# Backends that fail.


class Failing:
    """A store or revocations that can be switched off."""

    down = False

    def _check(self):
        if self.down:
            message = "switched off by the test"
            raise StoreUnavailableError(message)


class FailingStore(Failing, MemoryStore):
    async def read(self, *arguments, **named):
        self._check()
        return await super().read(*arguments, **named)


class FailingRevocations(Failing, MemoryRevocations):
    def denied(self, *arguments):
        self._check()
        return super().denied(*arguments)

    async def deny_session(self, *arguments, **named):
        self._check()
        await super().deny_session(*arguments, **named)


@pytest.fixture(params=["store", "revocations"])
def failing(request, clock):
    kind = {"store": FailingStore, "revocations": FailingRevocations}[request.param]
    return request.param, kind(clock=clock)


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
def test_a_backend_that_is_down_ends_no_binding(clock, failing, outage):
    option, backend = failing
    app = bank(clock=clock, store_outage=outage, **{option: backend})
    user = Browser(app, clock)
    user.post("/login")
    clock.advance(LIFETIME)
    backend.down = True
    user.get("/who")
    assert f"POST {REFRESH} 503" in user.log
    assert user.is_bound
    backend.down = False
    assert user.get("/who").json()[:3] == [42, "valid", True]


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
def test_a_registration_while_a_backend_is_down_is_503(clock, failing, outage):
    option, backend = failing
    app = bank(clock=clock, store_outage=outage, **{option: backend})
    browser = Browser(app, clock, registers=False)
    browser.post("/login")
    offer, key = browser.offers[-1], DeviceKey()
    backend.down = True
    response = browser.send("POST", REGISTER, [response_header(key.registration(offer.challenge))])
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (503, [])
    backend.down = False
    response = browser.send("POST", REGISTER, [response_header(key.registration(offer.challenge))])
    assert response.status_code == 200


def test_a_denial_that_fails_registers_nothing(clock):
    """With revocations, registration denies the unclaimed pair: without that the key is not written."""

    class NoWrites(MemoryRevocations):
        async def deny_session(self, *arguments, **named):
            message = "read only"
            raise StoreUnavailableError(message)

    browser = Browser(bank(clock=clock, revocations=NoWrites(clock=clock)), clock, registers=False)
    browser.post("/login")
    response = browser.register()
    assert (response.status_code, set_cookies(response)) == (503, [])
    assert browser.get("/who").json() == [42, "valid", False, None]


def test_a_login_is_offered_once(user):
    assert offer_in(user.get("/who")) is None
    assert offer_in(user.get("/info")) is None


def test_two_logins_side_by_side(layer, clock):
    """Two tabs sign in; their answers and registrations are interleaved. One of them counts, whole or not at all."""
    first, second = Browser(layer, clock, registers=False), Browser(layer, clock, registers=False)
    first.post("/login")
    second.jar = first.jar
    second.post("/login")
    first.register()
    second.register()
    seen = second.get("/who").json()
    assert seen[:2] in ([42, "valid"], [None, "unbound"])
    third = Browser(layer, clock)
    third.jar = second.jar
    third.post("/login")
    assert third.get("/who").json()[:3] == [42, "valid", True]
    assert BOUND in third.cookies()
