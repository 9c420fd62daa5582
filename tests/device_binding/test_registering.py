"""POST /session/device/register: a key for the pair of a login, row by row, and what every answer has."""

import base64
import hashlib
import json
import logging

import pytest

from fastsession import DeviceBinding
from fastsession.events import EventKind
from tests.device_binding.bank import (
    BOUND,
    DEVICE,
    LIFETIME,
    REFRESH,
    REGISTER,
    REGISTERING,
    SKEW,
    bank,
    challenge_name,
    changed,
    opened,
    sealer,
)
from tests.device_binding.device_key import DeviceKey
from tests.device_binding.modelled_browser import Browser, response_header
from tests.device_binding.test_cookies import written
from tests.shop import COOKIE, OLD_SECRET, START, set_cookies


@pytest.fixture
def key():
    return DeviceKey()


def challenge_of(browser):
    return browser.offers[-1].challenge


def post(browser, *headers):
    return browser.send("POST", REGISTER, headers)


def register(browser, key, challenge=None):
    return post(browser, response_header(key.registration(challenge or challenge_of(browser))))


def check_headers(response):
    """What every answer of the endpoints has."""
    headers = response.headers
    assert headers["cache-control"] == "no-store"
    assert headers["vary"] == "Cookie"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "location" not in headers
    assert not 300 <= response.status_code < 400
    assert not any(line.startswith(COOKIE) for line in set_cookies(response))


def is_refused(browser, response, events, status_code=400):
    """A refusal tells nobody anything, changes nothing, and is reported without the input."""
    check_headers(response)
    assert (response.status_code, response.content, set_cookies(response)) == (status_code, b"", [])
    assert [event.kind for event in events] == [EventKind.PROOF_FAILED]
    assert events[0].detail
    assert "secure-session-challenge" not in response.headers
    assert browser.get("/who").json()[2] is False
    return True


def test_a_key_is_registered(offered, key):
    response = register(offered, key)
    check_headers(response)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert written(response) == [BOUND, DEVICE]
    assert "secure-session-challenge" not in response.headers
    device, bound = (opened(name, offered.cookies()[name]) for name in (DEVICE, BOUND))
    assert (device.payload, device.renewed_at) == (key.compressed, START)
    assert (bound.payload, bound.renewed_at, bound.id) == (b"", START, device.id)
    assert offered.get("/who").json() == [42, "valid", True, START + LIFETIME]


def test_the_instructions(offered, key):
    instructions = json.loads(register(offered, key).text)
    identifier = base64.urlsafe_b64encode(hashlib.sha256(key.compressed).digest()[:12]).decode()
    assert len(identifier) == 16
    [credential] = instructions.pop("credentials")
    attributes = credential.pop("attributes")
    assert instructions == {
        "session_identifier": identifier,
        "refresh_url": REFRESH,
        "scope": {"include_site": False, "scope_specification": []},
    }
    assert credential == {"type": "cookie", "name": BOUND}
    assert sorted(attributes.lower().split("; ")) == ["httponly", "path=/", "samesite=lax", "secure"]


def test_excluded_paths_are_in_the_instructions(clock, key):
    app = bank(clock=clock, device_binding=DeviceBinding(exclude=["/static", "/media/a"]))
    browser = Browser(app, clock, registers=False)
    browser.post("/login")
    rules = json.loads(register(browser, key).text)["scope"]["scope_specification"]
    assert [(rule["type"], rule["path"]) for rule in rules] == [("exclude", "/static"), ("exclude", "/media/a")]


def test_nothing_in_the_instructions_is_a_host_or_a_scheme(offered, key):
    text = register(offered, key).text
    assert "testserver" not in text
    assert "http" not in text.lower().replace("httponly", "")


def test_registration_is_reported(offered, key, events):
    register(offered, key)
    [event] = [event for event in events if event.kind is EventKind.BOUND]
    assert (str(event.kind), str(event.status), event.subject) == ("bound", "valid", event.subject)
    assert event.session == offered.get("/info").json()["id"]


def test_a_bare_and_a_quoted_proof_are_the_same(offered, key):
    proof = key.registration(challenge_of(offered))
    assert post(offered, response_header(f'"{proof}"')).status_code == 200


def test_the_same_key_may_be_registered_again(offered, key, clock):
    register(offered, key)
    clock.advance(REGISTERING)
    assert register(offered, key).status_code == 200
    assert offered.get("/who").json() == [42, "valid", True, START + REGISTERING + LIFETIME]


def test_a_second_key_is_not_registered(offered, key, events):
    register(offered, key)
    events.clear()
    response = register(offered, DeviceKey())
    assert (response.status_code, set_cookies(response)) == (400, [])
    assert [event.kind for event in events] == [EventKind.PROOF_FAILED]
    assert opened(DEVICE, offered.cookies()[DEVICE]).payload == key.compressed


