"""What a session's cookies come to at the borders: headers that were opened before, cookies of one second, the details of a rejection."""

import sys
import tracemalloc

import pytest

from fastsession import Lifetime
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.keyring import KeyRing
from fastsession.lifetime import Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import Token, TokenSealer, decode, encode
from fastsession.status import SessionStatus

NOW = 1_800_000_000
MINE, YOURS = bytes(16), bytes(range(16))
LONGEST_REMEMBERED, MOST_REMEMBERED, MOST_NOTED = 8192, 512, 1024
MOST_SEARCHED = 65_536


def cookies_called(name, most):
    sealer = TokenSealer(KeyRing([b"eleven blue lanterns hang over the 7th pier"]), cookie_name=name)
    return OwnCookies(sealer, Chunks(name, most), Timeouts(Lifetime(1800, 43_200)))


@pytest.fixture
def cookies():
    return cookies_called("s", 3)


def token(session_id=MINE, *, created_at=NOW, payload=b"{}", binding=b""):
    return Token(session_id, created_at, 0, NOW, remembered=False, payload=payload, binding=binding)


def header(cookies, *tokens):
    return "; ".join(f"s={cookies.sealer.seal(one, now=NOW)}" for one in tokens).encode()


def status_at(cookies, sent, now):
    """Why the cookies are turned away then, None if they are not."""
    try:
        cookies.open(sent, b"", now)
    except Rejected as rejected:
        return rejected.status
    return None


def rejection(cookies, sent, *, binding=b""):
    with pytest.raises(Rejected) as rejected:
        cookies.open(sent, binding, NOW)
    return rejected.value.status, rejected.value.detail


@pytest.mark.parametrize(
    ("size", "remembered"), [(0, True), (LONGEST_REMEMBERED, True), (LONGEST_REMEMBERED + 1, False)]
)
def test_a_header_of_up_to_8192_bytes_that_came_twice_is_not_opened_again(cookies, size, remembered):
    sent = header(cookies, token())
    sent += b"; t=" + b"x" * (size - len(sent) - 4) if size else b""
    seen = cookies.open(sent, b"", NOW)
    first = cookies.open(sent, b"", NOW)
    assert seen is not first
    again = cookies.open(sent, b"", NOW)
    assert first.token == again.token == token()
    assert (first is again) is remembered


def test_a_header_that_came_once_is_not_remembered_whatever_came_before(cookies):
    cookies.open(header(cookies, token(YOURS)), b"", NOW)
    sent = header(cookies, token())
    assert cookies.open(sent, b"", NOW) is not cookies.open(sent, b"", NOW)


@pytest.mark.parametrize(("others", "remembered"), [(MOST_NOTED - 1, True), (MOST_NOTED, False)])
def test_a_header_counts_as_seen_while_1024_are(cookies, others, remembered):
    sent = header(cookies, token())
    for number in range(others + 1):
        cookies.open(b"%b; visits=%d" % (sent, number) if number else sent, b"", NOW)
    assert (cookies.open(sent, b"", NOW) is cookies.open(sent, b"", NOW)) is remembered


def test_a_header_that_came_twice_is_remembered_while_512_others_are(cookies):
    sent = header(cookies, token())
    remembered = [cookies.open(sent, b"", NOW) for _ in range(3)][-1]
    for number in range(MOST_REMEMBERED):
        for _ in range(2):
            cookies.open(b"%b; visits=%d" % (sent, number), b"", NOW)
    assert cookies.open(sent, b"", NOW) is remembered


