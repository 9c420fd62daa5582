"""From cookies to a token that may be believed: candidates, binding, times, and nothing but a rejection for the rest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsession import Lifetime
from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.lifetime import Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import Token, TokenSealer
from fastsession.status import SessionStatus

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NOW = 1_800_000_000
SECRET, OLD_SECRET = b"eleven blue lanterns hang over the 7th pier", b"nobody counted the 93 gulls on that morning"
SEALER = TokenSealer(KeyRing([SECRET]), cookie_name="s")
OLD_SEALER = TokenSealer(KeyRing([OLD_SECRET]), cookie_name="s")
TIMEOUTS = Timeouts(Lifetime(1800, 43_200), remembered=Lifetime(86_400, 864_000))
MINE, YOURS = bytes(16), bytes(range(16))


def cookies(*, secrets=(SECRET, OLD_SECRET), timeouts=TIMEOUTS):
    return OwnCookies(TokenSealer(KeyRing(secrets), cookie_name="s"), Chunks("s", 3), timeouts)


def token(session_id=MINE, *, renewed_at=NOW, created_at=NOW, remembered=False, payload=b"{}", binding=b""):
    return Token(session_id, created_at, 0, renewed_at, remembered, payload, binding)


def text(sealer=SEALER, **fields):
    return sealer.seal(token(**fields), now=NOW)


def header(*values):
    return "; ".join(f"s={value}" for value in values).encode()


def rejection(sent, *, binding=b"", now=NOW, opener=None):
    with pytest.raises(Rejected) as rejected:
        (opener or cookies()).open(sent, binding, now)
    return rejected.value.status


@pytest.mark.parametrize("sent", [b"", b"t=1; ss=2"])
def test_without_a_cookie_of_the_name_there_is_no_session(sent):
    assert cookies().open(sent, b"", NOW) is None


@pytest.mark.parametrize("size", [2, 1000, 2500, 4000, 7000])
def test_a_session_of_any_size_opens(size):
    one = token(payload=b"x" * size)
    values = cookies().seal(one, now=NOW)
    pairs = "; ".join(f"{name}={value}" for name, value in values.items())
    assert cookies().open(pairs.encode(), b"", NOW).token == one


def test_a_cookie_opens_again_and_again_until_it_expires():
    opener, sent = cookies(), header(text())
    assert [opener.open(sent, b"", NOW + age).token for age in (0, 1, 1799)] == [token()] * 3
    assert rejection(sent, now=NOW + 1800, opener=opener) is SessionStatus.EXPIRED_IDLE


def test_a_cookie_that_was_opened_once_is_still_bound():
    opener, sent = cookies(), header(text(binding=YOURS))
    assert opener.open(sent, YOURS, NOW)
    assert rejection(sent, opener=opener) is SessionStatus.BINDING
    assert rejection(sent, binding=MINE, opener=opener) is SessionStatus.BINDING


def test_an_unbound_session_is_refused_where_binding_is_asked_for():
    assert rejection(header(text()), binding=MINE) is SessionStatus.BINDING


def test_of_several_cookies_of_one_session_the_newest_counts():
    times = [NOW - 60, NOW - 10, NOW - 30]
    values = [text(renewed_at=moment, created_at=NOW - 100) for moment in times]
    assert cookies().open(header(*values), b"", NOW).token.renewed_at == NOW - 10


def test_two_valid_sessions_are_ambiguous():
    assert rejection(header(text(), text(session_id=YOURS))) is SessionStatus.AMBIGUOUS


@pytest.mark.parametrize("other", ["", "s", "s=", "junk", "2.AAAAAAAA.x", "A" * 200, "A" * 20_000])
def test_a_valid_cookie_counts_beside_one_that_is_not(other):
    for values in ((other, text()), (text(), other)):
        assert cookies().open(header(*values), b"", NOW).token.id == MINE


def test_an_expired_cookie_does_not_make_a_valid_one_ambiguous():
    expired = text(session_id=YOURS, renewed_at=NOW - 1800, created_at=NOW - 1800)
    assert cookies().open(header(expired, text()), b"", NOW).token.id == MINE


def test_of_several_rejections_the_first_is_told():
    unknown = text(TokenSealer(KeyRing([b"a third secret: 12 drums, 40 oars, no rain"]), cookie_name="s"))
    assert rejection(header(unknown, "junk")) is SessionStatus.UNKNOWN_KEY
    assert rejection(header("junk", unknown)) is SessionStatus.MALFORMED


def test_a_hundred_duplicates_are_one_session():
    assert cookies().open(header(*[text()] * 100), b"", NOW).token == token()


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([(b"s.1", b"2.AAAAAAAA.x")], SessionStatus.INCOMPLETE),
        ([(b"s.2", b"x"), (b"t", b"y")], SessionStatus.INCOMPLETE),
        ([(b"s", b"2.AAAAAAAA.x")], SessionStatus.INCOMPLETE),
        ([(b"s", b"A" * 12_289)], SessionStatus.OVERSIZE),
        ([(b"t", b"A" * 65_536)], SessionStatus.OVERSIZE),
        ([(b"t", b"A" * 65_536), (b"s", text().encode())], SessionStatus.OVERSIZE),
    ],
)
def test_what_is_not_one_whole_token_has_its_own_status(values, status):
    assert rejection(b"; ".join(b"=".join(pair) for pair in values)) is status


@pytest.mark.parametrize(
    ("sealer", "age", "possible"),
    [
        (SEALER, 449, False),
        (SEALER, 450, True),
        (SEALER, 86_399, True),
        (SEALER, 86_400, False),
        (SEALER, -1000, False),
        (OLD_SEALER, 0, True),
        (OLD_SEALER, 86_400, False),
    ],
)
def test_the_clear_header_tells_whether_renewal_is_possible(sealer, age, possible):
    for size in (2, 4000):
        values = Chunks("s", 3).split(text(sealer, payload=b"x" * size))
        pairs = "; ".join(f"{name}={value}" for name, value in values.items())
        assert cookies().may_be_due(pairs.encode(), NOW + age) is possible


@pytest.mark.parametrize("before", [b"s =", b"ts=1; s=", b"t=s=1; s=", b"s=s=; s="])
def test_a_session_behind_a_pair_not_as_browsers_write_it_is_opened_to_know_its_age(before):
    assert cookies().may_be_due(before + text().encode(), NOW) is True
    assert cookies().may_be_due(b"t=1; s=" + text().encode(), NOW) is False


def test_the_clear_header_is_all_that_tells_whether_renewal_is_possible():
    assert cookies().may_be_due(header(text()[:12]), NOW + 450) is True


@pytest.mark.parametrize("count", [1, 2])
def test_a_session_under_a_fallback_key_is_due_at_once(count):
    old, new = (cookies().open(header(*[text(sealer)] * count), b"", NOW) for sealer in (OLD_SEALER, SEALER))
    assert (old.window.renews <= NOW, new.window.renews <= NOW) == (True, False)


def test_a_session_that_no_browser_writes_so_counts_beside_one_that_is_none():
    assert cookies().open(b"s =" + text().encode() + b"; s=junk", b"", NOW).token == token()


@pytest.mark.parametrize("others", [0, 9_000])
def test_a_remembered_header_is_believed_no_longer_than_its_times_allow(others):
    """Headers beyond 8 KB are opened anew each time, to the same effect."""
    opener, sent = cookies(), b"t=" + b"x" * others + b"; " + header(text())
    assert opener.open(sent, b"", NOW).token == opener.open(sent, b"", NOW + 1799).token == token()
    assert rejection(sent, now=NOW + 1800, opener=opener) is SessionStatus.EXPIRED_IDLE


@pytest.mark.parametrize("value", ["", "x", "2.", "2.AAAAAAAA.", "AdxEJgBrSdI", "=" * 12, "\xff" * 12, "A" * 70_000])
def test_no_renewal_is_possible_for_a_cookie_without_a_clear_header(value):
    sent = b"s=" + value.encode("latin-1")
    assert cookies(secrets=[SECRET]).may_be_due(sent, NOW) is False


VALUES = [text(), text(session_id=YOURS), text(OLD_SEALER), text(binding=YOURS)]
CHUNKED = list(Chunks("s", 3).split(text(payload=b"x" * 4000)).values())
PIECES = [
    *(value.encode() for value in VALUES + CHUNKED),
    b"s=",
    b"s.1=",
    b"s.2=",
    b"; ",
    b"=",
    b".",
    b"2.AAAAAAAA.",
    b"\0",
    b"\n",
]
# A byte stands for a piece of a cookie, a line break, or itself: one draw makes all the headers.
ALPHABET = [PIECES[code % len(PIECES)] if code < 192 else bytes([code]) for code in range(256)]
HEADERS = st.binary(max_size=16).map(lambda seed: b"".join(ALPHABET[code] for code in seed).split(b"\n"))
OPENER = cookies()


@given(HEADERS, st.sampled_from([b"", YOURS]), st.integers(NOW - 100, NOW + 100) | st.integers(0, 2**41))
@settings(max_examples=10_000, deadline=None)
def test_any_headers_give_a_session_that_was_sealed_or_a_rejection(lines, binding, now):
    sent = b"; ".join(lines)
    assert OPENER.may_be_due(sent, now) in (True, False)
    try:
        opened = OPENER.open(sent, binding, now)
    except Rejected:
        return
    opened = opened and opened.token
    assert opened is None or (opened.id in (MINE, YOURS) and opened.payload in (b"{}", b"x" * 4000))
