"""What the response to an unbound session does to the cookies, and what a session without a proof may do."""

import pytest
from fastapi import Request

from fastsession import DeviceBinding, Lifetime
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank, opened
from tests.device_binding.modelled_browser import Browser, offer_in
from tests.device_binding.test_cookies import written
from tests.shop import ABSOLUTE, COOKIE, DAY, IDLE, START, set_cookies

# What a browser says of a request for which it does not ask for a proof.
ELSEWHERE = [("sec-fetch-site", "cross-site")]


@pytest.fixture
def unproven(user, clock):
    """A browser whose proof is over and that arrives without a new one: followed from another site, for example."""
    clock.advance(LIFETIME)

    def ask(method, path, **options):
        return user.ask(method, path, headers=ELSEWHERE, held=False, **options)

    return ask


async def replace_contents(request: Request) -> None:
    request.session.clear()
    request.session["language"] = "la"


async def remember(request: Request) -> None:
    request.session["seen"] = True


def test_looking_keeps_the_cookies(user, unproven):
    before = user.cookies()
    response = unproven("GET", "/who")
    assert (response.json()[:2], set_cookies(response)) == ([None, "unbound"], [])
    assert user.cookies() == before


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/page"), ("POST", "/cart/tea"), ("POST", "/note/10"), ("POST", "/cart/tea/404")]
)
def test_a_change_is_dropped_and_the_user_stays_signed_in(user, unproven, method, path):
    before = user.cookies()
    response = unproven(method, path)
    assert set_cookies(response) == []
    assert user.cookies() == before
    assert user.get("/who").json()[:3] == [42, "valid", True]
    assert user.get("/cart").json() == []


def test_a_change_by_request_session_is_dropped_too(visitor, clock):
    visitor.app.add_api_route("/mark", remember, methods=["POST"])
    visitor.post("/login")
    clock.advance(LIFETIME)
    assert set_cookies(visitor.ask("POST", "/mark", headers=ELSEWHERE, held=False)) == []
    assert visitor.get("/who").json()[:3] == [42, "valid", True]


def test_remembering_is_dropped_too(mode, clock):
    app = bank(mode, clock=clock, remember=Lifetime(7 * DAY, 30 * DAY))
    user = Browser(app, clock)
    user.post("/login")
    clock.advance(LIFETIME)
    assert set_cookies(user.ask("POST", "/remember/true", headers=ELSEWHERE, held=False)) == []
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_a_dropped_change_is_reported(unproven, events):
    unproven("POST", "/cart/tea")
    assert "late_change" in [str(event.kind) for event in events]


def test_a_login_is_saved_with_a_new_pair_and_a_new_offer(user, unproven):
    before = user.cookies()
    user.registers = False
    response = unproven("POST", "/login/7")
    assert written(response) == sorted([COOKIE, DEVICE, f"-{BOUND}"])
    assert offer_in(response) is not None
    old, new = (opened(DEVICE, jar[DEVICE]) for jar in (before, user.cookies()))
    assert (new.payload, new.id != old.id) == (b"", True)
    assert user.ask("GET", "/who", held=False).json() == [7, "valid", False, None]


def test_a_login_over_an_older_binding_binds_anew_after_one_401(user, unproven):
    [old] = user.bindings.values()
    unproven("POST", "/login/7")
    assert len(user.bindings) == 2
    assert user.get("/who").json() == [7, "valid", True, START + 2 * LIFETIME]
    # The old binding's credential is there by its name, so the browser asks for it when that is over.
    user.forget(BOUND)
    assert user.get("/who").json()[:3] == [7, "valid", True]
    assert old.identifier not in user.bindings
    assert user.count("POST /session/device/refresh 401") == 1
    user.forget(BOUND)
    assert user.get("/who").json()[:3] == [7, "valid", True]
    assert user.count("POST /session/device/refresh 401") == 1


def test_a_logout_clears_all_three(user, unproven):
    response = unproven("POST", "/logout")
    assert written(response) == sorted([f"-{COOKIE}", f"-{DEVICE}", f"-{BOUND}"])
    assert user.cookies() == {}


def test_emptying_the_dict_clears_all_three(visitor, clock):
    async def empty(request: Request) -> None:
        request.session.clear()

    visitor.app.add_api_route("/empty", empty, methods=["POST"])
    visitor.post("/login")
    clock.advance(LIFETIME)
    assert written(visitor.ask("POST", "/empty", held=False)) == sorted([f"-{COOKIE}", f"-{DEVICE}", f"-{BOUND}"])
    assert visitor.cookies() == {}


