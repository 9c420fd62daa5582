"""Cookies of our name that somebody planted, from a sibling host or another path: they neither hide the session nor cost much."""

import os
import sys
from base64 import urlsafe_b64encode

import pytest

from fastsession import Lifetime, SessionMiddleware
from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.lifetime import Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import Token, TokenSealer
from fastsession.status import SessionStatus
from tests.wire import call, http_scope

NOW = 1_800_000_000
SECRET, OLD_SECRET, STRANGE = (
    b"eleven blue lanterns hang over the 7th pier",
    b"nobody counted the 93 gulls on that morning",
    b"a third secret: 12 drums, 40 oars, no rain",
)
NAME = "__Secure-app_session"
MINE, YOURS = bytes(16), bytes(range(16))


class CountingCipher:
    """A key's cipher that keeps what it was given to open."""

    def __init__(self, cipher):
        self.cipher = cipher
        self.opened = set()

    def open(self, sealed, associated_data):
        self.opened.add(sealed)
        return self.cipher.open(sealed, associated_data)

    def seal(self, plaintext, associated_data, *, now):
        return self.cipher.seal(plaintext, associated_data, now=now)


def sealer(secret=SECRET):
    return TokenSealer(KeyRing([secret]), cookie_name=NAME)


def text(session_id=MINE, *, at=NOW, secret=SECRET, payload=b"{}"):
    return sealer(secret).seal(Token(session_id, at, 0, at, remembered=False, payload=payload), now=NOW)


def noise(size):
    return urlsafe_b64encode(os.urandom(size)).decode()[:size]


def forged(at=NOW):
    """As somebody makes one who knows the id of the key and the time."""
    return text(at=at)[:12] + noise(138) + "A"


GARBAGE = {
    "short": lambda n: f"x{n}",
    "empty": lambda n: "",
    "quoted": lambda n: f'"{text()}"',
    "quoted within": lambda n: text()[:40] + '"' + text()[41:],
    "another alphabet": lambda n: text()[:-1] + "+",
    "padded": lambda n: text() + "=",
    "another version": lambda n: "B" + text()[1:],
    "unknown key": lambda n: text(YOURS, secret=STRANGE),
    "key id alone": lambda n: text()[:12] + noise(20),
    "another length": lambda n: text()[:12] + noise(200),
    "long": lambda n: "A" * 3_000,
    "expired": lambda n: text(YOURS, at=NOW - 1800 - n),
    "from the future": lambda n: text(YOURS, at=NOW + 31 + n),
    "forged, expired": lambda n: forged(NOW - 86_400 - n),
    "a chunk without others": lambda n: f"2.{noise(8)}.{text()[:12]}{noise(20)}",
    "a chunk of nothing": lambda n: f"3.ABCDEFG{n % 10}.A",
}


def jar(*values):
    return "; ".join(f"{NAME}={value}" for value in values).encode()


def as_many_as_fit(values, size):
    """The first values that together make a header of at most that size."""
    kept, taken = [], 0
    for value in values:
        taken += len(jar(value)) + len("; ")
        if taken > size:
            break
        kept.append(value)
    return kept


def opener():
    """Cookies, and the cipher of each key that they open."""
    keys = KeyRing([SECRET, OLD_SECRET])
    ciphers = [CountingCipher(key.cipher) for key in keys.by_id.values()]
    for key, cipher in zip(keys.by_id.values(), ciphers, strict=True):
        key.cipher = cipher
    return OwnCookies(TokenSealer(keys, cookie_name=NAME), Chunks(NAME, 3), Timeouts(Lifetime(1800, 43_200))), ciphers


def status(header):
    cookies, ciphers = opener()
    try:
        cookies.open(header, b"", NOW)
    except Rejected as rejected:
        return rejected.status, sum(len(cipher.opened) for cipher in ciphers)
    return SessionStatus.VALID, sum(len(cipher.opened) for cipher in ciphers)


@pytest.mark.parametrize("place", [0, 5, 10])
@pytest.mark.parametrize("kind", GARBAGE)
def test_ten_that_are_no_sessions_do_not_hide_the_one_and_are_never_opened(kind, place):
    values = [GARBAGE[kind](number) for number in range(10)]
    values.insert(place, text())
    assert status(jar(*values)) == (SessionStatus.VALID, 1)


def test_one_longer_than_any_token_does_not_hide_the_one():
    long = text()[:12] + "A" * 13_000
    assert status(jar(long, long, text(), long)) == (SessionStatus.VALID, 1)


