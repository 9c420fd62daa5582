"""Tokens around any plaintext, so that the fuzzer gets past the tag."""

from cryptography.exceptions import InvalidTag

from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.sealing.token import HEADER_SIZE, TokenSealer, decode, encode
from tests.soak.fuzz_target import Change

NOW = 1_800_000_000
NAME = "app_session"
SECRETS = [b"eleven blue lanterns hang over the 7th pier", b"twelve grey herons stand below the 8th weir"]
SEALER = TokenSealer(KeyRing(SECRETS), cookie_name=NAME)
TIME_SIZE = 5


def content(payload: bytes, *, flags: int = 0, created_at: int = NOW - 60, binding: bytes = b"") -> bytes:
    """`renewed_at` and the plaintext of a token."""
    times = created_at.to_bytes(5) + (NOW - 30).to_bytes(5)
    plain = bytes([flags]) + times + bytes(range(16)) + len(payload).to_bytes(4) + payload + binding
    return (NOW - 30).to_bytes(TIME_SIZE) + plain + bytes(-len(plain) % 64)


def sealed(inside: bytes) -> bytes:
    """A token with that `content`, as docs/token-format.md describes it."""
    key = SEALER.keys.primary
    header = b"\x01" + key.id + inside[:TIME_SIZE].rjust(TIME_SIZE, b"\0")
    return encode(header + key.cipher.seal(inside[TIME_SIZE:], _associated_data(header), now=NOW)).encode()


def content_of(token: bytes) -> bytes | None:
    """The inverse of `sealed`; None for what is no token of the primary key."""
    try:
        raw = decode(token.decode("latin-1"))
    except Rejected:
        return None
    key = SEALER.keys.primary
    header = raw[:HEADER_SIZE]
    if header[:-TIME_SIZE] != b"\x01" + key.id:
        return None
    try:
        return header[-TIME_SIZE:] + key.cipher.open(raw[HEADER_SIZE:], _associated_data(header))
    except (InvalidTag, ValueError):
        return None


def mutate(data: bytes, longest: int, number: int, change: Change) -> bytes:
    """One in four times other characters, else another plaintext under a tag that is right."""
    inside = content_of(data) if number % 4 else None
    return change(data, longest) if inside is None else sealed(change(inside, longest * 3 // 4 - 64))


def _associated_data(header: bytes) -> bytes:
    parts = (b"fastsession/v1", header, NAME.encode(), b"")
    return b"".join(len(part).to_bytes(4) + part for part in parts)
