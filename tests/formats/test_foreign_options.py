"""`format=` beside the other options: secrets, chunks, lifetimes."""

import logging

import pytest
from pydantic import SecretStr
from starlette.datastructures import Secret

from fastsession import ConfigurationError, SessionMiddleware, SessionTooLargeError
from fastsession.formats import (
    ClientSessions,
    H3Session,
    HonoSessions,
    Iron,
    IronSession,
    NuxtSession,
    StarletteSession,
    Yar,
)
from fastsession.stores import MemoryStore
from tests.other_side import FORMATS, NAME, PASSWORD, OtherSide
from tests.shop import IDLE, MINUTE, SECRET, browser, set_cookies, shop


def sharing(format_, clock, **options):
    client = browser(shop(format=format_, clock=clock, **options))
    return client, OtherSide(format_, client, clock)


def names(response):
    """Of the cookies that a response sets, and of those that it deletes."""
    lines = set_cookies(response)
    deleted = {line.partition("=")[0] for line in lines if "Max-Age=0" in line}
    return {line.partition("=")[0] for line in lines} - deleted, deleted


@pytest.fixture
def chunked(clock):
    return sharing(IronSession(password=PASSWORD, cookie_name=NAME, ttl=IDLE, chunk=True), clock)


def test_a_large_session_takes_chunks_and_logout_clears_every_one(chunked):
    client, other = chunked
    assert names(client.post("/note/7000")) == ({f"{NAME}.0", f"{NAME}.1", f"{NAME}.2"}, set())
    assert len(other.data["note"]) == 7000
    assert names(client.post("/logout")) == (set(), {f"{NAME}.0", f"{NAME}.1", f"{NAME}.2"})


def test_a_session_that_grows_or_shrinks_leaves_no_stale_cookie(chunked):
    client, other = chunked
    client.post("/cart/tea")
    assert names(client.post("/note/7000")) == ({f"{NAME}.0", f"{NAME}.1", f"{NAME}.2"}, {NAME})
    assert names(client.post("/note/3000")) == ({f"{NAME}.0", f"{NAME}.1"}, {f"{NAME}.2"})
    assert names(client.post("/note/1")) == ({NAME}, {f"{NAME}.0", f"{NAME}.1"})
    assert (other.data["note"], other.data["cart"]) == ("n", ["tea"])


def test_a_session_with_its_first_chunk_missing_is_incomplete(chunked):
    client, _ = chunked
    client.post("/note/7000")
    client.cookies.delete(f"{NAME}.0")
    assert client.get("/info").json()["status"] == "incomplete"


@pytest.mark.parametrize("name", FORMATS)
def test_a_session_that_does_not_fit_is_an_error_that_names_its_field(name, clock):
    client, _ = sharing(FORMATS[name], clock)
    with pytest.raises(SessionTooLargeError, match="'note'") as raised:
        client.post("/note/4000")
    # An option that format= refuses is no way out.
    assert "max_cookies" not in str(raised.value)


def test_a_session_with_no_room_for_our_key_is_read_and_only_a_change_fails(clock):
    client, other = sharing(FORMATS["IronSession"], clock)
    other.write({"note": "n" * 2600})
    response = client.get("/view")
    assert (response.json(), set_cookies(response)) == ({"note": "n" * 2600}, [])
    with pytest.raises(SessionTooLargeError):
        client.post("/cart/tea")


def test_every_password_opens_and_the_first_one_seals(clock):
    older = IronSession(password=PASSWORD, cookie_name=NAME, ttl=IDLE)
    newer = IronSession(
        password={1: PASSWORD, 2: "its successor, which is as long as that"}, cookie_name=NAME, ttl=IDLE
    )
    client, _ = sharing(newer, clock)
    OtherSide(older, client, clock).write({"user_id": 7})
    assert client.get("/view").json() == {"user_id": 7}
    assert client.cookies[NAME].startswith("Fe26.2*2*")


def test_a_format_that_ends_before_the_idle_timeout_ends_the_session(clock):
    format_ = ClientSessions(secret=PASSWORD, cookie_name=NAME, duration=10 * MINUTE, active_duration=MINUTE)
    client, _ = sharing(format_, clock, renew_after=20 * MINUTE)
    client.post("/cart/tea")
    clock.advance(10 * MINUTE)
    assert client.get("/info").json()["status"] == "valid"
    clock.advance(1)
    assert client.get("/info").json()["status"] == "expired_absolute"


