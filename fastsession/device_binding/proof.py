"""The proof that a browser has its device key: a JWT of one fixed shape, signed with ES256.

W3C, Device Bound Session Credentials, "DBSC proofs"; RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518, section 3.4 (ES256).
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fastsession.errors import Rejected
from fastsession.sealing.token import decode

_LONGEST = 4096
_COORDINATE_SIZE = 32
_ES256 = ec.ECDSA(SHA256())
_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class ProofRefused(Exception):  # noqa: N818  (as `Rejected`)
    """A text is no proof. Says why in fixed words, never what came."""


class Proof(NamedTuple):
    """What a proof says, its signature not yet checked. `key` is the compressed P-256 point (33 bytes), if one came."""

    challenge: str
    key: bytes | None
    signed: bytes
    signature: bytes


def read_proof(text: str) -> Proof:
    """The proof in `text`; raises `ProofRefused` for any other shape."""
    if len(text) > _LONGEST or not _PARTS.fullmatch(text):
        message = "not three parts of base64url"
        raise ProofRefused(message)
    signed, _, last = text.rpartition(".")
    first, _, second = signed.partition(".")
    header, claims, signature = _read_object(first), _read_object(second), _decode(last)
    if header.get("typ") != "dbsc+jwt" or header.get("alg") != "ES256" or "crit" in header:
        message = "not an ES256 proof"
        raise ProofRefused(message)
    challenge = claims.get("jti")
    if not isinstance(challenge, str):
        message = "no challenge"
        raise ProofRefused(message)
    if len(signature) != 2 * _COORDINATE_SIZE:
        message = "not an ES256 signature"
        raise ProofRefused(message)
    key = _compressed(header["jwk"]) if "jwk" in header else None
    return Proof(challenge, key, signed.encode(), signature)


def is_signed_by(proof: Proof, key: bytes) -> bool:
    """Whether the owner of `key`, a compressed P-256 point, signed the proof."""
    r, s = (int.from_bytes(half) for half in (proof.signature[:_COORDINATE_SIZE], proof.signature[_COORDINATE_SIZE:]))
    try:
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public_key.verify(encode_dss_signature(r, s), proof.signed, _ES256)
    except (InvalidSignature, ValueError):
        return False
    return True


def _compressed(given: object) -> bytes:
    """The public key as 33 bytes; raises `ProofRefused` for another kind of key, or one that is not public."""
    jwk = _object(given)
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        message = "not a public P-256 key"
        raise ProofRefused(message)
    x, y = _coordinate(jwk.get("x")), _coordinate(jwk.get("y"))
    try:
        ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
    except ValueError:
        message = "not a point of P-256"
        raise ProofRefused(message) from None
    return bytes((2 + y[-1] % 2,)) + x


def _coordinate(text: object) -> bytes:
    found = _decode(text) if isinstance(text, str) else b""
    if len(found) != _COORDINATE_SIZE:
        message = "not a coordinate of P-256"
        raise ProofRefused(message)
    return found


def _read_object(text: str) -> dict[str, Any]:
    try:
        return _object(json.loads(_decode(text).decode()))
    except (ValueError, RecursionError):
        message = "not JSON"
        raise ProofRefused(message) from None


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        message = "not a JSON object"
        raise ProofRefused(message)
    return cast("dict[str, Any]", found)


def _decode(text: str) -> bytes:
    try:
        return decode(text)
    except Rejected:
        message = "not canonical base64url"
        raise ProofRefused(message) from None