@pytest.mark.parametrize("age", [0, 1, REGISTERING - 1, REGISTERING, -SKEW + 1, -SKEW])
def test_a_challenge_holds_for_five_minutes(offered, key, clock, age):
    challenge = changed(challenge_name("register"), challenge_of(offered), renewed_at=START - age)
    assert register(offered, key, challenge).status_code == 200


@pytest.mark.parametrize("age", [REGISTERING + 1, REGISTERING + 10_000, -SKEW - 1, -10_000])
def test_a_challenge_of_another_time_does_not_hold(offered, key, clock, events, age):
    challenge = changed(challenge_name("register"), challenge_of(offered), renewed_at=START - age)
    assert is_refused(offered, register(offered, key, challenge), events)


def test_it_holds_by_the_clock(offered, key, clock, events):
    clock.advance(REGISTERING + 1)
    assert is_refused(offered, register(offered, key), events)


def test_a_session_without_a_pair_has_nothing_to_register(app, clock, key, events, offered):
    browser = Browser(app, clock)
    browser.post("/cart/tea")
    events.clear()
    assert is_refused(browser, register(browser, key, challenge_of(offered)), events)


def test_nobody_has_nothing_to_register(visitor, key, events, offered):
    assert is_refused(visitor, register(visitor, key, challenge_of(offered)), events)


def test_a_registration_without_a_proof(offered, events):
    assert is_refused(offered, post(offered), events)


def test_a_registration_whose_proof_has_no_key(offered, key, events):
    proof = key.refresh(challenge_of(offered))
    assert is_refused(offered, post(offered, response_header(proof)), events)


def test_a_proof_that_another_key_signed(offered, key, events):
    proof = DeviceKey().registration(challenge_of(offered), jwk=key.jwk)
    assert is_refused(offered, post(offered, response_header(proof)), events)


def test_a_challenge_of_another_pair(app, clock, offered, key, events):
    other = Browser(app, clock, registers=False)
    other.post("/login")
    events.clear()
    assert is_refused(offered, register(offered, key, challenge_of(other)), events)


def test_a_challenge_of_an_earlier_login(offered, key, events):
    old = challenge_of(offered)
    offered.post("/login")
    events.clear()
    assert is_refused(offered, register(offered, key, old), events)


def test_a_challenge_of_another_purpose(offered, key, events):
    token = opened(challenge_name("register"), challenge_of(offered))
    challenge = sealer(challenge_name("refresh")).seal(token, now=START)
    assert is_refused(offered, register(offered, key, challenge), events)


@pytest.mark.parametrize("name", [COOKIE, DEVICE, BOUND, challenge_name("")])
def test_a_challenge_sealed_for_something_else(offered, key, events, name):
    token = opened(challenge_name("register"), challenge_of(offered))
    assert is_refused(offered, register(offered, key, sealer(name).seal(token, now=START)), events)


@pytest.mark.parametrize("name", [COOKIE, DEVICE])
def test_a_cookie_is_no_challenge(offered, key, events, name):
    assert is_refused(offered, register(offered, key, offered.cookies()[name]), events)


@pytest.mark.parametrize("challenge", ["", "x", "A" * 151, " ", "é", "\0", '"', "a" * 3_000])
def test_a_challenge_that_is_none(offered, key, events, challenge):
    assert is_refused(offered, register(offered, key, challenge or " "), events)


def test_a_challenge_under_an_unknown_secret_is_not_a_bad_deploy(offered, key, events):
    challenge = changed(challenge_name("register"), challenge_of(offered), sealed_under=OLD_SECRET)
    assert is_refused(offered, register(offered, key, challenge), events)


def test_a_missing_device_cookie(offered, key, events):
    offered.forget(DEVICE)
    response = register(offered, key)
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (400, [])


def test_the_device_cookie_of_another_pair(app, clock, offered, key, events):
    other = Browser(app, clock, registers=False)
    other.post("/login")
    thief = offered.stolen()
    thief.taken[DEVICE] = other.cookies()[DEVICE]
    response = thief.post(REGISTER, headers=[response_header(key.registration(challenge_of(offered)))])
    assert (response.status_code, set_cookies(response)) == (400, [])


def test_a_session_that_is_over(offered, key, clock):
    thief = offered.stolen()
    clock.advance(1_800)
    challenge = changed(challenge_name("register"), challenge_of(offered), renewed_at=START + 1_800)
    response = thief.post(REGISTER, headers=[response_header(key.registration(challenge))])
    assert (response.status_code, set_cookies(response)) == (400, [])


@pytest.mark.parametrize("name", [COOKIE, DEVICE])
def test_a_cookie_under_an_unknown_secret_is_a_bad_deploy(offered, key, name, events):
    thief = offered.stolen()
    thief.taken[name] = changed(name, thief.taken[name], sealed_under=OLD_SECRET)
    response = thief.post(REGISTER, headers=[response_header(key.registration(challenge_of(offered)))])
    check_headers(response)
    assert (response.status_code, set_cookies(response)) == (503, [])