def test_a_format_that_lasts_longer_than_the_idle_timeout_is_still_good_at_the_other_side(clock):
    client, other = sharing(IronSession(password=PASSWORD, cookie_name=NAME, ttl=2 * IDLE), clock)
    client.post("/cart/tea")
    clock.advance(IDLE)
    assert other.data["cart"] == ["tea"]
    assert client.get("/info").json()["status"] == "expired_idle"


def test_a_longer_ttl_at_the_other_side_than_here_is_rejected(clock):
    client, _ = sharing(IronSession(password=PASSWORD, cookie_name=NAME, ttl=IDLE), clock)
    OtherSide(IronSession(password=PASSWORD, cookie_name=NAME, ttl=2 * IDLE), client, clock).write({"user_id": 7})
    assert client.get("/info").json()["status"] == "future"


def test_a_shorter_ttl_at_the_other_side_than_here_makes_its_sessions_look_older(clock):
    client, _ = sharing(IronSession(password=PASSWORD, cookie_name=NAME, ttl=2 * IDLE), clock)
    OtherSide(IronSession(password=PASSWORD, cookie_name=NAME, ttl=IDLE), client, clock).write({"user_id": 7})
    assert client.get("/info").json()["status"] == "expired_idle"


@pytest.mark.parametrize("options", [{"session_cookie": "other"}, {"max_cookies": 1}, {"audience": "shop"}], ids=str)
def test_options_of_our_own_token_are_refused_beside_a_format(options):
    with pytest.raises(ConfigurationError, match="no meaning with format="):
        SessionMiddleware(None, secret_key=SECRET, format=FORMATS["Iron"], **options)


def test_a_store_is_refused_beside_a_format_because_the_other_side_would_find_no_data():
    with pytest.raises(ConfigurationError, match="format="):
        SessionMiddleware(None, secret_key=SECRET, format=FORMATS["Iron"], store=MemoryStore())


@pytest.mark.parametrize("given", ["iron-session", IronSession], ids=["name", "class"])
def test_what_is_no_format_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"format takes an object, as in format=IronSession\("):
        SessionMiddleware(None, secret_key=SECRET, format=given)


def test_a_format_that_is_only_read_is_refused():
    reader = StarletteSession(secret_key=PASSWORD)
    with pytest.raises(ConfigurationError, match="StarletteSession with migrate_from="):
        SessionMiddleware(None, secret_key=SECRET, format=reader)


@pytest.mark.parametrize("options", [{"path": "/shop"}, {"domain": "example.com"}, {"https_only": False}], ids=str)
def test_a_name_whose_prefix_the_options_contradict_is_refused(options):
    format_ = IronSession(password=PASSWORD, cookie_name="__Host-shared")
    assert SessionMiddleware(None, secret_key=SECRET, format=format_)
    with pytest.raises(ConfigurationError, match="__Host-shared"):
        SessionMiddleware(None, secret_key=SECRET, format=format_, **options)


@pytest.mark.parametrize("place", ["secret_key", "secret_key_fallbacks"])
def test_a_secret_that_is_also_ours_is_refused(place):
    format_ = IronSession(password={1: PASSWORD, 2: SECRET}, cookie_name=NAME)
    options = {"secret_key": SECRET} if place == "secret_key" else {"secret_key": PASSWORD, place: [SECRET]}
    with pytest.raises(ConfigurationError, match="same secret") as refused:
        SessionMiddleware(None, format=format_, **options)
    assert SECRET not in str(refused.value)


def test_a_weak_secret_of_the_other_side_is_taken_with_one_warning(caplog):
    format_ = ClientSessions(secret="keyboard cat", cookie_name=NAME)
    assert SessionMiddleware(None, secret_key=SECRET, format=format_)
    assert [(record.levelno, "keyboard" in record.message) for record in caplog.records] == [(logging.WARNING, False)]


@pytest.mark.parametrize("hidden", [SecretStr, Secret])
@pytest.mark.parametrize("made", [H3Session, HonoSessions, Iron, IronSession, NuxtSession, Yar])
def test_a_password_may_be_in_a_type_that_hides_it(made, hidden):
    options = {"ttl": IDLE} if made in (Iron, IronSession) else {}
    assert made(password=hidden(PASSWORD), cookie_name=NAME, **options).secrets == (PASSWORD.encode(),)


@pytest.mark.parametrize("several", [lambda one, two: [one, two], lambda one, two: {"secret": one, "integrity": two}])
def test_so_may_several_passwords(several):
    iron = Iron(password=several(SecretStr(PASSWORD), SecretStr(SECRET)), cookie_name=NAME, ttl=IDLE)
    assert iron.secrets == (PASSWORD.encode(), SECRET.encode())
