"""How a token with a pair is received, row by row of the contract's table, with its boundaries and tossed cookies."""

import os

import pytest

from fastsession import DeviceBinding
from fastsession.events import EventKind
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, SKEW, bank, changed, opened
from tests.device_binding.modelled_browser import Browser
from tests.shop import COOKIE, OLD_SECRET, SECRET, START, shown

UNBOUND = [None, "unbound", False, None]
UNKNOWN_KEY = [None, "unknown_key", False, None]
PROVEN = [42, "valid", True, START + LIFETIME]
NOT_PROVEN = [42, "valid", True, None]
NOT_BOUND = [42, "valid", False, None]


@pytest.fixture
def app(mode, clock, events, without_proof):
    return bank(mode, clock=clock, on_event=events.append, device_binding=DeviceBinding(without_proof=without_proof))


@pytest.fixture
def seen(app):
    """How somebody who sends exactly these cookies is received."""

    def look(header):
        return shown(app, header, "/who").json()

    return look


@pytest.fixture
def no_proof(without_proof):
    """What a bound session is without a proof."""
    return UNBOUND if without_proof == "reject" else NOT_PROVEN


@pytest.fixture
def other(app, clock):
    """Somebody else, signed in and bound too."""
    browser = Browser(app, clock)
    browser.post("/login/7")
    return browser


def flipped(value):
    return value[:-20] + ("A" if value[-20] != "A" else "B") + value[-19:]


def test_a_session_without_a_pair_is_valid_and_not_bound(app, seen, clock):
    browser = Browser(app, clock)
    browser.post("/cart/tea")
    assert list(browser.cookies()) == [COOKIE]
    assert seen(browser.cookie_header()) == [None, "valid", False, None]


@pytest.mark.parametrize("also", [DEVICE, BOUND], ids=["device cookie", "bound cookie"])
def test_the_two_cookies_bind_no_session_that_has_no_pair(app, seen, clock, user, also):
    browser = Browser(app, clock)
    browser.post("/cart/tea")
    header = browser.cookie_header(**{also: user.cookies()[also]})
    assert seen(header) == [None, "valid", False, None]


def test_a_bound_session_with_its_proof_is_valid(user, seen):
    assert seen(user.cookie_header()) == PROVEN


def test_a_session_without_its_device_cookie_is_rejected(user, seen):
    assert seen(user.cookie_header(**{DEVICE: None})) == UNBOUND
    assert seen(user.cookie_header(**{DEVICE: None, BOUND: None})) == UNBOUND


def test_leaving_the_device_cookie_of_an_offer_out_does_not_unbind(offered, seen):
    assert seen(offered.cookie_header(**{DEVICE: None})) == UNBOUND


@pytest.mark.parametrize(
    "value",
    ["", "x", "A" * 151, "AU34DgBrSdHE", '"quoted"', "=" * 151, "A" * 60_000],
    ids=["empty", "x", "zeros", "clear part", "quoted", "padding", "long"],
)
def test_a_device_cookie_that_is_none_is_as_good_as_missing(user, seen, value):
    assert seen(user.cookie_header(**{DEVICE: value}))[0] is None
    assert seen(user.cookie_header(**{DEVICE: value}))[1] in ("unbound", "oversize", "unknown_key")


def test_a_forged_device_cookie_is_as_good_as_missing(user, seen):
    assert seen(user.cookie_header(**{DEVICE: flipped(user.cookies()[DEVICE])})) == UNBOUND


def test_the_device_cookie_of_another_pair_is_as_good_as_missing(user, other, seen):
    assert seen(user.cookie_header(**{DEVICE: other.cookies()[DEVICE]})) == UNBOUND
    assert seen(user.cookie_header(**{DEVICE: other.cookies()[DEVICE], BOUND: other.cookies()[BOUND]})) == UNBOUND


@pytest.mark.parametrize("name", [COOKIE, BOUND])
def test_another_cookies_value_is_no_device_cookie(user, seen, name):
    assert seen(user.cookie_header(**{DEVICE: user.cookies()[name]})) == UNBOUND


def test_a_device_cookie_is_no_proof(user, seen, no_proof):
    assert seen(user.cookie_header(**{BOUND: user.cookies()[DEVICE]})) == no_proof
    assert seen(user.cookie_header(**{BOUND: user.cookies()[COOKIE]})) == no_proof


def test_a_device_cookie_under_an_unknown_secret_is_told_from_none(user, seen):
    stranger = changed(DEVICE, user.cookies()[DEVICE], sealed_under=OLD_SECRET)
    assert seen(user.cookie_header(**{DEVICE: stranger})) == UNKNOWN_KEY
    assert seen(user.cookie_header(**{DEVICE: stranger, BOUND: None})) == UNKNOWN_KEY


