"""`regenerate()` and the pair: carried over for the same subject with a live proof, else a new one. Never fixed."""

import pytest
from fastapi import FastAPI, Request
from pydantic import field_validator

from fastsession import CurrentSession, DeviceBinding, Session, SessionMiddleware
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, REGISTER, bank, challenge_name, opened
from tests.device_binding.modelled_browser import Browser, offer_in
from tests.device_binding.test_cookies import written
from tests.shop import ABSOLUTE, COOKIE, SECRET, START


class Nameless(Session):
    """A model that does not say whose session it is."""

    user_id: int | None = None
    cart: list[str] = []
    note: str = ""


def pair(browser):
    return opened(DEVICE, browser.cookies()[DEVICE]).id


def test_a_login_offers_to_bind(offered):
    offered.offers.clear()
    response = offered.post("/login")
    offer = offer_in(response)
    assert offer.path == REGISTER
    challenge = opened(challenge_name("register"), offer.challenge)
    assert (challenge.id, challenge.renewed_at, challenge.payload) == (pair(offered), START, b"")
    assert len(offer.challenge) == 151


def test_an_offer_comes_with_a_redirect(visitor):
    response = visitor.post("/login-and-redirect")
    assert (response.status_code, offer_in(response) is not None) == (303, True)
    assert visitor.get("/who").json() == [42, "valid", True, START + LIFETIME]


def test_nothing_but_a_login_offers(visitor):
    assert offer_in(visitor.post("/cart/tea")) is None
    assert offer_in(visitor.get("/cart")) is None
    assert list(visitor.cookies()) == [COOKIE]


def test_a_login_that_fails_offers_nothing(visitor):
    from fastapi import Response

    from tests.shop import Current

    async def fail(session: Current) -> Response:
        session.regenerate()
        return Response(status_code=500)

    async def raise_it(session: Current) -> None:
        session.regenerate()
        raise RuntimeError

    async def leave(session: Current) -> None:
        session.regenerate()
        session.destroy()

    for name, route in (("/fail", fail), ("/raise", raise_it), ("/leave", leave)):
        visitor.app.add_api_route(name, route, methods=["POST"])
        response = visitor.post(name)
        assert offer_in(response) is None, name
        assert DEVICE not in visitor.cookies(), name


CLOSED: set[int] = set()


class Account(Session):
    user_id: int | None = None

    @field_validator("user_id")
    @classmethod
    def is_open(cls, user_id: int | None) -> int | None:
        if user_id in CLOSED:
            raise ValueError("no such account")
        return user_id

    def subject(self) -> str | None:
        return None if self.user_id is None else str(self.user_id)


@pytest.fixture
def closed():
    yield CLOSED
    CLOSED.clear()


def test_whoever_moves_to_another_account_gets_a_new_pair_though_the_old_one_is_no_longer_accepted(clock, closed):
    app = FastAPI()
    app.add_middleware(SessionMiddleware, model=Account, secret_key=SECRET, device_binding=DeviceBinding(), clock=clock)

    @app.post("/sign-in/{user_id}")
    async def sign_in(user_id: int, session: CurrentSession[Account]) -> None:
        closed.update({session.user_id} - {None})
        session.regenerate()
        session.user_id = user_id

    browser = Browser(app, clock)
    browser.post("/sign-in/1")
    before = pair(browser)
    assert browser.post("/sign-in/2").status_code == 200
    assert pair(browser) != before
    assert browser.is_bound


def test_two_logins_have_two_pairs(app, clock):
    first, second = Browser(app, clock), Browser(app, clock)
    for browser in (first, second):
        browser.post("/login")
    assert pair(first) != pair(second)
    first.post("/logout")
    before = pair(second)
    second.post("/logout")
    second.post("/login")
    assert pair(second) != before


def test_a_second_sign_in_of_a_proven_user_stays_bound(user):
    before, key = pair(user), user.binding.key
    response = user.post("/confirm-password")
    assert (written(response), offer_in(response)) == ([COOKIE, DEVICE], None)
    assert (pair(user), user.binding.key) == (before, key)
    assert opened(DEVICE, user.cookies()[DEVICE]).payload == key.compressed
    assert user.post("/large-transfer").json() == 42


