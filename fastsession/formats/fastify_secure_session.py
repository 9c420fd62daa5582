"""@fastify/secure-session: JSON in libsodium's secretbox. Requires PyNaCl."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fastsession.building.given import checked_seconds
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value, percent_decoded
from fastsession.formats.encoding import decode_base64
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.signatures import unsigned_text
from fastsession.formats.validity import expired, milliseconds, reject_future
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from nacl.secret import SecretBox

_KEY_SIZE: Final = 32
_SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 24
_TAG_SIZE: Final = 16
_LEAST_SECRET_SIZE: Final = 32
# @fastify/secure-session's default salt.
_DEFAULT_SALT: Final = "mq9hDxBVDbspDR6nLfFT1g=="
# libsodium's OPSLIMIT_MODERATE and MEMLIMIT_MODERATE.
_PASSES: Final = 3
_MEMORY: Final = 256 * 1024 * 1024
_TIMESTAMP: Final = "__ts"


class FastifySecureSession:
    """Reads @fastify/secure-session's cookies; `expiry` is in seconds since their last change.

    Takes `key` (32 bytes or their base64, or a list of keys that all open), or `secret` with an optional
    `salt` (16 bytes or characters), which costs 256 MB and most of a second once. `signed` is its cookie
    option of that name. A session without a time is `malformed`, because it would never expire.
    """

    def __init__(
        self,
        *,
        key: str | bytes | Sequence[str | bytes] | None = None,
        secret: str | bytes | None = None,
        salt: str | bytes | None = None,
        cookie_name: str = "session",
        expiry: float = 86401,
        signed: bool = False,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._expiry = checked_seconds("expiry", expiry, least=1)
        self._signed = signed
        box = _secret_box()
        if secret is not None and key is None:
            self._signature_key = secret_bytes("secret", secret)
            self.secrets: tuple[bytes, ...] = (self._signature_key,)
            keys = [_derived_key(self._signature_key, salt)]
        elif key is not None and secret is None and salt is None:
            keys = [_key(given) for given in ([key] if isinstance(key, str | bytes) else key)]
            self.secrets = tuple(keys)
        else:
            message = "Give FastifySecureSession either key or secret, whichever the Node server uses."
            raise ConfigurationError(message)
        if not keys:
            message = "key is an empty list: it needs at least the key that the Node server seals with."
            raise ConfigurationError(message)
        if secret is None:
            self._signature_key = hashlib.blake2b(keys[0], digest_size=_KEY_SIZE).hexdigest().encode()
        self._boxes = [box(key) for key in keys]
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the decrypted session."""
        text = percent_decoded(cookie_value(cookies, self.cookie_name))
        if self._signed:
            text = unsigned_text(text, [self._signature_key])
        box_text, semicolon, nonce_text = text.partition(";")
        box, nonce = decode_base64(box_text), decode_base64(nonce_text)
        if not semicolon or len(box) < _TAG_SIZE or len(nonce) != _NONCE_SIZE:
            raise Rejected(SessionStatus.MALFORMED, "not a box and a nonce")
        data = load_object(self._open(box, nonce))
        timestamp = data.pop(_TIMESTAMP, None)
        if not isinstance(timestamp, int | float) or isinstance(timestamp, bool):
            raise Rejected(SessionStatus.MALFORMED, "authentic, but without a time")
        reject_future(timestamp, now)
        # Also rejects values that are too small for a float.
        if timestamp + self._expiry <= milliseconds(now) / 1000:
            raise expired()
        return ForeignSession(data, timestamp, timestamp + self._expiry)

    def _open(self, box: bytes, nonce: bytes) -> bytes:
        from nacl.exceptions import CryptoError  # noqa: PLC0415  (an extra, found by the constructor)

        for key in self._boxes:
            try:
                return key.decrypt(box, nonce)
            except CryptoError:
                continue
        raise Rejected(SessionStatus.FORGED, "the tag does not match")


def _secret_box() -> type[SecretBox]:
    try:
        from nacl.secret import SecretBox  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError:
        message = "FastifySecureSession needs PyNaCl: pip install 'fastsession-sealed[fastify]'."
        raise ConfigurationError(message) from None
    return SecretBox


def _key(given: str | bytes) -> bytes:
    value = secret_bytes("key", given)
    if isinstance(given, str):
        try:
            value = decode_base64(given)
        except Rejected:
            value = b""
    if len(value) != _KEY_SIZE:
        message = f"key must be {_KEY_SIZE} bytes, or their base64 as a string."
        raise ConfigurationError(message)
    return value


def _derived_key(secret: bytes, salt: str | bytes | None) -> bytes:
    from nacl.pwhash import argon2id  # noqa: PLC0415  (an extra)

    if len(secret) < _LEAST_SECRET_SIZE:
        message = f"secret must have at least {_LEAST_SECRET_SIZE} bytes, as in Node."
        raise ConfigurationError(message)
    salt_bytes = decode_base64(_DEFAULT_SALT) if salt is None else salt
    if isinstance(salt_bytes, str):
        salt_bytes = salt_bytes.encode()
    if len(salt_bytes) != _SALT_SIZE:
        message = f"salt must have {_SALT_SIZE} bytes."
        raise ConfigurationError(message)
    return argon2id.kdf(_KEY_SIZE, secret, salt_bytes, opslimit=_PASSES, memlimit=_MEMORY)
