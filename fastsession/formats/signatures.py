"""Verify text signed with an HMAC. Signatures are compared as text: only the canonical spelling verifies."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence

from fastsession.errors import Rejected
from fastsession.formats.encoding import decode_base64url, encode_base64, encode_base64url
from fastsession.formats.validity import expired
from fastsession.status import SessionStatus

# Eight bytes of seconds are enough.
_MOST_TIMESTAMP_BYTES = 8


def verify(signature: str, keys: Sequence[bytes], sign: Callable[[bytes], str]) -> None:
    """Raise `Rejected` (forged) unless `sign` gives this signature with one of the keys."""
    given = signature.encode()
    if not any(hmac.compare_digest(given, sign(key).encode()) for key in keys):
        raise Rejected(SessionStatus.FORGED, "the signature does not match")


def unsigned_text(text: str, keys: Sequence[bytes]) -> str:
    """Verify `value.signature` of the npm package cookie-signature; raises `Rejected` (malformed, forged)."""
    value, dot, signature = text.rpartition(".")
    if not dot:
        raise Rejected(SessionStatus.MALFORMED, "no signature")
    message = value.encode()
    verify(signature, keys, lambda key: encode_base64(hmac.digest(key, message, "sha256")).rstrip("="))
    return value


def unsigned_timed_text(text: str, keys: Sequence[bytes]) -> tuple[str, int]:
    """Verify itsdangerous's `payload.timestamp.signature`; return payload and Unix seconds.

    `keys` are derived ones. Raises `Rejected` (malformed, forged).
    """
    signed, dot, signature = text.rpartition(".")
    if not dot:
        raise Rejected(SessionStatus.MALFORMED, "no signature")
    message = signed.encode()
    verify(signature, keys, lambda key: encode_base64url(hmac.digest(key, message, "sha1")))
    payload, dot, timestamp = signed.rpartition(".")
    if not dot:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but without a time")
    seconds = decode_base64url(timestamp)
    if seconds[:1] == b"\0" or len(seconds) > _MOST_TIMESTAMP_BYTES:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but its time is no time")
    return payload, int.from_bytes(seconds)


def check_age(timestamp: int, max_age: float, now: float) -> None:
    """Apply itsdangerous's rule: whole seconds, never in the future; raises `Rejected`."""
    age = int(now) - timestamp
    if age < 0:
        raise Rejected(SessionStatus.FUTURE, "signed in the future")
    if age > max_age:
        raise expired()


def concatenated_key(secret: bytes) -> bytes:
    """Return the key of itsdangerous's `TimestampSigner(secret)`."""
    return hashlib.sha1(b"itsdangerous.Signersigner" + secret, usedforsecurity=False).digest()


def salted_key(secret: bytes, salt: bytes) -> bytes:
    """Return the key of itsdangerous's signers with `key_derivation="hmac"`."""
    return hmac.digest(secret, salt, "sha1")
