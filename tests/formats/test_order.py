"""What is believed, and when: nothing before the MAC, and no time that cannot be."""

import pytest

from fastsession import SessionStatus
from fastsession.formats import FastifySecureSession, ForeignSession, Iron, IronSession
from tests.formats.cases import CASES
from tests.formats.reception import status_of
from tests.formats.test_odd_content import client_sessions, secure_session, starlette

NOW = 1751328000
SKEW = 30
SECRET = "a secret of the other system, long enough"
KEY = bytes(range(32))
TEN_YEARS = 10 * 365 * 86400
DATED = [case for case in CASES if case.holds_time and case.name != "ExpressSession"]


@pytest.mark.parametrize("case", DATED, ids=lambda case: case.name)
def test_an_expired_cookie_under_another_key_is_forged_and_not_expired(case):
    later = case.now + TEN_YEARS
    assert status_of(case.reader, case.cookies, later) is SessionStatus.EXPIRED_ABSOLUTE
    assert status_of(case.with_another_secret(), case.cookies, later) is case.status_under_another_secret


def test_an_expiration_that_was_changed_is_not_believed():
    reader = Iron(password=SECRET, cookie_name="c", ttl=60)
    fields = reader.write(ForeignSession({}), now=NOW)["c"].split("*")
    for expiration in ("1", "", "soon", "9" * 40):
        changed = "*".join([*fields[:5], expiration, *fields[6:]])
        assert status_of(reader, {"c": changed}, NOW) is SessionStatus.FORGED


@pytest.mark.parametrize("salt", ["", "0", "f" * 64, "f" * 3000])
def test_the_length_of_a_salt_makes_no_difference(salt):
    reader = Iron(password=SECRET, cookie_name="c")
    fields = reader.write(ForeignSession({}), now=NOW)["c"].split("*")
    for place in (2, 6):
        changed = "*".join([*fields[:place], salt, *fields[place + 1 :]])
        assert status_of(reader, {"c": changed}, NOW) is SessionStatus.FORGED


def test_a_salt_beside_a_password_of_bytes_is_no_other_spelling():
    reader = Iron(password=KEY, cookie_name="c")
    fields = reader.write(ForeignSession({}), now=NOW)["c"].split("*")
    assert fields[6] == ""
    assert status_of(reader, {"c": "*".join([*fields[:6], "salt", fields[7]])}, NOW) is SessionStatus.FORGED


def test_a_key_id_is_unknown_where_passwords_have_ids_and_ignored_where_not():
    sealed = IronSession(password={7: SECRET}, cookie_name="c").write(ForeignSession({}), now=NOW)
    assert status_of(IronSession(password={8: SECRET}, cookie_name="c"), sealed, NOW) is SessionStatus.UNKNOWN_KEY
    plain = {"c": sealed["c"].removesuffix("~2")}
    assert status_of(Iron(password=SECRET, cookie_name="c"), plain, NOW) is SessionStatus.VALID


@pytest.mark.parametrize(
    "make",
    [
        lambda at: client_sessions(b"{}", created_at=str(at * 1000)),
        lambda at: secure_session(b'{"__ts": ' + str(at).encode() + b"}"),
        lambda at: (
            reader := IronSession(password=SECRET, cookie_name="c"),
            reader.write(ForeignSession({}), now=at),
        ),
    ],
    ids=["ClientSessions", "FastifySecureSession", "IronSession"],
)
def test_a_session_from_beyond_the_skew_is_from_the_future(make):
    assert status_of(*make(NOW + SKEW), NOW) is SessionStatus.VALID
    assert status_of(*make(NOW + SKEW + 1), NOW) is SessionStatus.FUTURE


def test_itsdangerous_allows_no_second_ahead():
    assert status_of(*starlette(b"{}", timestamp=NOW), NOW + 0.0) is SessionStatus.VALID
    assert status_of(*starlette(b"{}", timestamp=NOW + 1), NOW + 0.9) is SessionStatus.FUTURE


def test_every_key_of_secure_session_opens():
    _, cookies = secure_session(b'{"__ts": 1751328000}')
    assert status_of(FastifySecureSession(key=[bytes(32), KEY], cookie_name="c"), cookies, NOW) is SessionStatus.VALID
    assert status_of(FastifySecureSession(key=[bytes(32)], cookie_name="c"), cookies, NOW) is SessionStatus.FORGED