# Headers.

BAD_PROOFS = {
    "empty": "",
    "one quote": '"',
    "two quotes": '""',
    "two parts": "a.b",
    "four parts": "a.b.c.d",
    "dots": "..",
    "long": "a" * 4_097,
    "long parts": f"{'a' * 2_000}.{'b' * 2_000}.{'c' * 2_000}",
    "not ASCII": "é.é.é",
    "a list": "(a b)",
    "a comma": "a.b.c, d.e.f",
}


@pytest.mark.parametrize("value", BAD_PROOFS.values(), ids=BAD_PROOFS)
def test_a_header_that_holds_no_proof(offered, events, value):
    assert is_refused(offered, post(offered, ("secure-session-response", value.encode())), events)


@pytest.mark.parametrize(
    "alter", ['"{0}', '{0}"', '""{0}""', "'{0}'", "{0};a=b", "{0} ", " {0}", "{0}=", "{0}.", ":{0}:"]
)
def test_a_header_that_holds_nearly_a_proof(offered, key, events, alter):
    proof = alter.format(key.registration(challenge_of(offered)))
    response = post(offered, ("secure-session-response", proof))
    # Blanks around a header's value are no part of it (RFC 9110, section 5.5).
    assert response.status_code == (200 if proof.strip() in proof.strip(" ") and alter in ("{0} ", " {0}") else 400)


def test_two_header_lines_count_as_none(offered, key, events):
    proof = response_header(key.registration(challenge_of(offered)))
    assert is_refused(offered, post(offered, proof, proof), events)


def test_the_longest_proof_that_is_read(offered, key):
    """4,096 characters: the header may hold more than it has to."""
    jwk = {**key.jwk, "kid": ""}
    proof = key.registration(challenge_of(offered), jwk=jwk)
    for size in range(4_096 - len(proof) + 1):
        candidate = key.registration(challenge_of(offered), jwk={**jwk, "kid": "x" * size})
        if len(candidate) > 4_096:
            break
        proof = candidate
    assert 4_090 <= len(proof) <= 4_096
    assert post(offered, response_header(proof)).status_code == 200


def test_the_body_is_not_read(offered, key):
    proof = response_header(key.registration(challenge_of(offered)))
    response = offered.client.request(
        "POST",
        REGISTER,
        headers=[proof, ("cookie", offered.cookie_header()), ("content-type", "application/json")],
        content=b"{" * 1_000_000,
    )
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [REGISTER, REFRESH])
def test_other_methods_are_the_applications(user, method, path):
    name = path.rpartition("/")[2]
    assert user.send(method, path).json() == f"the application's {name}"


@pytest.mark.parametrize(
    "path", [f"{REGISTER}/", f"{REGISTER}ed", "/session/device/other", "/session/device/Register", f"/a{REGISTER}"]
)
def test_other_paths_are_the_applications(user, path):
    response = user.send("POST", path)
    assert "x-frame-options" not in response.headers


def test_another_path_of_the_options(clock, key):
    app = bank(clock=clock, device_binding=DeviceBinding(path="/bind"))
    browser = Browser(app, clock, registers=False)
    browser.post("/login")
    assert browser.offers[-1].path == "/bind/register"
    assert browser.send("POST", REGISTER).json() == "the application's register"
    assert browser.register().json()["refresh_url"] == "/bind/refresh"
    browser.forget(BOUND)
    assert browser.get("/who").json()[:3] == [42, "valid", True]


def test_nothing_secret_is_logged(offered, key, events, caplog):
    """Neither the proof nor the challenge, the key or a cookie, whatever goes wrong or right."""
    caplog.set_level(logging.DEBUG, "fastsession")
    proof = key.registration(challenge_of(offered))
    post(offered, response_header(proof[:-4] + "AAAA"))
    post(offered, response_header("not.a.proof-of-anything"))
    post(offered, response_header(proof))
    offered.send("POST", REFRESH, [("sec-secure-session-id", key.identifier), response_header(proof)])
    shown = caplog.text + repr(events) + repr([record.__dict__ for record in caplog.records])
    parts = proof.split(".")
    secrets = [*parts, challenge_of(offered), *offered.cookies().values(), key.jwk["x"], key.compressed.hex()]
    assert "proof_failed" in shown
    assert [secret for secret in secrets if secret in shown] == []
    assert "proof-of-anything" not in shown


def test_a_refusal_says_why(offered, key, events):
    register(offered, key, "nonsense")
    post(offered, response_header("nonsense"))
    details = [event.detail for event in events if event.kind is EventKind.PROOF_FAILED]
    assert len(set(details)) == 2
    assert not any("nonsense" in detail for detail in details)
