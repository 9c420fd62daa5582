"""The bytes of a token, format v1: what docs/token-format.md describes."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from pydantic import ConfigDict, TypeAdapter, ValidationError

from fastsession.errors import Rejected
from fastsession.keyring import KEY_ID_SIZE, KeyRing
from fastsession.sealing.xaes import NONCE_SIZE, TAG_SIZE
from fastsession.status import SessionStatus

VERSION = 1
ID_SIZE = 16
BINDING_SIZE = 16
# The clear bytes: version, key id, renewed_at. Nine bytes are exactly twelve characters.
HEADER_SIZE = 1 + KEY_ID_SIZE + 5
HEADER_CHARACTERS = 12
OTHER_TAG = "the tag does not match"
_LABEL = b"fastsession/v1"
# flags, created_at (high byte, low bytes), authenticated_at (likewise), id, length of the payload
_FIXED = struct.Struct(">BBIBI16sI")
_LENGTH = struct.Struct(">I")
_PADDING = 64
# Three cookies of 4096 bytes hold no more.
MOST_CHARACTERS = 3 * 4096
_REMEMBERED, _BOUND, _PAIRED, _SPARED = 1, 2, 4, 8
_UNKNOWN_FLAGS = ~(_REMEMBERED | _BOUND | _PAIRED | _SPARED)
_SPARED_SIZE = 5


class Token(NamedTuple):
    """What a token carries.

    Times are Unix seconds, `authenticated_at` 0 for never. `payload` is one line of JSON, or two when
    there are extras. `binding` is 16 bytes or none. A `stale` one is to be sealed again even if nothing
    changes: it came under a fallback key, or from another system. `spared_at`, 0 for never, is the cut-off
    by which this session ended its subject's others: that one and earlier ones do not end it. `pair`, 16
    bytes or none, names the device cookie with which alone the token is believed.
    """

    id: bytes
    created_at: int
    authenticated_at: int
    renewed_at: int
    remembered: bool
    payload: bytes
    binding: bytes = b""
    stale: bool = False
    spared_at: int = 0
    pair: bytes = b""

    def __repr__(self) -> str:
        """Without what it carries: it ends up in error reports."""
        return "Token(...)"


def new_id() -> bytes:
    """A secret session id: 128 bits from the operating system (OWASP ASVS 7.2.3)."""
    return os.urandom(ID_SIZE)


class TokenSealer:
    """Seals and opens tokens for one cookie name and audience, which are authenticated with every token."""

    def __init__(self, keys: KeyRing, *, cookie_name: str, audience: str = "") -> None:
        self.keys = keys
        self._head = _prefixed(_LABEL) + _LENGTH.pack(HEADER_SIZE)
        self._tail = _prefixed(cookie_name.encode()) + _prefixed(audience.encode())

    def seal(self, token: Token, *, now: float) -> str:
        """The token as canonical base64url without padding characters, sealed under the primary key."""
        key = self.keys.primary
        header = b"\x01" + key.id + token.renewed_at.to_bytes(5)
        associated_data = self._head + header + self._tail
        return encode(header + key.cipher.seal(_pack(token), associated_data, now=now))

    def open(self, text: str) -> Token:
        """The token in `text`; raises `Rejected` (malformed, unknown_key, forged)."""
        if not LEAST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
            status = SessionStatus.MALFORMED if len(text) < LEAST_CHARACTERS else SessionStatus.OVERSIZE
            raise Rejected(status, f"{len(text)} characters")
        # Most of what is no token at all is told by its first character: the first six bits of the version. The
        # decoder also takes padding, and the other alphabet when a text has no character of this one.
        if text[0] != "A":
            raise Rejected(SessionStatus.MALFORMED, "not a v1 token")
        if "=" in text or "+" in text or "/" in text:
            raise Rejected(SessionStatus.MALFORMED, "not canonical base64url")
        try:
            sealed = _decode(text)
        except ValidationError:
            raise Rejected(SessionStatus.MALFORMED, "not base64url") from None
        if sealed[0] != VERSION:
            raise Rejected(SessionStatus.MALFORMED, "not a v1 token")
        key = self.keys.by_id.get(sealed[1 : 1 + KEY_ID_SIZE])
        if key is None:
            raise Rejected(SessionStatus.UNKNOWN_KEY, "sealed under a secret that is not configured")
        header = sealed[:HEADER_SIZE]
        try:
            plaintext = key.cipher.open(sealed[HEADER_SIZE:], self._head + header + self._tail)
        except InvalidTag:
            raise Rejected(SessionStatus.FORGED, OTHER_TAG) from None
        flags, created_high, created, signed_in_high, signed_in, session_id, length = _FIXED.unpack_from(plaintext)
        end = _FIXED.size + length
        bound_until = end + BINDING_SIZE if flags & _BOUND else end
        paired_until = bound_until + ID_SIZE if flags & _PAIRED else bound_until
        needed = paired_until + _SPARED_SIZE if flags & _SPARED else paired_until
        created_at = created_high << 32 | created
        spared_at = int.from_bytes(plaintext[paired_until:needed]) if flags & _SPARED else 0
        # A cut-off that spared this session was made after it began: anything else was not written by this version.
        if flags & _UNKNOWN_FLAGS or needed > len(plaintext) or (flags & _SPARED and spared_at <= created_at):
            raise Rejected(SessionStatus.MALFORMED, "written by another version")
        # A named tuple's own constructor is written in Python.
        return tuple.__new__(  # pyright: ignore[reportUnknownMemberType]
            Token,
            (
                session_id,
                created_at,
                signed_in_high << 32 | signed_in,
                int.from_bytes(header[1 + KEY_ID_SIZE :]),
                flags & _REMEMBERED != 0,
                plaintext[_FIXED.size : end],
                plaintext[end:bound_until],
                key is not self.keys.primary,
                spared_at,
                plaintext[bound_until:paired_until],
            ),
        )

    def is_forged(self, sealed: bytes) -> bool:
        """Whether the tag of a decoded token does not match: of many made-up ones, none costs a `Rejected`."""
        key = self.keys.by_id.get(sealed[1 : 1 + KEY_ID_SIZE])
        try:
            if key is not None:
                key.cipher.open(sealed[HEADER_SIZE:], self._head + sealed[:HEADER_SIZE] + self._tail)
        except InvalidTag:
            return True
        return False

    def beginnings(self) -> list[str]:
        """The characters with which tokens under the configured keys begin: version, and the id but for two bits."""
        return [encode(bytes((VERSION,)) + key_id)[:5] for key_id in self.keys.by_id]

    def peek(self, text: str) -> tuple[int, bool]:
        """`renewed_at` and whether a fallback key sealed it, from the clear characters alone: not yet believed."""
        header = decode(text[:HEADER_CHARACTERS])
        return renewed_at_of(header), header[1 : 1 + KEY_ID_SIZE] != self.keys.primary.id


def token_size(*, payload: int, bound: bool, spared: bool = False, paired: bool = False) -> int:
    """The characters of a token whose payload has so many bytes."""
    beside = (BINDING_SIZE if bound else 0) + (ID_SIZE if paired else 0) + (_SPARED_SIZE if spared else 0)
    plaintext = _FIXED.size + payload + beside
    sealed = HEADER_SIZE + NONCE_SIZE + plaintext + -plaintext % _PADDING + TAG_SIZE
    return -(-sealed * 8 // 6)


def renewed_at_of(sealed: bytes) -> int:
    """What a token's clear bytes say: not yet believed."""
    return int.from_bytes(sealed[1 + KEY_ID_SIZE : HEADER_SIZE])


