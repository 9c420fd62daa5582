"""Litestar's CookieBackend: JSON under AES-GCM, split over as many cookies as needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, checked_value, percent_decoded, unquoted
from fastsession.formats.encoding import decode_base64
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.validity import MAX_DIGITS, expired
from fastsession.status import SessionStatus

_KEY_SIZES: Final = (16, 24, 32)
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
# Separates the ciphertext from the associated data, which follows in clear.
_MARK: Final = b"additional_authenticated_data="
# As many cookies as fit into the 64 KB of headers that we search.
_MOST_CHUNKS: Final = 16


class LitestarSession:
    """Reads the cookies of Litestar's CookieBackend, which contain their end but not their beginning.

    `secret` is the key itself: 16, 24 or 32 bytes.
    """

    def __init__(self, *, secret: bytes, cookie_name: str = "session") -> None:
        self.cookie_name = checked_name(cookie_name)
        self.secrets = (secret_bytes("secret", secret),)
        if len(self.secrets[0]) not in _KEY_SIZES:
            message = "secret must be Litestar's key of 16, 24 or 32 bytes."
            raise ConfigurationError(message)
        self._cipher = AESGCM(self.secrets[0])
        self._chunk_name = re.compile(rf"{re.escape(cookie_name)}-(0|[1-9][0-9]?)")
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the session from one cookie or chunks: in the order written, else in Litestar's reading order."""
        names = self.names(cookies)
        if not any(cookies[name] for name in names):
            raise Rejected(SessionStatus.ABSENT)
        numbers = [int(match[1]) for name in names if (match := self._chunk_name.fullmatch(name))]
        if numbers != list(range(len(numbers))):
            raise Rejected(SessionStatus.INCOMPLETE, "a chunk is missing")
        if len(names) > _MOST_CHUNKS:
            raise Rejected(SessionStatus.OVERSIZE, f"{len(names)} chunks")
        pieces = {name: percent_decoded(unquoted(checked_value(cookies[name]))) for name in names}
        try:
            plaintext, associated = self._open("".join(pieces[name] for name in names))
        except Rejected:
            # Litestar sorts names as text: NAME-10 before NAME-2.
            if sorted(names) == names:
                raise
            plaintext, associated = self._open("".join(pieces[name] for name in sorted(names)))
        expires_at = load_object(associated).get("expires_at")
        if not isinstance(expires_at, int) or isinstance(expires_at, bool) or abs(expires_at) >= 10**MAX_DIGITS:
            raise Rejected(SessionStatus.MALFORMED, "authentic, but without an end")
        if expires_at <= round(now):
            raise expired()
        return ForeignSession(load_object(plaintext), None, expires_at)

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """Return those names of the cookie and its chunks that are in the request, in the order written."""
        chunks = [(int(match[1]), name) for name in cookies if (match := self._chunk_name.fullmatch(name))]
        whole = [self.cookie_name] if self.cookie_name in cookies else []
        return whole + [name for _, name in sorted(chunks)]

    def _open(self, text: str) -> tuple[bytes, bytes]:
        """Return plaintext and associated data; raises `Rejected` (malformed, forged)."""
        sealed, mark, associated = decode_base64(text).partition(_MARK)
        if not mark or len(sealed) < _NONCE_SIZE + _TAG_SIZE:
            raise Rejected(SessionStatus.MALFORMED, "not a session of Litestar's")
        try:
            return self._cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], associated), associated
        except InvalidTag:
            raise Rejected(SessionStatus.FORGED, "the tag does not match") from None
