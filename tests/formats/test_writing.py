"""What two-way formats write, and what they refuse to."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsession import SessionNotSerializableError, SessionStatus, SessionTooLargeError
from fastsession.formats import ClientSessions, ForeignSession, Iron, IronSession, Yar
from tests.formats.reception import status_of

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NOW = 1751328000.25
SECRET = "a secret of the other system, long enough"
FORMATS = {
    "IronSession": IronSession(password=SECRET, cookie_name="c", ttl=3600),
    "Iron": Iron(password=SECRET, cookie_name="c", ttl=3600, timestamp_skew=0),
    "Yar": Yar(password=SECRET, cookie_name="c"),
    "ClientSessions": ClientSessions(secret=SECRET, cookie_name="c", duration=3600),
}
EVERY = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.just("\ud800 alone"),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)


@EVERY
@given(data=st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
@settings(max_examples=150, deadline=None)
def test_json_comes_back_as_it_went_in(format, data):
    assert format.read(format.write(ForeignSession(data), now=NOW), now=NOW).data == data


@EVERY
def test_two_seals_of_one_session_are_different(format):
    first, second = (format.write(ForeignSession({"user_id": 42}), now=NOW) for _ in range(2))
    assert first != second


@EVERY
def test_a_session_ends_when_it_is_told_to(format):
    cookies = format.write(ForeignSession({}, NOW, NOW + 600), now=NOW)
    assert format.read(cookies, now=NOW + 599).expires_at == pytest.approx(NOW + 600, abs=0.001)
    assert status_of(format, cookies, NOW + 661) is SessionStatus.EXPIRED_ABSOLUTE


@EVERY
def test_without_an_end_it_is_the_formats_own(format):
    session = format.read(format.write(ForeignSession({}), now=NOW), now=NOW)
    expected = None if isinstance(format, Yar) else pytest.approx(NOW + 3600, abs=0.001)
    assert session.expires_at == expected


@EVERY
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {1, 2}, object(), b"bytes"], ids=["NaN", "infinity", "set", "object", "bytes"]
)
def test_what_is_not_json_is_refused_by_its_key(format, value):
    with pytest.raises(SessionNotSerializableError) as refusal:
        format.write(ForeignSession({"fine": 1, "odd": value}), now=NOW)
    assert refusal.value.field == ("_store" if isinstance(format, Yar) else "odd")


@EVERY
def test_what_is_nested_too_deep_to_be_read_is_not_written(format):
    nested = []
    for _ in range(500):
        nested = [nested]
    with pytest.raises(SessionNotSerializableError):
        format.write(ForeignSession({"deep": nested}), now=NOW)


@EVERY
def test_what_no_cookie_holds_is_refused_with_its_largest_fields(format):
    with pytest.raises(SessionTooLargeError) as refusal:
        format.write(ForeignSession({"small": 1, "large": "x" * 5000}), now=NOW)
    assert refusal.value.size > refusal.value.limit
    assert refusal.value.fields[0][0] == "large"


def test_more_than_four_chunks_are_refused():
    chunked = IronSession(password=SECRET, cookie_name="c", chunk=True)
    assert len(chunked.write(ForeignSession({"a": "x" * 11_000}), now=NOW)) == 4
    with pytest.raises(SessionTooLargeError):
        chunked.write(ForeignSession({"a": "x" * 12_000}), now=NOW)


def test_a_small_session_takes_one_cookie_even_where_chunks_are_allowed():
    chunked = IronSession(password=SECRET, cookie_name="c", chunk=True)
    assert list(chunked.write(ForeignSession({"a": 1}), now=NOW)) == ["c"]


def test_the_first_secret_seals_and_all_open():
    older = ClientSessions(secret="its older secret")
    both = ClientSessions(secret=[SECRET, "its older secret"])
    assert status_of(both, older.write(ForeignSession({}), now=NOW), NOW) is SessionStatus.VALID
    assert status_of(older, both.write(ForeignSession({}), now=NOW), NOW) is SessionStatus.FORGED
