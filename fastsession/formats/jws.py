"""JWS in compact serialization (RFC 7515), as Better Auth signs its cookie cache: HS256, or Ed25519 by public keys."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.encoding import decode_base64url
from fastsession.formats.json_data import is_array, is_object, load_value
from fastsession.status import SessionStatus

_PARTS: Final = 3


def open_hs256(text: str, secret: bytes) -> bytes:
    """The payload, signed with the secret under no other header than `alg`; raises `Rejected` (malformed, forged)."""
    header, signed, payload, signature = _parts(text)
    if header != {"alg": "HS256"}:
        raise Rejected(SessionStatus.MALFORMED, "another JWS header")
    if not hmac.compare_digest(hmac.digest(secret, signed, "sha256"), signature):
        raise _forged()
    return payload


def open_ed25519(text: str, keys: Mapping[str, Ed25519PublicKey], *, type_: str) -> bytes:
    """The payload, signed under the key that the header names, as a token of that `typ`.

    Raises `Rejected` (malformed, unknown_key, forged).
    """
    header, signed, payload, signature = _parts(text)
    kid = header.get("kid")
    if header != {"alg": "EdDSA", "kid": kid, "typ": type_} or not isinstance(kid, str):
        raise Rejected(SessionStatus.MALFORMED, "another JWS header")
    key = keys.get(kid)
    if key is None:
        raise Rejected(SessionStatus.UNKNOWN_KEY, "signed under a key that is not among the public ones")
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        raise _forged() from None
    return payload


def public_keys(key_set: object) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 keys of a JWK Set by their `kid` (RFC 7517, RFC 8037); raises `ConfigurationError` without any.

    Keys of other kinds are left out: what they sign is not accepted.
    """
    entries = key_set.get("keys") if is_object(key_set) else None
    keys: dict[str, Ed25519PublicKey] = {}
    for entry in entries if is_array(entries) else []:
        key = _public_key(entry)
        if key is not None:
            keys[entry["kid"]] = key
    if not keys:
        message = (
            "jwks takes the JSON of Better Auth's /api/auth/jwks with at least one Ed25519 key: "
            '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": ..., "x": ...}]}.'
        )
        raise ConfigurationError(message)
    return keys


def _public_key(entry: object) -> Ed25519PublicKey | None:
    if not is_object(entry) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        return None
    x, kid = entry.get("x"), entry.get("kid")
    if entry.get("alg", "EdDSA") != "EdDSA" or not isinstance(x, str) or not isinstance(kid, str):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(decode_base64url(x))
    except (Rejected, ValueError):
        return None


def _parts(text: str) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    """Header, the signed text, payload and signature, nothing of them believed; raises `Rejected` (malformed)."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise Rejected(SessionStatus.MALFORMED, "not a JWS")
    header, payload, signature = map(decode_base64url, parts)
    fields = load_value(header)
    if not is_object(fields):
        raise Rejected(SessionStatus.MALFORMED, "a JWS header that is no object")
    return fields, ".".join(parts[:2]).encode(), payload, signature


def _forged() -> Rejected:
    return Rejected(SessionStatus.FORGED, "the signature does not match")
