"""POST /session/device/refresh: the key proves itself again, row by row."""

import pytest

from fastsession.events import EventKind
from tests.device_binding.bank import (
    BOUND,
    DEVICE,
    LIFETIME,
    REFRESH,
    REFRESHING,
    SKEW,
    bank,
    challenge_name,
    changed,
    opened,
    sealer,
)
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import Browser, Thief, challenge_in, response_header
from tests.device_binding.test_cookies import written
from tests.device_binding.test_registering import BAD_PROOFS, check_headers
from tests.shop import COOKIE, OLD_SECRET, SECRET, START, set_cookies


def post(browser, *headers):
    return browser.send("POST", REFRESH, headers)


def named(user):
    return ("sec-secure-session-id", user.binding.identifier)


@pytest.fixture
def asked(user, events):
    """The user's browser and a challenge for it."""
    challenge = challenge_in(post(user, named(user)))
    events.clear()
    return user, challenge


def prove(user, challenge, **header):
    return post(user, named(user), response_header(user.binding.key.refresh(challenge, **header)))


def kinds(events):
    return [str(event.kind) for event in events]


def test_without_a_proof_it_asks_for_one(user, events):
    response = post(user, named(user))
    check_headers(response)
    assert (response.status_code, response.content, set_cookies(response)) == (403, b"", [])
    challenge = challenge_in(response)
    value = response.headers["secure-session-challenge"]
    assert value == f'"{challenge}";id="{user.binding.identifier}"'
    token = opened(challenge_name("refresh"), challenge)
    assert (token.id, token.renewed_at, token.payload) == (opened(DEVICE, user.cookies()[DEVICE]).id, START, b"")
    assert len(challenge) == 151
    assert kinds(events) == []


def test_with_a_proof_the_bound_cookie_is_renewed(asked, clock, events):
    user, challenge = asked
    clock.advance(LIFETIME - 1)
    response = prove(user, challenge)
    check_headers(response)
    assert (response.status_code, response.content, written(response)) == (200, b"", [BOUND])
    assert opened(BOUND, user.cookies()[BOUND]).renewed_at == START + LIFETIME - 1
    assert user.seconds_kept(BOUND) == LIFETIME
    assert user.get("/who").json() == [42, "valid", True, START + LIFETIME - 1 + LIFETIME]
    assert "refreshed" in kinds(events)


def test_the_next_challenge_comes_with_the_answer(asked):
    user, challenge = asked
    following = challenge_in(prove(user, challenge))
    assert following not in (None, challenge)
    assert prove(user, following).status_code == 200


def test_a_refresh_is_one_round_trip_for_an_active_user(user, clock):
    user.refreshes_early = False
    clock.advance(LIFETIME)
    user.get("/who")
    assert user.count(f"POST {REFRESH} 403") == 1
    for _ in range(3):
        clock.advance(LIFETIME)
        assert user.get("/who").json()[:3] == [42, "valid", True]
    assert (user.count(f"POST {REFRESH} 403"), user.count(f"POST {REFRESH} 200")) == (1, 4)


@pytest.mark.parametrize("age", [0, LIFETIME, REFRESHING - 1, REFRESHING, -SKEW + 1, -SKEW])
def test_a_challenge_holds_for_a_lifetime_and_five_minutes(asked, age):
    user, challenge = asked
    challenge = changed(challenge_name("refresh"), challenge, renewed_at=START - age)
    assert prove(user, challenge).status_code == 200


@pytest.mark.parametrize("age", [REFRESHING + 1, 86_400, -SKEW - 1])
def test_with_a_challenge_of_another_time_it_asks_again(asked, events, age):
    user, challenge = asked
    response = prove(user, changed(challenge_name("refresh"), challenge, renewed_at=START - age))
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (403, [])
    assert challenge_in(response) not in (None, challenge)
    assert "proof_failed" not in kinds(events)
    assert prove(user, challenge_in(response)).status_code == 200


def test_with_a_challenge_of_an_idle_night_it_asks_again(asked, clock, mode):
    """The browser signs the challenge that it kept. With longer timeouts the session is still there."""
    user, _ = asked
    app = bank(mode, clock=clock, idle_timeout=86_400, absolute_timeout=864_000)
    user = Browser(app, clock)
    user.post("/login")
    user.refresh()
    clock.advance(8 * 3_600)
    assert user.get("/who").json()[:3] == [42, "valid", True]
    assert user.log[-3:] == [f"POST {REFRESH} 403", f"POST {REFRESH} 200", "GET /who 200"]