def calls(cookies, sent):
    """Python's and C's calls that open this header, which came for the first time."""
    count = 0

    def hook(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(hook)
    try:
        cookies.open(sent, b"", NOW)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("size", [2, 4_000, 7_000])
@pytest.mark.parametrize("written", ["{}", "t=1; {}", "{}; t=1"])
def test_cookies_as_a_browser_writes_them_are_opened_without_a_search(size, written):
    # A name that occurs in no token.
    cookies = cookies_called("__Host-session", 3)
    values = cookies.seal(token(payload=b"x" * size), now=NOW)
    pairs = "; ".join(f"{name}={value}" for name, value in values.items())
    cookies.open(f"u=1; {pairs}".encode(), b"", NOW)
    as_written, otherwise = (calls(cookies, each.encode()) for each in (written.format(pairs), f"t=1;{pairs}"))
    assert as_written < otherwise


# A name that occurs in no token, and one that does.
@pytest.mark.parametrize("name", ["__Host-session", "s"])
@pytest.mark.parametrize("end", ["X", "\x0b", "\x0c"])
def test_only_blanks_and_tabs_behind_a_token_are_no_part_of_it(name, end):
    cookies = cookies_called(name, 3)
    text = cookies.sealer.seal(token(), now=NOW)
    assert status_at(cookies, f"{name}={text} \t".encode(), NOW) is None
    assert status_at(cookies, f"{name}={text}{end}".encode(), NOW) in (SessionStatus.MALFORMED, SessionStatus.FORGED)


@pytest.mark.parametrize(("size", "status"), [(MOST_SEARCHED, None), (MOST_SEARCHED + 1, SessionStatus.OVERSIZE)])
def test_a_session_behind_another_cookie_of_its_name_is_found_in_64_kilobytes(cookies, size, status):
    sent = b"s=junk; " + header(cookies, token()) + b"; t="
    assert status_at(cookies, sent + b"x" * (size - len(sent)), NOW) is status


def test_a_header_that_was_turned_away_is_not_remembered(cookies):
    sent = header(cookies, token(binding=YOURS))
    for _ in range(2):
        assert rejection(cookies, sent, binding=MINE) == (SessionStatus.BINDING, "bound to another connection")
    assert cookies.open(sent, YOURS, NOW).token.id == MINE


@pytest.mark.parametrize("payloads", [(b"{}", b'{"a":1}'), (b'{"a":1}', b"{}")])
def test_of_two_cookies_sealed_in_the_same_second_the_later_one_counts(cookies, payloads):
    sent = header(cookies, *[token(payload=payload) for payload in payloads])
    assert cookies.open(sent, b"", NOW).token.payload == payloads[1]


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_key_whose_id_differs_in_its_last_bits_only_is_another_key(cookies, bits):
    """Characters hold six bits: the first five are those of a token under our key."""
    good = cookies.sealer.seal(token(), now=NOW)
    raw = decode(good)
    others = [encode(raw[:3] + bytes([raw[3] ^ bits]) + raw[4:-1] + bytes([last])) for last in (1, 2)]
    assert all(other[:5] == good[:5] for other in others)
    unknown = "; ".join(f"s={other}" for other in others).encode()
    assert rejection(cookies, unknown) == (SessionStatus.UNKNOWN_KEY, "sealed under a secret that is not configured")
    assert cookies.open(unknown + b"; s=" + good.encode(), b"", NOW).token.id == MINE


def test_of_several_cookies_only_those_bound_to_this_connection_count(cookies):
    sent = header(cookies, token(binding=YOURS), token(binding=MINE, payload=b'{"a":1}'), token(YOURS, binding=YOURS))
    assert cookies.open(sent, MINE, NOW).token.payload == b'{"a":1}'
    assert rejection(cookies, sent)[0] == SessionStatus.BINDING


def test_a_bound_session_is_turned_away_known_or_not_where_the_connection_is_another(cookies):
    sent = header(cookies, token(binding=YOURS))
    for _ in range(2):
        assert cookies.open(sent, YOURS, NOW).token.id == MINE
        assert rejection(cookies, sent, binding=MINE)[0] == SessionStatus.BINDING
        assert rejection(cookies, sent)[0] == SessionStatus.BINDING


def test_the_ages_of_no_more_than_512_cookies_are_remembered(cookies):
    begins = header(cookies, token())[: len("s=") + 6]
    tracemalloc.start()
    for number in range(3_000):
        if number == 1_000:
            settled = tracemalloc.get_traced_memory()[0]
        cookies.may_be_due(b"%b%06d" % (begins, number), NOW)
    grown = tracemalloc.get_traced_memory()[0] - settled
    tracemalloc.stop()
    assert grown < 10_000


def test_the_hashes_of_no_more_than_1024_headers_are_remembered(cookies):
    sent = header(cookies, token())
    tracemalloc.start()
    for number in range(4_000):
        if number == 2_000:
            settled = tracemalloc.get_traced_memory()[0]
        assert cookies.open(b"%b; visits=%d" % (sent, number), b"", NOW).token.id == MINE
    grown = tracemalloc.get_traced_memory()[0] - settled
    tracemalloc.stop()
    assert grown < 40_000


@pytest.mark.parametrize(
    ("now", "status"),
    [
        *((NOW - 30.5, SessionStatus.FUTURE), (NOW - 30, None), (NOW + 1799.5, None)),
        (NOW + 1800, SessionStatus.EXPIRED_IDLE),
    ],
)
def test_a_token_is_judged_alike_whether_or_not_it_is_remembered(cookies, now, status):
    sent = header(cookies, token())
    assert status_at(cookies, sent, now) == status
    assert status_at(cookies, sent, NOW) is None
    assert status_at(cookies, sent, now) == status


def test_two_valid_sessions_are_described_to_operators(cookies):
    sent = header(cookies, token(), token(YOURS))
    assert rejection(cookies, sent) == (SessionStatus.AMBIGUOUS, "valid cookies of different sessions")


def test_of_several_that_can_be_no_session_the_first_tells_why(cookies):
    first_chunk = cookies.seal(token(payload=bytes(4_000)), now=NOW)["s"]
    of_no_size = first_chunk[11:171]
    told = (SessionStatus.INCOMPLETE, "1 of 2 chunks"), (SessionStatus.FORGED, "the tag does not match")
    assert rejection(cookies, f"s={first_chunk}; s={of_no_size}".encode()) == told[0]
    assert rejection(cookies, f"s={of_no_size}; s={first_chunk}".encode()) == told[1]


def test_a_set_without_its_first_chunk_is_described_to_operators(cookies):
    sent = f"s.1={cookies.seal(token(payload=bytes(4000)), now=NOW)['s.1']}".encode()
    assert rejection(cookies, sent) == (SessionStatus.INCOMPLETE, "the first chunk is missing")


@pytest.mark.parametrize(
    ("before", "opened"),
    [(b"", False), (b"t=1;", False), (b"t=1; ", False), (b"t=1;\t", False), (b"t=1; t", True), (b"t=1;t", True)],
)
def test_only_a_pair_not_as_browsers_write_it_is_opened_to_know_its_age(cookies, before, opened):
    assert cookies.may_be_due(before + header(cookies, token()), NOW) is opened


def test_of_a_session_that_does_not_fit_the_three_largest_fields_are_told_and_a_way_out(cookies):
    payload = b'{"a":"%b","b":"%b","c":"%b","d":"%b"}' % (b"a" * 4000, b"b" * 3000, b"c" * 2000, b"d" * 1000)
    with pytest.raises(SessionTooLargeError, match=r", or raise max_cookies \(3 at most\)") as caught:
        cookies.seal(token(payload=payload), now=NOW)
    assert caught.value.fields == [("a", 4008), ("b", 3008), ("c", 2008)]
    assert (caught.value.size > caught.value.limit, caught.value.limit) == (True, cookies.chunks.capacity)


def test_a_session_may_fill_its_cookie_to_the_last_byte(cookies):
    one = token(payload=b'{"a":"%b"}' % (b"a" * 2700))
    free = MAX_COOKIE_SIZE - len(cookies.sealer.seal(one, now=NOW))
    [(name, value)] = cookies_called("s" * free, 1).seal(one, now=NOW).items()
    assert len(name + value) == MAX_COOKIE_SIZE
    with pytest.raises(SessionTooLargeError):
        cookies_called("s" * (free + 1), 1).seal(one, now=NOW)
