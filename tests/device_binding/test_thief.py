"""What a thief can do who has copied the cookies, or more, in each state: the contract's table of threats over HTTP."""

import pytest

from fastsession import DeviceBinding
from tests.device_binding.bank import (
    BOUND,
    DEVICE,
    LIFETIME,
    REFRESH,
    REFRESHING,
    REGISTER,
    REGISTERING,
    bank,
)
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import Browser, Thief, challenge_in, offer_in, response_header
from tests.shop import ABSOLUTE, COOKIE, START, set_cookies


@pytest.fixture
def key():
    """The thief's own key."""
    return DeviceKey()


def test_a_copied_jar_works_until_the_proof_is_over_and_then_never_again(user, clock):
    thief = user.stolen()
    assert thief.get("/who").json() == [42, "valid", True, START + LIFETIME]
    assert thief.post("/transfer").json() == 42
    clock.advance(LIFETIME - 1)
    assert thief.get("/who").json()[:2] == [42, "valid"]
    clock.advance(1)
    assert thief.get("/who").json()[:2] == [None, "unbound"]
    assert thief.post("/transfer").status_code == 403
    # The user goes on, and that does not help the thief.
    for _ in range(5):
        assert user.get("/who").json()[:2] == [42, "valid"]
        assert thief.get("/who").json()[1] in ("unbound", "expired_idle")
        clock.advance(LIFETIME)