def test_the_device_cookie_lasts_as_long_as_the_session_that_goes_on(user, clock):
    """The absolute timeout begins again with the second sign-in."""
    for _ in range(2):
        for _ in range(ABSOLUTE // LIFETIME - 1):
            clock.advance(LIFETIME)
            assert user.get("/who").json()[:3] == [42, "valid", True]
        user.post("/confirm-password")
    assert user.seconds_kept(DEVICE) == ABSOLUTE


def test_it_has_a_new_id(user):
    before = user.get("/info").json()["id"]
    user.post("/confirm-password")
    assert user.get("/info").json()["id"] != before


def test_a_login_as_the_same_user_stays_bound_too(user):
    before = pair(user)
    assert offer_in(user.post("/login/42")) is None
    assert pair(user) == before
    assert user.get("/who").json() == [42, "valid", True, START + LIFETIME]


def test_a_login_as_another_user_gets_a_new_pair(user):
    before = pair(user)
    response = user.post("/login/7")
    assert written(response) == sorted([COOKIE, DEVICE, f"-{BOUND}"])
    assert offer_in(response) is not None
    assert pair(user) != before
    assert user.get("/who").json()[0] == 7


def test_a_session_that_becomes_nobodys_gets_a_new_pair(user):
    before = pair(user)
    assert offer_in(user.post("/become-nobody")) is not None
    assert pair(user) != before


def test_a_session_that_was_nobodys_gets_a_new_pair(user):
    user.post("/become-nobody")
    before = pair(user)
    assert user.get("/who").json()[:3] == [None, "valid", True]
    assert offer_in(user.post("/become-nobody")) is not None
    assert pair(user) != before
    before = pair(user)
    assert offer_in(user.post("/login")) is not None
    assert pair(user) != before


def test_a_model_without_a_subject_never_carries_its_pair_over(mode, clock):
    app = bank(mode, clock=clock, model=Nameless)
    app.add_api_route("/sign-in", sign_in, methods=["POST"])
    user = Browser(app, clock)
    user.post("/sign-in")
    before = pair(user)
    assert offer_in(user.post("/sign-in")) is not None
    assert pair(user) != before
    assert user.is_bound


async def sign_in(request: Request) -> None:
    from fastsession import get_session

    session = await get_session(request)
    session.regenerate()
    session.user_id = 42


def test_an_offer_that_was_not_taken_is_replaced(offered):
    before = pair(offered)
    assert offer_in(offered.post("/confirm-password")) is not None
    assert pair(offered) != before


def test_without_a_live_proof_the_pair_is_new(user, clock):
    clock.advance(LIFETIME)
    before = pair(user)
    assert offer_in(user.ask("POST", "/login", held=False)) is not None
    assert pair(user) != before


@pytest.mark.parametrize("binds", [True, False], ids=["bound", "without the feature"])
def test_nobody_can_bind_a_victims_login_to_a_key_of_theirs(app, clock, binds):
    """Binding fixation: the three cookies of the thief's own bound session are planted in the victim's browser."""
    thief, victim = Browser(app, clock), Browser(app, clock, binds=binds)
    thief.post("/login/7")
    victim.plant(thief.cookies())
    assert victim.get("/who").json()[:3] == [7, "valid", True]
    victim.post("/login/42")
    assert pair(victim) != pair(thief)
    assert victim.get("/who").json() == [42, "valid", binds, START + LIFETIME if binds else None]
    # The victim's cookies in the thief's hands, who has the key of the planted session.
    stolen = Browser(app, clock)
    stolen.plant(victim.cookies())
    stolen.bindings = thief.bindings
    stolen.forget(BOUND)
    clock.advance(1)
    assert stolen.get("/who").json()[:2] == ([None, "unbound"] if binds else [42, "valid"])
    assert stolen.post("/transfer").status_code == 403
    assert not stolen.is_bound


def test_nobody_can_plant_an_offer_that_a_victim_takes(app, clock):
    """As before, with a session whose offer the thief has not taken yet."""
    thief, victim = Browser(app, clock, registers=False), Browser(app, clock)
    thief.post("/login/7")
    victim.plant(thief.cookies())
    victim.post("/login/42")
    assert pair(victim) != pair(thief)
    thief.plant(victim.cookies())
    assert thief.register().status_code == 400
    assert victim.get("/who").json() == [42, "valid", True, START + LIFETIME]


@pytest.mark.parametrize("mode", ["revocations", "store"], indirect=True)
def test_ending_the_other_sessions_keeps_the_pair(app, user, clock):
    before, other = pair(user), Browser(app, clock)
    other.post("/login")
    response = user.post("/end-others")
    assert (written(response), offer_in(response)) == ([COOKIE], None)
    assert pair(user) == before
    assert user.get("/who").json() == [42, "valid", True, START + LIFETIME]
    assert other.get("/who").json()[0] is None