@pytest.mark.parametrize("kind", sorted(GARBAGE.keys() - {"expired", "from the future", "forged, expired"}))
def test_a_header_full_of_garbage_does_not_hide_the_one(kind):
    values = as_many_as_fit((GARBAGE[kind](number) for number in range(2_000)), 60_000)
    if kind in ("another length", "key id alone"):
        values = values[:14]
    assert status(jar(*values, text())) == (SessionStatus.VALID, 1)


def test_garbage_of_every_kind_at_once_does_not_hide_a_session_in_chunks():
    cookies, _ = opener()
    pairs = cookies.seal(Token(MINE, NOW, 0, NOW, remembered=False, payload=b"x" * 6_000), now=NOW)
    assert len(pairs) == 3
    planted = [f"{NAME}{chunk}={GARBAGE[kind](1)}" for kind in GARBAGE for chunk in ("", ".1", ".2")]
    ours = [f"{name}={value}" for name, value in pairs.items()]
    for order in (planted + ours, ours + planted):
        assert cookies.open("; ".join(order).encode(), b"", NOW).token.id == MINE


def test_first_chunks_without_the_others_do_not_hide_a_session_in_chunks():
    cookies, _ = opener()
    pairs = cookies.seal(Token(MINE, NOW, 0, NOW, remembered=False, payload=b"x" * 6_000), now=NOW)
    ours = [f"{name}={value}" for name, value in pairs.items()]
    planted = [f"{NAME}=3.{noise(8)}.{text()[:12]}{noise(3_000)}" for _ in range(12)]
    for order in (planted + ours, ours + planted):
        assert cookies.open("; ".join(order).encode(), b"", NOW).token.id == MINE


def test_at_most_four_are_opened_and_so_four_forged_ones_hide_the_session():
    three, four = [forged() for _ in range(3)], [forged() for _ in range(4)]
    assert status(jar(*three, text())) == (SessionStatus.VALID, 4)
    assert status(jar(text(), *four)) == (SessionStatus.VALID, 4)
    assert status(jar(*four, text())) == (SessionStatus.FORGED, 4)
    assert status(jar(*[forged() for _ in range(200)])) == (SessionStatus.FORGED, 4)


@pytest.mark.parametrize(("planted", "expected"), [(15, SessionStatus.VALID), (16, SessionStatus.FORGED)])
def test_sixteen_that_look_like_tokens_are_compared(planted, expected):
    of_no_size = text()[:12] + "A" * 148
    assert status(jar(*[of_no_size] * planted, text())) == (expected, 1)


def test_somebody_elses_session_makes_it_ambiguous():
    assert status(jar(text(YOURS), "x", text())) == (SessionStatus.AMBIGUOUS, 2)


def test_a_session_under_a_fallback_is_found_among_garbage():
    assert status(jar(*["x"] * 10, text(secret=OLD_SECRET))) == (SessionStatus.VALID, 1)


@pytest.mark.parametrize("name", [f"x {NAME}", f"x{NAME}", f"{NAME} x", f"={NAME}", f"x={NAME}", NAME.lower()])
def test_a_session_under_another_name_is_none(name):
    cookies, _ = opener()
    assert cookies.open(f"{name}={text()}".encode(), b"", NOW) is None
    assert cookies.open(f"{name}={text()}; t=1; {name}={text()}".encode(), b"", NOW) is None


def test_the_reason_is_that_of_the_cookie_that_came_closest():
    forged_chunk = f"2.{noise(8)}.{text()[:12]}{noise(1_200)}"
    assert status(jar(forged_chunk, forged()))[0] is SessionStatus.FORGED
    assert status(jar("x", forged()))[0] is SessionStatus.FORGED
    assert status(jar(*[text(YOURS, at=NOW - 1800)] * 2)) == (SessionStatus.EXPIRED_IDLE, 1)


def test_a_session_among_planted_cookies_is_renewed_although_nobody_looks():
    cookies, _ = opener()
    assert cookies.may_be_due(jar("x", text()), NOW)
    assert not cookies.may_be_due(jar(text()), NOW)


def filled(make, size=8_000):
    """As many cookies as fit into a header of that size."""
    header, number = "", 0
    while len(header) < size - 400:
        header += make(number)
        number += 1
    return header[:size].encode()