def is_token_size(characters: int) -> bool:
    """Whether a token can have so many characters: its plaintext is padded."""
    return (characters * 6 // 8 - HEADER_SIZE - NONCE_SIZE - TAG_SIZE) % _PADDING == 0


LEAST_CHARACTERS = token_size(payload=0, bound=False)


def _prefixed(part: bytes) -> bytes:
    return _LENGTH.pack(len(part)) + part


def _pack(token: Token) -> bytes:
    session_id, created_at, signed_in, _, remembered, payload, binding, _, spared_at, pair = token
    flags = (_REMEMBERED if remembered else 0) | (_BOUND if binding else 0) | (_PAIRED if pair else 0)
    spared = b""
    if spared_at > created_at:
        flags |= _SPARED
        spared = spared_at.to_bytes(_SPARED_SIZE)
    times = created_at >> 32, created_at & 0xFFFFFFFF, signed_in >> 32, signed_in & 0xFFFFFFFF
    plaintext = _FIXED.pack(flags, *times, session_id, len(payload)) + payload + binding + pair + spared
    return plaintext + bytes(-len(plaintext) % _PADDING)


# pydantic-core's base64 is strict, canonical and several times as fast as the standard library's.
_BASE64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64", ser_json_bytes="base64"))
_decode: Callable[[str], bytes] = _BASE64.validator.validate_strings  # type: ignore[assignment]  # stubs forget str
_encode = _BASE64.serializer.to_python


def encode(data: bytes) -> str:
    """Base64url without padding characters (RFC 4648, section 5)."""
    text: str = _encode(data, mode="json")
    return text.rstrip("=")


def decode(text: str) -> bytes:
    """The bytes of canonical base64url without padding characters; raises `Rejected` for anything else."""
    # The decoder also takes padding, and the other alphabet when a text has no character of this one.
    if "=" in text or "+" in text or "/" in text:
        raise Rejected(SessionStatus.MALFORMED, "not canonical base64url")
    try:
        return _decode(text)
    except ValidationError:
        raise Rejected(SessionStatus.MALFORMED, "not base64url") from None
