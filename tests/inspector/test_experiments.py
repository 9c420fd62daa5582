"""Each button presents a changed copy of the visitor's cookie to the code that opens every cookie."""

import logging
from datetime import timedelta

import pytest

from fastsession import Lifetime, SessionStatus, generate_key
from fastsession.formats import IronSession
from fastsession.inspector.experiments import EXPERIMENTS, flipped
from fastsession.inspector.wording import MEANINGS
from fastsession.sealing.token import decode
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.inspector.local import PAGE, attempt, inspected_shop, local_browser, panel, status
from tests.shop import IDLE, cookie_header, set_cookies

OUTCOMES = {
    "flip": ("forged", "rejected, status forged", "would leave the cookie as it is", "a fresh session"),
    "wait": ("expired_idle", "rejected, status expired_idle", "would leave the cookie as it is", "a fresh session"),
    "stay": (
        "expired_absolute",
        "rejected, status expired_absolute",
        "would leave the cookie as it is",
        "a fresh session",
    ),
    "rotate": ("valid", "renewed, status valid", "would seal the cookie anew", "this session"),
    "retire": ("unknown_key", "rejected, status unknown_key", "would leave the cookie as it is", "a fresh session"),
}


def iron_session():
    return IronSession(password=generate_key(), cookie_name="iron")


@pytest.fixture
def signed_in(client):
    client.post("/login")
    return client


@pytest.mark.parametrize("experiment", OUTCOMES)
def test_an_experiment_shows_the_status_the_event_and_what_the_response_would_do(signed_in, experiment):
    response = attempt(signed_in, experiment)
    expected, event, does, gets = OUTCOMES[experiment]
    assert status(response, "result") == expected
    told = panel(response, "result")
    assert f"Event {event} The response {does} The route gets {gets}" in told


def test_every_experiment_is_tried_here():
    assert OUTCOMES.keys() | {"cut", "replay"} == EXPERIMENTS.keys()


def test_a_cookie_that_is_cut_is_turned_away(signed_in):
    # By the length, by the encoding, or by the tag: where the cut leaves whole bytes, only the tag tells.
    assert status(attempt(signed_in, "cut"), "result") in {"malformed", "forged"}


def test_a_cookie_of_the_least_size_that_is_cut_is_no_token(clock):
    client = local_browser(inspected_shop(clock=clock, store=MemoryStore(clock=clock)))
    client.post("/login")
    response = attempt(client, "cut")
    assert status(response, "result") == "malformed"
    assert "Reason 150 characters" in panel(response, "result")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_leaves_the_visitors_cookie_alone(signed_in, experiment):
    before = cookie_header(signed_in)
    response = attempt(signed_in, experiment)
    assert set_cookies(response) == []
    assert cookie_header(signed_in) == before
    assert status(signed_in.get(PAGE)) == "valid"


@pytest.mark.parametrize("experiment", OUTCOMES)
def test_an_experiment_tells_the_applications_listeners_nothing(clock, events, experiment):
    client = local_browser(inspected_shop(clock=clock, on_event=events.append))
    client.post("/login")
    events.clear()
    attempt(client, experiment)
    assert events == []


def test_a_rejection_by_an_experiment_is_logged_as_any_other(signed_in, caplog):
    with caplog.at_level(logging.WARNING, logger="fastsession"):
        attempt(signed_in, "flip")
    assert [record.status for record in caplog.records] == ["forged"]


def test_a_rejection_by_an_experiment_stands_in_the_sessions_log(signed_in):
    attempt(signed_in, "flip")
    assert "rejected" in panel(signed_in.get(PAGE), "log")


def test_an_old_cookie_opens_as_long_as_it_is_not_too_old(signed_in):
    signed_in.get(PAGE)
    signed_in.post("/cart/tea")
    response = attempt(signed_in, "replay")
    assert status(response, "result") == "valid"
    assert panel(response, "result").endswith("Set back to then cart")