def test_what_a_thief_saves_in_time_is_as_short_lived(user, clock):
    """A thief who writes gets new session cookies: with the same pair, and no newer proof."""
    thief = user.stolen()
    for _ in range(4):
        clock.advance(LIFETIME // 5)
        keep(thief, thief.post("/cart/tea"))
        keep(thief, thief.post("/confirm-password"))
    assert thief.get("/who").json()[:2] == [42, "valid"]
    clock.advance(LIFETIME // 5)
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def keep(thief, response):
    """Take what a response sets, as the thief's own jar would."""
    for line in set_cookies(response):
        name, _, value = line.partition(";")[0].partition("=")
        thief.taken[name] = value
    return response


@pytest.mark.parametrize("left_out", [(), (BOUND,), (DEVICE,), (DEVICE, BOUND)], ids=str)
def test_leaving_cookies_out_unbinds_nothing(user, clock, left_out):
    thief = user.stolen()
    for name in left_out:
        del thief.taken[name]
    for _ in range(3):
        clock.advance(LIFETIME)
        user.get("/who")
        assert thief.get("/who").json()[0] is None
        keep(thief, thief.post("/cart/tea"))
        assert thief.get("/who").json()[0] is None


def test_a_thief_without_the_key_cannot_refresh(user, key, clock):
    thief, identifier = user.stolen(), user.binding.identifier
    asked = thief.post(REFRESH, headers=[("sec-secure-session-id", identifier)])
    assert (asked.status_code, set_cookies(asked)) == (403, [])
    proof = response_header(key.refresh(challenge_in(asked)))
    for headers in (
        [("sec-secure-session-id", identifier), proof],
        [proof],
        [("sec-secure-session-id", key.identifier), proof],
    ):
        response = thief.post(REFRESH, headers=headers)
        assert (response.status_code, set_cookies(response)) == (401, [])
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[:2] == [None, "unbound"]


def test_a_thief_cannot_register_a_key_of_their_own(user, key):
    thief, offer = user.stolen(), user.log.count("x")
    assert offer == 0
    for challenge in (user.cookies()[DEVICE], refresh_challenge(user)):
        response = thief.post(REGISTER, headers=[response_header(key.registration(challenge))])
        assert (response.status_code, set_cookies(response)) == (400, [])


def refresh_challenge(user):
    return challenge_in(user.send("POST", REFRESH, [("sec-secure-session-id", user.binding.identifier)]))


def test_not_even_with_the_offer_of_the_login(app, clock, key):
    """Who saw the login's response has the challenge, but the key is written already."""
    user = Browser(app, clock, registers=False)
    offer = offer_in(user.post("/login"))
    user.register()
    thief = user.stolen()
    response = thief.post(REGISTER, headers=[response_header(key.registration(offer.challenge))])
    assert (response.status_code, set_cookies(response)) == (400, [])


def test_a_jar_from_between_login_and_registration_dies_at_once_with_revocations(offered, key, mode, clock):
    thief, offer = offered.stolen(), offered.offers[-1]
    assert offered.register().status_code == 200
    received = thief.get("/who").json()
    register = thief.post(REGISTER, headers=[response_header(key.registration(offer.challenge))])
    if mode == "revocations":
        assert received[:2] == [None, "unbound"]
        assert (register.status_code, set_cookies(register)) == (400, [])
    elif mode == "cookies":
        # It lives to its own expiry: nobody remembers that the pair was claimed.
        assert received == [42, "valid", False, None]
        clock.advance(ABSOLUTE)
        assert thief.get("/who").json()[0] is None
    # The user's own session is not touched.
    if mode != "cookies":
        assert offered.get("/who").json()[:3] == [42, "valid", True]


@pytest.mark.parametrize("mode", ["revocations"], indirect=True)
def test_it_stays_denied(offered, clock):
    thief = offered.stolen()
    offered.register()
    offered.refreshes_early = False
    for _ in range(20):
        clock.advance(LIFETIME)
        assert offered.get("/who").json()[:3] == [42, "valid", True]
        assert thief.get("/who").json()[0] is None


@pytest.mark.parametrize("mode", ["revocations"], indirect=True)
def test_no_change_of_such_a_jar_brings_it_back(offered):
    thief = offered.stolen()
    offered.register()
    for path in ("/cart/tea", "/confirm-password"):
        keep(thief, thief.post(path))
        assert thief.get("/who").json()[0] is None


def test_the_jar_of_a_browser_without_the_feature_never_passes_for_a_proven_one(app, clock, key):
    browser = Browser(app, clock, binds=False)
    login = browser.post("/login")
    thief = browser.stolen()
    assert thief.get("/who").json() == [42, "valid", False, None]
    assert thief.post("/transfer").status_code == 403
    # The offer went to the login's response and to no other.
    for path in ("/who", "/cart"):
        assert offer_in(thief.get(path)) is None
    assert offer_in(thief.post("/cart/tea")) is None
    # Whoever saw that response has five minutes.
    clock.advance(REGISTERING + 1)
    proof = key.registration(offer_in(login).challenge)
    assert thief.post(REGISTER, headers=[response_header(proof)]).status_code == 400


def test_a_login_of_the_thiefs_own_does_not_help(app, user, clock):
    thief, own = user.stolen(), Browser(app, clock)
    own.post("/login/7")
    clock.advance(LIFETIME)
    own.get("/who")
    mixed = {**thief.taken, DEVICE: own.cookies()[DEVICE], BOUND: own.cookies()[BOUND]}
    thief.taken = mixed
    assert thief.get("/who").json()[:2] == [None, "unbound"]
    challenge = challenge_in(thief.post(REFRESH, headers=[("sec-secure-session-id", own.binding.identifier)]))
    assert challenge is None
    thief.taken = {**user.stolen().taken, BOUND: own.cookies()[BOUND]}
    assert thief.get("/who").json()[:2] == [None, "unbound"]
    assert thief.post(REFRESH, headers=[("sec-secure-session-id", own.binding.identifier)]).status_code == 401


def test_a_captured_proof_gives_a_bound_cookie_while_its_challenge_holds(user, clock):
    challenge = refresh_challenge(user)
    thief = user.stolen()
    headers = [
        ("sec-secure-session-id", user.binding.identifier),
        response_header(user.binding.key.refresh(challenge)),
    ]
    clock.advance(REFRESHING)
    response = keep(thief, thief.post(REFRESH, headers=headers))
    assert response.status_code == 200
    assert thief.get("/who").json()[:2] == [42, "valid"]
    clock.advance(1)
    assert thief.post(REFRESH, headers=headers).status_code == 403
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[0] is None


def test_a_captured_registration_gives_no_more(app, user, clock):
    browser = Browser(app, clock, registers=False)
    browser.post("/login")
    offer, jar = browser.offers[-1], browser.stolen()
    browser.register()
    proof = browser.binding.key.registration(offer.challenge)
    thief = browser.stolen()
    clock.advance(REGISTERING)
    response = keep(thief, thief.post(REGISTER, headers=[response_header(proof)]))
    assert response.status_code == 200
    clock.advance(1)
    assert thief.post(REGISTER, headers=[response_header(proof)]).status_code == 400
    clock.advance(LIFETIME)
    assert thief.get("/who").json()[0] is None
    del jar


def test_a_page_of_another_site_gets_no_permission(user):
    """No CORS header for anybody, preflight included."""
    origin = [("origin", "https://evil.example"), ("access-control-request-method", "POST")]
    for path in (REGISTER, REFRESH):
        for method in ("POST", "OPTIONS"):
            response = user.send(method, path, origin)
            assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_stranger_costs_no_signature(app, user, monkeypatch, key):
    """Floods: a signature is checked only for an authentic session and device cookie, at registration with a challenge."""
    from fastsession.device_binding import endpoints, proof

    checked = []

    def counted(*arguments):
        checked.append(1)
        return proof.is_signed_by(*arguments)

    monkeypatch.setattr(endpoints, "is_signed_by", counted)
    stranger = Thief(user)
    headers = [("sec-secure-session-id", user.binding.identifier), response_header(key.refresh("A" * 151))]
    register = [response_header(key.registration("A" * 151))]
    for taken in ({}, {COOKIE: "A" * 151}, {DEVICE: user.cookies()[DEVICE]}, {COOKIE: user.cookies()[COOKIE]}):
        stranger.taken = taken
        stranger.post(REFRESH, headers=headers)
        stranger.post(REGISTER, headers=register)
    stranger.taken = user.cookies()
    stranger.post(REGISTER, headers=register)
    stranger.post(REFRESH, headers=[("sec-secure-session-id", "x"), response_header(key.refresh("A" * 151))])
    assert checked == []
    stranger.post(REFRESH, headers=headers)
    assert checked == [1]


def test_allow_leaves_stolen_cookies_working_where_no_proof_is_asked_for(mode, clock):
    user = Browser(bank(mode, clock=clock, device_binding=DeviceBinding(without_proof="allow")), clock)
    user.post("/login")
    thief = user.stolen()
    clock.advance(LIFETIME)
    assert thief.get("/who").json() == [42, "valid", True, None]
    assert thief.post("/transfer").status_code == 403
    assert thief.post("/large-transfer").status_code == 403
    # Who cannot prove does not get a pair without a key either, but by a login.
    keep(thief, thief.post("/cart/tea"))
    assert thief.post("/transfer").status_code == 403


def test_with_allow_a_login_without_credentials_is_not_the_librarys_to_prevent(mode, clock):
    """`regenerate()` is called by routes that have checked who asks. Unproven, it gives a new pair and a new offer."""
    user = Browser(bank(mode, clock=clock, device_binding=DeviceBinding(without_proof="allow")), clock)
    user.post("/login")
    thief = user.stolen()
    clock.advance(LIFETIME)
    response = thief.post("/confirm-password")
    assert offer_in(response) is not None