def test_what_is_written_after_emptying_is_another_session(visitor, clock):
    visitor.app.add_api_route("/replace", replace_contents, methods=["POST"])
    visitor.post("/login")
    clock.advance(LIFETIME)
    visitor.ask("POST", "/replace", held=False)
    session = visitor.get("/view").json()
    # Either it was dropped like any change, or it is a new session; never the old one's contents with the new ones.
    assert session in ({"language": "la"}, {"user_id": 42})


def test_a_proven_session_that_is_emptied_and_written_to_begins_without_the_pair(visitor):
    visitor.app.add_api_route("/replace", replace_contents, methods=["POST"])
    visitor.post("/login")
    visitor.post("/replace")
    assert visitor.get("/view").json() == {"language": "la"}
    assert visitor.get("/who").json()[:2] == [None, "valid"]


def test_a_failed_request_changes_nothing(user, unproven):
    before = user.cookies()
    assert set_cookies(unproven("POST", "/cart/tea/500")) == []
    assert user.cookies() == before


def test_an_unbound_session_is_not_renewed(user, unproven, clock):
    clock.advance(IDLE // 4)
    assert set_cookies(unproven("GET", "/public")) == []
    assert set_cookies(unproven("GET", "/who")) == []


# without_proof="allow": whoever cannot prove is let in, and does not prolong.


@pytest.fixture
def allowed(mode, clock):
    user = Browser(bank(mode, clock=clock, device_binding=DeviceBinding(without_proof="allow")), clock)
    user.post("/login")
    return user


def test_a_session_without_a_proof_is_not_renewed(allowed, clock):
    clock.advance(LIFETIME)
    for path in ("/who", "/public"):
        assert set_cookies(allowed.ask("GET", path, held=False)) == []
    assert allowed.ask("GET", "/who", held=False).json() == [42, "valid", True, None]
    clock.advance(IDLE - LIFETIME)
    assert allowed.ask("GET", "/who", held=False).json()[:2] == [None, "expired_idle"]


def test_a_session_with_a_proof_is_renewed(allowed, clock):
    clock.advance(IDLE // 4)
    allowed.refreshes_early = False
    assert written(allowed.get("/who")) == [COOKIE]


def test_its_renewal_is_reported_as_one(user, clock, events):
    clock.advance(IDLE // 4)
    user.refreshes_early = False
    user.get("/who")
    assert [str(event.kind) for event in events] == ["renewed"]


def test_asking_for_renewal_does_not_help_without_a_proof(allowed, clock):
    """The routes for a page's timeout warning renew on demand."""

    async def extend(request: Request) -> None:
        request.session.mark_accessed()
        request.session.visit.renew_as(wanted=True)

    allowed.app.add_api_route("/extend", extend, methods=["POST"])
    assert written(allowed.post("/extend")) == [COOKIE]
    clock.advance(LIFETIME)
    assert set_cookies(allowed.ask("POST", "/extend", held=False)) == []


def test_a_change_without_a_proof_is_saved(allowed, clock):
    clock.advance(LIFETIME)
    assert written(allowed.ask("POST", "/cart/tea", held=False)) == [COOKIE]
    assert allowed.get("/cart").json() == ["tea"]


def test_changes_without_a_proof_end_at_the_absolute_timeout(allowed, clock):
    thief = allowed.stolen()
    for _ in range(ABSOLUTE // LIFETIME - 1):
        clock.advance(LIFETIME)
        response = thief.post("/cart/tea")
        for line in set_cookies(response):
            name, _, value = line.partition(";")[0].partition("=")
            thief.taken[name] = value
    assert thief.get("/who").json()[:2] == [42, "valid"]
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[:2] == [None, "expired_absolute"]


def test_a_save_carries_the_pair_along_without_a_proof(allowed, clock):
    clock.advance(LIFETIME)
    allowed.ask("POST", "/cart/tea", held=False)
    assert allowed.ask("POST", "/transfer", held=False).status_code == 403
    assert allowed.post("/transfer").json() == 42


def test_a_device_cookie_that_is_missing_is_rejected_even_if_proofs_are_not_asked_for(allowed):
    allowed.forget(DEVICE)
    assert allowed.ask("GET", "/who", held=False).json()[:2] == [None, "unbound"]


def test_a_login_without_a_proof_gets_a_new_pair_even_of_the_same_subject(allowed, clock):
    clock.advance(LIFETIME)
    before = opened(DEVICE, allowed.cookies()[DEVICE]).id
    allowed.registers = False
    response = allowed.ask("POST", "/confirm-password", held=False)
    assert offer_in(response) is not None
    assert opened(DEVICE, allowed.cookies()[DEVICE]).id != before