def test_a_replay_in_a_store_finds_what_is_in_the_store_today(clock):
    client = local_browser(inspected_shop(clock=clock, store=MemoryStore(clock=clock)))
    client.post("/login")
    client.get(PAGE)
    clock.advance(IDLE / 2)
    client.post("/cart/tea")
    response = attempt(client, "replay")
    assert status(response, "result") == "valid"
    assert "Set back" not in panel(response, "result")


def test_a_replay_needs_an_earlier_cookie(signed_in):
    assert "Needs an earlier cookie" in panel(attempt(signed_in, "replay"), "result")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_without_a_session_there_is_nothing_to_try(client, experiment):
    assert "Needs a session" in panel(attempt(client, experiment), "result")
    assert f'action="try?experiment={experiment}#result"' in client.get(PAGE).text
    assert client.get(PAGE).text.count('disabled=""') == len(EXPERIMENTS)


@pytest.mark.parametrize(
    "options",
    [{"store": MemoryStore}, {"revocations": MemoryRevocations}],
    ids=["store", "revocations"],
)
@pytest.mark.parametrize("experiment", OUTCOMES)
def test_with_something_on_the_server_the_outcomes_are_the_same(clock, options, experiment):
    client = local_browser(inspected_shop(clock=clock, **{name: make(clock=clock) for name, make in options.items()}))
    client.post("/login")
    response = attempt(client, experiment)
    assert status(response, "result") == OUTCOMES[experiment][0]
    assert client.get("/info").json()["status"] == "valid"


@pytest.mark.parametrize(
    ("experiment", "expected"), [("flip", "forged"), ("wait", "expired_idle"), ("stay", "expired_absolute")]
)
def test_another_systems_format_is_tried_by_its_own_rules(clock, experiment, expected):
    client = local_browser(inspected_shop(clock=clock, format=iron_session()))
    client.post("/login")
    assert status(attempt(client, experiment), "result") == expected


def test_another_systems_keys_are_not_rotated(clock):
    client = local_browser(inspected_shop(clock=clock, format=iron_session()))
    client.post("/login")
    assert "Needs our own token" in panel(attempt(client, "rotate"), "result")


def test_a_session_in_chunks_is_tried_as_a_whole(client):
    client.post("/note/4000")
    assert status(client.get(PAGE)) == "valid"
    assert status(attempt(client, "flip"), "result") == "forged"
    assert status(attempt(client, "rotate"), "result") == "valid"


def test_a_bound_session_is_tried_on_its_own_connection(clock):
    client = local_browser(inspected_shop(clock=clock, binding=lambda _: b"tenant"))
    client.post("/login")
    assert status(attempt(client, "rotate"), "result") == "valid"


def test_a_remembered_session_waits_for_its_own_timeouts(clock):
    remember = Lifetime(idle=timedelta(days=14), absolute=timedelta(days=90))
    client = local_browser(inspected_shop(clock=clock, remember=remember))
    client.post("/remember/true")
    assert f"{14 * 24 * 60 * 60} seconds" in panel(attempt(client, "wait"), "result")
    assert status(attempt(client, "stay"), "result") == "expired_absolute"


def test_the_shorter_of_two_timeouts_ends_a_session(clock):
    client = local_browser(inspected_shop(clock=clock, idle_timeout=IDLE, absolute_timeout=IDLE))
    client.post("/login")
    assert status(attempt(client, "wait"), "result") == "expired_absolute"


def test_a_flipped_bit_is_one_bit():
    token = "A" * 60 + "Z_-9" * 30
    changed, at = flipped(token)
    assert len(token) // 2 <= at < len(token)
    before, after = (int.from_bytes(decode(text)) for text in (token, changed))
    assert (before ^ after).bit_count() == 1


@pytest.mark.parametrize("character", "0123456789abcdef")
def test_a_flipped_hexadecimal_digit_is_still_one(character):
    changed, _ = flipped(f"*{character}*")
    assert changed[1] in "0123456789abcdef"
    assert changed[1] != character


def test_every_status_has_its_meaning():
    assert MEANINGS.keys() == set(SessionStatus)
