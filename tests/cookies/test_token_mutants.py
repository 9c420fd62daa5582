"""No changed token opens: every bit, every character, every cut and splice (security.md T-02)."""

import os
from itertools import chain

import pytest

from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.lifetime import Lifetime, Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import Token, TokenSealer, decode, encode

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NOW = 1_800_000_000
SEALER = TokenSealer(KeyRing([b"eleven blue lanterns hang over the 7th pier"]), cookie_name="app_session")
CHARACTERS = [chr(code) for code in range(256)]
# Bytes of payload, and the mutants that a token with so many has at the least.
SIZES = {2: 43_000, 200: 115_000, 700: 307_000}
if os.environ.get("FASTSESSION_LONG") == "1":
    SIZES[3000] = 1_170_000


def sealed(payload):
    token = Token(bytes(range(16)), NOW, NOW, NOW, remembered=False, payload=b"x" * payload)
    return SEALER.seal(token, now=NOW)


def mutants(text, other):
    """Every change of one bit or character, every cut, and every splice with another token."""
    return chain(
        flipped_bits(text),
        (text[:at] + new + text[at + 1 :] for at in range(len(text)) for new in CHARACTERS),
        (text[:at] + new + text[at:] for at in range(len(text) + 1) for new in 'A_-+/=. \n\0;,"é'),
        (new + text for new in CHARACTERS),
        (text + new for new in CHARACTERS),
        (text[:at] + text[at + 1 :] for at in range(len(text))),
        (text[:at] for at in range(len(text))),
        (text[at:] for at in range(1, len(text))),
        splices(text, other),
        splices(other, text),
    )


def flipped_bits(text):
    """Every bit of the bytes, written canonically."""
    raw = decode(text)
    number = int.from_bytes(raw)
    return (encode((number ^ 1 << bit).to_bytes(len(raw))) for bit in range(len(raw) * 8))


def splices(first, second):
    """The beginning of one token and the end of the other, cut at the same place or counted from the end."""
    same_place = (first[:at] + second[at:] for at in range(min(len(first), len(second))))
    return chain(same_place, (first[:-at] + second[-at:] for at in range(1, min(len(first), len(second)))))


@pytest.mark.parametrize(("payload", "least"), SIZES.items())
def test_no_mutant_of_a_token_opens(payload, least):
    token, other = sealed(payload), sealed(payload + 70)
    tried = 0
    for mutant in mutants(token, other):
        if mutant not in (token, other):
            tried += 1
            assert not opens(mutant), mutant
    assert tried >= least


def opens(text):
    try:
        SEALER.open(text)
    except Rejected:
        return False
    return True


def test_a_splice_of_two_tokens_sealed_alike_opens_only_where_it_is_one_of_them():
    first, second = sealed(60), sealed(60)
    spliced = {
        first[:start] + second[start:end] + first[end:]
        for start in range(len(first))
        for end in range(start, len(first))
    }
    assert {text for text in spliced if opens(text)} == {first, second} & spliced


@pytest.mark.parametrize("count", [2, 3])
def test_no_mutant_of_chunked_cookies_opens(count):
    chunks = Chunks("app_session", 3)
    cookies = OwnCookies(SEALER, chunks, Timeouts(Lifetime(60, 60)))
    values = list(chunks.split(sealed(2000 * count)).values())
    assert len(values) == count

    def accepted(*sent):
        pairs = (f"{name}={value}" for name, value in zip(chunks.names, sent, strict=False))
        try:
            return cookies.open("; ".join(pairs).encode("latin-1"), b"", NOW) is not None
        except Rejected:
            return False

    assert accepted(*values)
    tried = 0
    for number, value in enumerate(values):
        for mutant in chunk_mutants(value):
            tried += 1
            assert not accepted(*values[:number], mutant, *values[number + 1 :])
    # A few mutants may be alike; how many depends on the token.
    assert tried >= 29_500 * count


def chunk_mutants(value):
    """Every bit of a chunk's characters, every cut, and every character left out."""
    return chain(
        (value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :] for at in range(len(value)) for bit in range(8)),
        (value[:at] for at in range(len(value))),
        (value[at:] for at in range(1, len(value))),
        (value[:at] + value[at + 1 :] for at in range(len(value)) if value[at : at + 1] != value[at + 1 : at + 2]),
    )