def test_with_a_challenge_of_another_pair_it_asks_again(app, clock, asked):
    user, _ = asked
    other = Browser(app, clock)
    other.post("/login")
    response = prove(user, challenge_in(post(other, named(other))))
    assert (response.status_code, challenge_in(response) is not None) == (403, True)


def test_with_a_challenge_of_another_purpose_it_asks_again(asked):
    user, challenge = asked
    token = opened(challenge_name("refresh"), challenge)
    for name in (challenge_name("register"), COOKIE, DEVICE, BOUND):
        response = prove(user, sealer(name).seal(token, now=START))
        assert (response.status_code, challenge_in(response) is not None) == (403, True), name


@pytest.mark.parametrize("challenge", ["x", "A" * 151, " ", "é", "a" * 1_000])
def test_with_a_challenge_that_is_none_it_asks_again(asked, challenge):
    user, _ = asked
    response = prove(user, challenge)
    assert (response.status_code, challenge_in(response) is not None) == (403, True)


def test_with_a_challenge_under_a_retired_secret_it_asks_again(asked):
    user, challenge = asked
    response = prove(user, changed(challenge_name("refresh"), challenge, sealed_under=OLD_SECRET))
    assert (response.status_code, challenge_in(response) is not None) == (403, True)


def test_a_proof_of_another_key_ends_the_binding(asked, events):
    user, challenge = asked
    response = post(user, named(user), response_header(DeviceKey().refresh(challenge)))
    check_headers(response)
    assert (response.status_code, response.content, set_cookies(response)) == (401, b"", [])
    assert kinds(events) == ["proof_failed"]
    assert "secure-session-challenge" not in response.headers


@pytest.mark.parametrize(
    "value", [value for value in BAD_PROOFS.values() if value], ids=[name for name in BAD_PROOFS if name != "empty"]
)
def test_a_proof_that_is_none_ends_the_binding(asked, events, value):
    user, _ = asked
    response = post(user, named(user), ("secure-session-response", value.encode()))
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (401, [])
    assert kinds(events) == ["proof_failed"]


def test_an_empty_proof_is_no_right_one(asked):
    user, _ = asked
    response = post(user, named(user), ("secure-session-response", ""))
    assert response.status_code in (401, 403)
    assert set_cookies(response) == []


def test_a_proof_that_brings_its_own_key_ends_the_binding(asked, events):
    user, challenge = asked
    other = DeviceKey()
    for key in (other, user.binding.key):
        events.clear()
        response = post(user, named(user), response_header(key.registration(challenge)))
        assert (response.status_code, set_cookies(response)) == (401, [])
        assert kinds(events) == ["proof_failed"]


def test_two_proofs_count_as_none(asked):
    user, challenge = asked
    proof = response_header(user.binding.key.refresh(challenge))
    assert post(user, named(user), proof, proof).status_code == 403


def test_quoted_headers_are_the_same_as_bare_ones(asked):
    user, challenge = asked
    proof = user.binding.key.refresh(challenge)
    headers = [("sec-secure-session-id", f'"{user.binding.identifier}"'), response_header(f'"{proof}"')]
    assert post(user, *headers).status_code == 200


@pytest.mark.parametrize("value", [None, "", "x", "A" * 16, '"', "é", "a" * 10_000])
def test_without_the_name_of_its_binding_there_is_nothing_to_refresh(asked, value, events):
    user, challenge = asked
    headers = [("sec-secure-session-id", value.encode())] if value is not None else []
    for proof in ([], [response_header(user.binding.key.refresh(challenge))]):
        response = post(user, *headers, *proof)
        check_headers(response)
        assert (response.status_code, set_cookies(response)) == (401, [])
        assert "secure-session-challenge" not in response.headers


def test_two_names_count_as_none(asked):
    user, _ = asked
    assert post(user, named(user), named(user)).status_code == 401


def test_the_name_of_another_binding(app, clock, asked):
    user, challenge = asked
    other = Browser(app, clock)
    other.post("/login")
    assert post(user, named(other)).status_code == 401
    proof = response_header(user.binding.key.refresh(challenge))
    assert post(user, named(other), proof).status_code == 401