HOST = "__Host-app_session"
HOSTILE = {
    "other names": lambda n, key: "a=;",
    "blanks": lambda n, key: " ",
    "semicolons": lambda n, key: ";",
    "our name": lambda n, key: f"{HOST}=;",
    "our name with a value": lambda n, key: f"{HOST}=x{n}; ",
    "our name alone": lambda n, key: f"{HOST};",
    "our name without end": lambda n, key: HOST,
    "ends in our name": lambda n, key: f"x{HOST}=;",
    "ends in our name behind a blank": lambda n, key: f"x {HOST}=;",
    "blanks before our name": lambda n, key: f"  {HOST}=x;",
    "a part of our name": lambda n, key: HOST[:-1],
    "chunk names": lambda n, key: f"{HOST}.{n % 2 + 1};",
    "empty chunks": lambda n, key: f"{HOST}.{n % 2 + 1}=;",
    "chunk names behind a blank": lambda n, key: f"x {HOST}.1=;",
    "first chunks": lambda n, key: f"{HOST}=3.ABCDEFGH.A; ",
    "first chunks of our key": lambda n, key: f"{HOST}=3.ABCDEF{n % 90:02}.{key};",
    "first chunks of one set": lambda n, key: f"{HOST}=3.ABCDEFGH.{key};",
    "one set": lambda n, key: f"{HOST}{('', '.1')[n % 2]}=3.ABCDEFGH.{key};",
    "whole sets": lambda n, key: f"{HOST}=2.ABCDEF{n % 90:02}.{key}{'A' * 99};{HOST}.1=2.ABCDEF{n % 90:02}.{'A' * 99};",
    "long first chunks": lambda n, key: f"{HOST}=2.ABCDEF{n % 90:02}.{key}{'A' * 1_200};",
    "marks": lambda n, key: f"{HOST}=3.ABCDEFGH.{key};" if n < 9 else "3.ABCDEFGH.;",
    "our key": lambda n, key: f"{HOST}={key}{noise(138)}A;",
    "our key, no base64url": lambda n, key: f"{HOST}={key}{noise(138)}B;",
    "our key, expired": lambda n, key: f"{HOST}={key[:6]}{noise(6)}{noise(138)}A;",
    "our key, short": lambda n, key: f"{HOST}={key};",
    "other keys": lambda n, key: f"{HOST}=AQ{noise(149)};",
    "quotes": lambda n, key: f'{HOST}="{key}";',
    "one long set": lambda n, key: (
        f"{HOST}=2.ABCDEFG{n}.{key}{'A' * 3_000};{HOST}.1=2.ABCDEFG{n}.{'A' * 99};" if n < 2 else f"{HOST}={key};"
    ),
    "our key, then first chunks": lambda n, key: (
        f"{HOST}={key}{noise(138)}A;" if n < 4 else f"{HOST}=3.ABCDEFGH.{key};"
    ),
    "our key, then a part of our name": lambda n, key: f"{HOST}={key}{noise(138)}A;" if n < 4 else HOST[:-1],
    "our key, then chunk names behind a blank": lambda n, key: (
        f"{HOST}={key}{noise(138)}A;" if n < 4 else f"x {HOST}.{n % 2 + 1}=;"
    ),
    "set ids": lambda n, key: f"{HOST}={key}.{key}.;",
}


def work(header):
    """Python's and C's calls in one request that looks at its session."""
    middleware = SessionMiddleware(look, secret_key=SECRET, clock=lambda: NOW)
    # What is made at the first request of a process is no work of this one.
    call(middleware, http_scope("/", headers=[(b"cookie", header)]))
    count = 0

    def hook(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    request = middleware(http_scope("/", headers=[(b"cookie", header)]), nothing, nothing)
    sys.setprofile(hook)
    try:
        # It waits for nothing, so that it needs no event loop, which would be most of the calls.
        request.send(None)
    except StopIteration:
        pass
    finally:
        sys.setprofile(None)
    return count


async def nothing(*_):
    pass


async def look(scope, receive, send):
    scope["session"].get("x")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("shape", HOSTILE)
def test_eight_kilobytes_of_hostile_cookies_are_at_most_three_times_the_work_of_a_forged_one(shape):
    token = TokenSealer(KeyRing([SECRET]), cookie_name=HOST).seal(
        Token(MINE, NOW, 0, NOW, remembered=False, payload=b"{}"), now=NOW
    )
    forgery = f"{HOST}={token[:-40]}{noise(39)}A".encode()
    hostile = filled(lambda number: HOSTILE[shape](number, token[:12]))
    assert len(hostile) > 6_000
    assert work(hostile) <= 3 * work(forgery)
