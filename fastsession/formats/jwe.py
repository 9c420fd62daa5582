"""JWE in compact serialization with a shared key (RFC 7516, `alg` "dir"), as NextAuth, Auth.js and Better Auth seal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fastsession.errors import Rejected
from fastsession.formats.aes import decrypt_cbc
from fastsession.formats.encoding import decode_base64url, encode_base64url
from fastsession.formats.json_data import is_object, load_value
from fastsession.status import SessionStatus

A256GCM: Final = "A256GCM"
A256CBC_HS512: Final = "A256CBC-HS512"
# Sizes in bytes of key, iv and tag (RFC 7518, sections 5.2.5 and 5.3).
KEY_SIZES: Final = {A256GCM: 32, A256CBC_HS512: 64}
_IV_SIZES: Final = {A256GCM: 12, A256CBC_HS512: 16}
_TAG_SIZES: Final = {A256GCM: 16, A256CBC_HS512: 32}
_HEADER_FIELDS: Final = frozenset({"alg", "enc", "kid"})
_PARTS: Final = 5


@dataclass(frozen=True, slots=True, repr=False)
class JweKey:
    """A content encryption key for one algorithm; `kid` is its name in headers, None where they have none."""

    enc: str
    key: bytes
    kid: str | None = None


def derived_key(secret: bytes, *, salt: bytes, info: str, enc: str) -> bytes:
    """A content encryption key by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_SIZES[enc], salt=salt, info=info.encode()).derive(secret)


def thumbprint(key: bytes, digest: str) -> str:
    """A symmetric key's JWK thumbprint (RFC 7638, section 3) by the named hash, in base64url."""
    canonical = f'{{"k":"{encode_base64url(key)}","kty":"oct"}}'
    return encode_base64url(hashlib.new(digest, canonical.encode()).digest())


def open_jwe(text: str, keys: Sequence[JweKey], *, unnamed: Sequence[JweKey]) -> bytes:
    """The plaintext, authenticated under one of the keys.

    A header that names a key is opened with that one of `keys`, and one without a name with any of
    `unnamed`. Raises `Rejected` (malformed, unknown_key, forged).
    """
    parts = text.split(".")
    if len(parts) != _PARTS or parts[1]:
        raise Rejected(SessionStatus.MALFORMED, "not a JWE under a shared key")
    enc, kid = _header(parts[0])
    iv, ciphertext, tag = map(decode_base64url, parts[2:])
    if len(iv) != _IV_SIZES[enc] or len(tag) != _TAG_SIZES[enc]:
        raise Rejected(SessionStatus.MALFORMED, "an iv or tag of another size")
    # A key without a name of its own takes no notice of the header's.
    named = unnamed if kid is None else [key for key in keys if key.kid in (None, kid)]
    chosen = [key.key for key in named if key.enc == enc]
    if not chosen:
        raise Rejected(SessionStatus.UNKNOWN_KEY, "sealed under a secret that is not configured")
    decrypt = _decrypt_gcm if enc == A256GCM else _decrypt_cbc
    for key in chosen:
        plaintext = decrypt(key, iv, ciphertext, tag, parts[0].encode())
        if plaintext is not None:
            return plaintext
    raise Rejected(SessionStatus.FORGED, "the tag does not match")


# All cookies under one key have one header.
@lru_cache(maxsize=64)
def _header(part: str) -> tuple[str, str | None]:
    """Algorithm and key id of a header; raises `Rejected` (malformed) for any that the packages do not write.

    Only the choice of key and algorithm is read from it before the tag has been checked.
    """
    header = load_value(decode_base64url(part))
    if not is_object(header) or not header.keys() <= _HEADER_FIELDS:
        raise Rejected(SessionStatus.MALFORMED, "another JWE header")
    if not all(isinstance(value, str) for value in header.values()):
        raise Rejected(SessionStatus.MALFORMED, "a JWE header that is no text")
    if header.get("alg") != "dir" or header.get("enc") not in KEY_SIZES:
        raise Rejected(SessionStatus.MALFORMED, "an algorithm that is not accepted")
    return header["enc"], header.get("kid")


def _decrypt_gcm(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, associated_data: bytes) -> bytes | None:
    """The plaintext, None under another key."""
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, associated_data)
    except InvalidTag:
        return None


def _decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, associated_data: bytes) -> bytes | None:
    """As `_decrypt_gcm`, by AES-CBC with HMAC-SHA512, the MAC first (RFC 7518, section 5.2.2.2)."""
    half = len(key) // 2
    text = associated_data + iv + ciphertext + (8 * len(associated_data)).to_bytes(8)
    if not hmac.compare_digest(hmac.digest(key[:half], text, "sha512")[: len(tag)], tag):
        return None
    return decrypt_cbc(key[half:], iv, ciphertext)
