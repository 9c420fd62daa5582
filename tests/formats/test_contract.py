"""What every format keeps to."""

import inspect
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsession import ConfigurationError, SessionStatus, generate_key
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import Rejected
from fastsession.formats import names_of
from fastsession.keyring import KeyRing
from fastsession.sealing.token import Token, TokenSealer
from tests.formats.cases import CASES
from tests.formats.reception import status_of

EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
TOKEN = TokenSealer(KeyRing([generate_key().encode()]), cookie_name="app_session").seal(
    Token(b"i" * 16, 1, 0, 1, False, b"{}"), now=1
)


@EVERY
def test_its_session_is_read_beside_other_cookies(case):
    session = case.reader.read({"theme": "dark", **case.cookies, "lang": "de"}, now=case.now)
    assert session == case.reader.read(case.cookies, now=case.now)
    assert isinstance(session.data, dict)


@EVERY
@pytest.mark.parametrize("others", [{}, {"theme": "dark"}])
def test_without_its_cookies_it_is_absent(case, others):
    assert status_of(case.reader, others, case.now) is SessionStatus.ABSENT


@EVERY
def test_an_emptied_cookie_is_absent(case):
    assert status_of(case.reader, dict.fromkeys(case.cookies, ""), case.now) is SessionStatus.ABSENT


@EVERY
def test_its_cookies_are_named_and_no_others(case):
    names = names_of(case.reader, {"theme": "dark", **case.cookies, "session-theme": "1", "session.1x": "2"})
    assert set(names) == case.own_names
    assert names_of(case.reader, {"theme": "dark"}) == []


@EVERY
def test_a_value_longer_than_a_cookie_is_oversize(case):
    name, value = next(iter(case.cookies.items()))
    assert status_of(case.reader, {**case.cookies, name: value + "A" * 4096}, case.now) is SessionStatus.OVERSIZE


@EVERY
def test_under_another_secret_it_is_forged_or_of_an_unknown_key(case):
    assert status_of(case.with_another_secret(), case.cookies, case.now) is case.status_under_another_secret


@EVERY
def test_a_token_of_ours_is_not_read(case):
    cookies = dict.fromkeys(case.cookies, TOKEN)
    assert status_of(case.reader, cookies, case.now) in {SessionStatus.MALFORMED, SessionStatus.FORGED}


@EVERY
def test_its_cookies_are_no_tokens_of_ours(case):
    sealer = TokenSealer(
        KeyRing(list(case.reader.secrets) or [b"public keys only"]), cookie_name=case.reader.cookie_name
    )
    for value in case.cookies.values():
        with pytest.raises(Rejected):
            sealer.open(value)


@EVERY
@given(value=st.text(max_size=200) | st.text(alphabet="AZaz09-_*.~%;:=+/\"'", max_size=80), position=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_its_cookies_is_turned_away(case, value, position):
    names = list(case.cookies)
    cookies = {**case.cookies, names[position % len(names)]: value}
    assert status_of(case.reader, cookies, case.now) is not SessionStatus.VALID


@EVERY
def test_it_tells_when_its_cookies_hold_no_time(case):
    session = case.reader.read(case.cookies, now=case.now)
    assert (session.created_at is None and session.expires_at is None) != case.holds_time
    if not case.holds_time:
        assert re.search(r"no time", inspect.getdoc(type(case.reader)))


@EVERY
def test_its_options_are_given_by_name(case):
    parameters = list(inspect.signature(type(case.reader)).parameters.values())
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


@EVERY
def test_a_name_that_no_cookie_has_is_a_configuration_error(case):
    for name in ("", "a b", "a=b", "a;b", "é"):
        with pytest.raises(ConfigurationError, match="cookie_name"):
            case.vector.reader(cookie_name=name)


@EVERY
def test_its_secrets_are_not_shown(case):
    texts = {repr(case.reader), str(case.reader)}
    assert case.reader.secrets or "jwks" in case.name
    assert not any(secret.decode("latin-1") in text for secret in case.reader.secrets for text in texts)


@EVERY
def test_it_writes_only_if_it_is_two_way(case):
    assert hasattr(case.reader, "write") == case.two_way


@pytest.mark.parametrize("case", [case for case in CASES if case.two_way], ids=lambda case: case.name)
def test_what_was_read_and_written_reads_the_same(case):
    session = case.reader.read(case.cookies, now=case.now)
    cookies = case.reader.write(session, now=case.now + 5)
    assert all(len(name) + len(value) <= MAX_COOKIE_SIZE for name, value in cookies.items())
    again = case.reader.read(cookies, now=case.now)
    assert (again.data, again.id) == (session.data, session.id)
    for before, after in ((session.created_at, again.created_at), (session.expires_at, again.expires_at)):
        assert after == pytest.approx(before, abs=0.001)