def test_a_session_whose_offer_nobody_took_is_valid_and_not_bound(offered, seen):
    assert seen(offered.cookie_header()) == NOT_BOUND


def test_a_proof_means_nothing_without_a_key(offered, seen, user):
    made_up = changed(BOUND, user.cookies()[BOUND], id=opened(DEVICE, offered.cookies()[DEVICE]).id)
    assert seen(offered.cookie_header(**{BOUND: made_up})) == NOT_BOUND


@pytest.mark.parametrize(
    ("proven_at", "is_live"),
    [
        (START - LIFETIME + 1, True),
        (START - LIFETIME, False),
        (START - LIFETIME - 1, False),
        (START, True),
        (START + SKEW - 1, True),
        (START + SKEW, True),
        (START + SKEW + 1, False),
    ],
)
def test_a_proof_counts_from_when_it_was_given_for_its_lifetime(user, seen, no_proof, proven_at, is_live):
    header = user.cookie_header(**{BOUND: changed(BOUND, user.cookies()[BOUND], renewed_at=proven_at)})
    assert seen(header) == ([42, "valid", True, proven_at + LIFETIME] if is_live else no_proof)


def test_the_same_cookies_are_judged_by_the_clock_each_time(user, seen, clock, no_proof):
    header = user.cookie_header()
    assert seen(header) == PROVEN
    clock.advance(LIFETIME - 1)
    assert seen(header) == PROVEN
    clock.advance(0.5)
    assert seen(header) == PROVEN
    clock.advance(0.5)
    assert seen(header) == no_proof
    clock.advance(-1)
    assert seen(header) == PROVEN


def test_a_session_is_over_by_its_own_clocks_whatever_is_proven(user, seen, clock):
    header = user.cookie_header(**{BOUND: changed(BOUND, user.cookies()[BOUND], renewed_at=START + 1800)})
    clock.advance(1800)
    assert seen(header)[:2] == [None, "expired_idle"]


def test_a_missing_proof(user, seen, no_proof):
    assert seen(user.cookie_header(**{BOUND: None})) == no_proof


@pytest.mark.parametrize("value", ["", "x", "A" * 151, '"quoted"'])
def test_a_proof_that_is_none_is_as_good_as_missing(user, seen, no_proof, value):
    assert seen(user.cookie_header(**{BOUND: value})) == no_proof


def test_a_forged_proof_is_as_good_as_missing(user, seen, no_proof):
    assert seen(user.cookie_header(**{BOUND: flipped(user.cookies()[BOUND])})) == no_proof


def test_the_proof_of_another_pair_is_as_good_as_missing(user, other, seen, no_proof):
    assert seen(user.cookie_header(**{BOUND: other.cookies()[BOUND]})) == no_proof


def test_a_proof_under_an_unknown_secret_is_as_good_as_missing(user, seen, no_proof):
    stranger = changed(BOUND, user.cookies()[BOUND], sealed_under=OLD_SECRET)
    assert seen(user.cookie_header(**{BOUND: stranger})) == no_proof


def test_a_missing_device_cookie_is_reported_as_unbound(user, seen, events):
    seen(user.cookie_header(**{DEVICE: None}))
    [event] = events
    assert (event.kind, str(event.status), event.session) == (EventKind.REJECTED, "unbound", "")


def test_a_missing_proof_is_reported_as_unbound(user, seen, events, without_proof):
    seen(user.cookie_header(**{BOUND: None}))
    shown = [(str(event.kind), str(event.status)) for event in events]
    assert shown == ([("rejected", "unbound")] if without_proof == "reject" else [])


def test_a_rejection_deletes_nothing(app, user):
    response = shown(app, user.cookie_header(**{DEVICE: None, BOUND: None}), "/who")
    assert response.headers.get_list("set-cookie") == []


def test_no_answer_tells_a_client_why(app, user):
    bodies = {
        shown(app, header, "/cart").text
        for header in (user.cookie_header(**{DEVICE: None}), user.cookie_header(**{DEVICE: "x"}), "")
    }
    assert bodies == {"[]"}


# Cookies of one name: from a sibling host, or another path.


def tossed(user, *before, name, after=()):
    """The user's cookies with others of one name before and after the right one."""
    values = user.cookies()
    pairs = [(other, value) for other, value in values.items() if other != name]
    pairs += [(name, value) for value in (*before, values[name], *after)]
    return "; ".join(f"{other}={value}" for other, value in pairs)


def test_of_several_device_cookies_the_one_of_the_right_pair_counts(user, other, seen):
    stranger = other.cookies()[DEVICE]
    assert seen(tossed(user, stranger, name=DEVICE)) == PROVEN
    assert seen(tossed(user, stranger, stranger, stranger, name=DEVICE)) == PROVEN
    assert seen(tossed(user, name=DEVICE, after=[stranger])) == PROVEN