def test_without_a_session_there_is_nothing_to_refresh(asked):
    user, challenge = asked
    user.forget(COOKIE)
    response = prove(user, challenge)
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (401, [])


def test_a_session_that_is_over_has_nothing_to_refresh(asked, clock):
    user, _ = asked
    clock.advance(1_800)
    assert post(user, named(user)).status_code == 401


def test_a_session_that_was_not_bound_has_nothing_to_refresh(app, clock, asked, offered):
    user, _ = asked
    assert post(offered, named(user)).status_code == 401
    browser = Browser(app, clock)
    browser.post("/cart/tea")
    assert post(browser, named(user)).status_code == 401


def test_without_the_device_cookie_there_is_nothing_to_refresh(asked):
    user, challenge = asked
    user.forget(DEVICE)
    assert prove(user, challenge).status_code == 401


def test_a_proof_needs_no_bound_cookie(asked, clock):
    user, challenge = asked
    user.forget(BOUND)
    assert prove(user, challenge).status_code == 200


@pytest.mark.parametrize("name", [COOKIE, DEVICE])
def test_a_cookie_under_an_unknown_secret_is_a_bad_deploy(asked, name):
    user, challenge = asked
    thief = Thief(user)
    thief.taken[name] = changed(name, thief.taken[name], sealed_under=OLD_SECRET)
    for proof in ([], [response_header(user.binding.key.refresh(challenge))]):
        response = thief.post(REFRESH, headers=[named(user), *proof])
        check_headers(response)
        assert (response.status_code, set_cookies(response)) == (503, [])


@pytest.mark.parametrize("mode", ["revocations", "store"], indirect=True)
def test_a_session_that_was_ended_has_nothing_to_refresh(asked):
    user, challenge = asked
    copied = Thief(user)
    user.post("/logout")
    for proof in ([], [response_header(user.binding.key.refresh(challenge))]):
        response = copied.post(REFRESH, headers=[named(user), *proof])
        check_headers(response)
        assert (response.status_code, set_cookies(response)) == (401, [])


@pytest.mark.parametrize("mode", ["revocations", "store"], indirect=True)
def test_a_subject_whose_sessions_were_ended_has_nothing_to_refresh(asked, app, clock):
    user, challenge = asked
    other = Browser(app, clock)
    other.post("/login")
    other.post("/end-all")
    assert prove(user, challenge).status_code == 401


def test_neither_the_session_cookie_nor_the_idle_deadline_moves(user, clock):
    session = user.cookies()[COOKIE]
    for _ in range(5):
        clock.advance(300)
        assert user.refresh()
        assert user.cookies()[COOKIE] == session
    clock.advance(300)
    assert user.get("/who").json()[:2] == [None, "expired_idle"]


def test_the_device_cookie_comes_again_if_it_was_sealed_under_a_fallback(asked, clock, mode):
    user, _ = asked
    rotated = {"secret_key": OLD_SECRET, "secret_key_fallbacks": [SECRET]}
    app = bank("cookies", clock=clock, **rotated)
    browser = Browser(app, clock)
    browser.plant(user.cookies())
    if mode == "store":
        return
    headers = [named(user)]
    challenge = challenge_in(post(browser, *headers))
    response = post(browser, *headers, response_header(user.binding.key.refresh(challenge)))
    assert (response.status_code, written(response)) == (200, [BOUND, DEVICE])
    device = opened(DEVICE, browser.cookies()[DEVICE], secret=OLD_SECRET)
    assert device.payload == user.binding.key.compressed
    challenge = challenge_in(response)
    response = post(browser, *headers, response_header(user.binding.key.refresh(challenge)))
    assert written(response) == [BOUND]


def test_a_captured_proof_works_while_its_challenge_holds(asked, clock):
    """Challenges are not one-time: that needs a store."""
    user, challenge = asked
    proof = response_header(user.binding.key.refresh(challenge))
    clock.advance(REFRESHING)
    assert post(user, named(user), proof).status_code == 200
    clock.advance(1)
    assert post(user, named(user), proof).status_code == 403


def test_refreshes_are_reported_quietly(user, events):
    user.refresh()
    [event] = [event for event in events if event.kind is EventKind.REFRESHED]
    assert (event.session, str(event.status)) == (user.get("/info").json()["id"], "valid")
