"""Canonical base64 in both alphabets: exactly one text for the same bytes."""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode

from fastsession.errors import Rejected
from fastsession.status import SessionStatus


def encode_base64(data: bytes) -> str:
    """Encode with the standard alphabet and padding (RFC 4648, section 4)."""
    return b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """The inverse of `encode_base64`; raises `Rejected` (malformed) for every other spelling."""
    try:
        data = b64decode(text)
    except ValueError:
        raise Rejected(SessionStatus.MALFORMED, "not base64") from None
    if encode_base64(data) != text:
        raise Rejected(SessionStatus.MALFORMED, "not canonical base64")
    return data


def encode_base64url(data: bytes) -> str:
    """Encode with the URL alphabet, without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """The inverse of `encode_base64url`; raises `Rejected` (malformed) for every other spelling."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Rejected(SessionStatus.MALFORMED, "not base64url") from None
    if encode_base64url(data) != text:
        raise Rejected(SessionStatus.MALFORMED, "not canonical base64url")
    return data