def test_a_bounded_number_of_device_cookies_is_looked_at(user, other, seen):
    assert seen(tossed(user, *[other.cookies()[DEVICE]] * 100, name=DEVICE)) == UNBOUND


def test_a_device_cookie_under_an_unknown_secret_does_not_hide_the_right_one(user, seen):
    stranger = changed(DEVICE, user.cookies()[DEVICE], sealed_under=OLD_SECRET)
    assert seen(tossed(user, stranger, name=DEVICE)) == PROVEN
    assert seen(tossed(user, name=DEVICE, after=[stranger])) == PROVEN


def test_garbage_does_not_hide_the_right_one(user, seen):
    garbage = [*("", "x", "A" * 151)]
    assert seen(tossed(user, *garbage, name=DEVICE)) == PROVEN
    assert seen(tossed(user, *garbage, name=BOUND)) == PROVEN


def test_an_emptied_device_cookie_of_the_pair_does_not_unbind(user, seen, no_proof):
    """The one of the time before registration: a thief may have kept it, or plant it."""
    empty = changed(DEVICE, user.cookies()[DEVICE], payload=b"")
    assert seen(tossed(user, empty, name=DEVICE)) == PROVEN
    assert seen(tossed(user, name=DEVICE, after=[empty])) == PROVEN
    without_proof = user.cookie_header(**{BOUND: None})
    assert seen(f"{without_proof}; {DEVICE}={empty}") == no_proof
    assert seen(f"{DEVICE}={empty}; {without_proof}") == no_proof


def test_of_several_proofs_the_newest_counts(user, other, seen, clock):
    old = changed(BOUND, user.cookies()[BOUND], renewed_at=START - 1_000)
    newer = changed(BOUND, user.cookies()[BOUND], renewed_at=START - 10)
    assert seen(tossed(user, old, newer, other.cookies()[BOUND], name=BOUND)) == PROVEN
    assert seen(tossed(user, name=BOUND, after=[old, newer])) == PROVEN


def test_of_two_sessions_the_one_whose_device_this_is_counts(user, other, seen):
    """A session cookie that was planted beside the user's own, without its device cookie."""
    header = user.cookie_header()
    planted = other.cookies()[COOKIE]
    received = [seen(f"{header}; {COOKIE}={planted}"), seen(f"{COOKIE}={planted}; {header}")]
    # Never the planted one: it is the other's, whose device this is not.
    assert all(user_id in (42, None) for user_id, *_ in received), received


def test_random_pairs_of_cookies_never_make_a_session(user, other, seen):
    """Each of the three cookies from one of two people, or left out, or of an earlier time."""
    mine, theirs = user.cookies(), other.cookies()
    for session in (mine, theirs):
        for device in (mine, theirs, {}):
            for bound in (mine, theirs, {}):
                header = "; ".join(
                    f"{name}={jar[name]}"
                    for name, jar in ((COOKIE, session), (DEVICE, device), (BOUND, bound))
                    if name in jar
                )
                user_id, status, is_bound, until = seen(header)
                if until is not None:
                    assert session is device is bound
                if user_id is not None:
                    assert session is device
                    assert is_bound
                assert user_id in (None, 42 if session is mine else 7)
                assert status in ("valid", "unbound")


def test_a_large_session_in_several_cookies_is_bound_too(user, seen, no_proof, mode):
    user.post("/note/5000")
    assert (f"{COOKIE}.1" in user.cookies()) is (mode != "store")
    assert user.get("/who").json() == PROVEN
    assert seen(user.cookie_header(**{BOUND: None})) == no_proof
    assert seen(user.cookie_header(**{DEVICE: None})) == UNBOUND


def test_a_server_with_another_audience_takes_none_of_the_cookies(user, clock, mode):
    theirs = bank(mode, clock=clock, audience="another")
    assert shown(theirs, user.cookie_header(), "/who").json()[:2] == [None, "forged"]


def test_the_audience_is_part_of_what_is_sealed(clock, mode):
    app = bank(mode, clock=clock, audience="ours")
    user = Browser(app, clock)
    user.post("/login")
    assert user.get("/who").json() == PROVEN
    assert opened_with_audience(user.cookies()[DEVICE]).payload == user.binding.key.compressed


def opened_with_audience(value):
    from tests.device_binding.bank import sealer

    return sealer(DEVICE, secret=SECRET, audience="ours").open(value)


def test_noise_costs_no_exception(user, seen, without_proof):
    for size in (1, 100, 151, 152, 3_000):
        noise = os.urandom(size).hex()
        assert seen(user.cookie_header(**{DEVICE: noise}))[0] is None
        assert seen(user.cookie_header(**{BOUND: noise}))[0] == (None if without_proof == "reject" else 42)
