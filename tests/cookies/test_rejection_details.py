"""The detail that operators read beside the status of a rejected cookie: what was wrong, and none of the cookie."""

import pytest

from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import MOST_CHARACTERS, Token, TokenSealer, decode, encode, token_size
from fastsession.status import SessionStatus

SEALER = TokenSealer(KeyRing([b"eleven blue lanterns hang over the 7th pier"]), cookie_name="s")
STRANGER = TokenSealer(KeyRing([b"nobody counted the 93 gulls on that morning"]), cookie_name="s")
TOKEN = Token(bytes(16), 0, 0, 0, remembered=False, payload=b"{}")
SEALED = SEALER.seal(TOKEN, now=0)
OTHER_END = decode(SEALED)[:-1] + bytes([decode(SEALED)[-1] ^ 1])
LEAST = token_size(payload=0, bound=False)
CHUNKED = Chunks("s", 3).split("A" * 9000)


def rejection(open_, *arguments):
    with pytest.raises(Rejected) as rejected:
        open_(*arguments)
    return rejected.value.status, rejected.value.detail


@pytest.mark.parametrize(
    ("text", "status", "detail"),
    [
        (SEALED[: LEAST - 1], SessionStatus.MALFORMED, f"{LEAST - 1} characters"),
        ("A" * (MOST_CHARACTERS + 1), SessionStatus.OVERSIZE, "12289 characters"),
        ("B" + SEALED[1:], SessionStatus.MALFORMED, "not a v1 token"),
        ("B" + SEALED[1:-1] + "~", SessionStatus.MALFORMED, "not a v1 token"),
        (encode(b"\x02" + decode(SEALED)[1:]), SessionStatus.MALFORMED, "not a v1 token"),
        (STRANGER.seal(TOKEN, now=0), SessionStatus.UNKNOWN_KEY, "sealed under a secret that is not configured"),
        (encode(OTHER_END), SessionStatus.FORGED, "the tag does not match"),
        (SEALED[:-1] + "=", SessionStatus.MALFORMED, "not canonical base64url"),
        (SEALED[:-1] + "+", SessionStatus.MALFORMED, "not canonical base64url"),
        (SEALED[:-1] + "/", SessionStatus.MALFORMED, "not canonical base64url"),
        (SEALED[:-1] + "~", SessionStatus.MALFORMED, "not base64url"),
    ],
    ids=[
        "short",
        "long",
        "first character",
        "first character of no text",
        "version",
        "secret",
        "tag",
        "padding",
        "plus of the other alphabet",
        "slash of the other alphabet",
        "alphabet",
    ],
)
def test_a_rejected_token_is_described_to_operators(text, status, detail):
    assert rejection(SEALER.open, text) == (status, detail)


@pytest.mark.parametrize(
    ("end", "detail"), [*((end, "not canonical base64url") for end in "=+/"), ("~", "not base64url")]
)
def test_the_bytes_of_a_text_that_has_none_are_refused_alike(end, detail):
    """Several cookies of one name are decoded before they are opened."""
    assert rejection(decode, SEALED[:-1] + end) == (SessionStatus.MALFORMED, detail)


@pytest.mark.parametrize("size", [LEAST, MOST_CHARACTERS])
def test_a_token_of_a_size_that_is_sealed_is_judged_by_its_contents(size):
    text = SEALED[:12] + "A" * (size - 12)
    assert rejection(SEALER.open, text) == (SessionStatus.FORGED, "the tag does not match")


def flagged(flags, token):
    """The token, sealed with other flags than its own."""
    key = SEALER.keys.primary
    header = decode(SEALED)[:9]
    associated_data = SEALER._head + header + SEALER._tail
    plaintext = key.cipher.open(decode(SEALER.seal(token, now=0))[9:], associated_data)
    return encode(header + key.cipher.seal(bytes([flags]) + plaintext[1:], associated_data, now=0))


@pytest.mark.parametrize(
    ("flags", "created_at"), [(0x10, 0), (0x08, 0), (0x08, 1)], ids=["unknown", "spared as it began", "spared before"]
)
def test_a_token_of_another_version_is_described_to_operators(flags, created_at):
    """Without a cut-off, five zeros of the padding are read as one."""
    sealed = flagged(flags, TOKEN._replace(payload=bytes(64), created_at=created_at))
    assert rejection(SEALER.open, sealed) == (SessionStatus.MALFORMED, "written by another version")


@pytest.mark.parametrize(
    ("names", "detail"), [(["s"], "1 of 3 chunks"), (["s", "s.1"], "2 of 3 chunks"), (["s", "s.2"], "1 of 3 chunks")]
)
def test_an_incomplete_set_tells_how_far_it_goes(names, detail):
    header = "; ".join(f"{name}={CHUNKED[name]}" for name in names).encode()
    assert rejection(Chunks("s", 3).join, CHUNKED["s"], header) == (SessionStatus.INCOMPLETE, detail)


def test_a_value_that_is_no_chunk_is_described_to_operators():
    assert rejection(Chunks("s", 3).join, "2.", b"s=2.") == (SessionStatus.MALFORMED, "not a chunk of a session")
