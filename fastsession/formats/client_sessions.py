"""Mozilla's client-sessions 0.8 (unmaintained): encrypted cookies with times in clear."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace

from fastsession.building.given import checked_seconds
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import Rejected
from fastsession.formats.aes import IV_SIZE, decrypt_cbc, encrypt_cbc
from fastsession.formats.capacity import check_capacity
from fastsession.formats.client_sessions_keys import (
    SIGNATURE_ALGORITHMS,
    Keys,
    Secrets,
    check_algorithms,
    check_sizes,
    given_secrets,
    keys_from,
)
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value
from fastsession.formats.encoding import decode_base64url, encode_base64url
from fastsession.formats.foreign_secrets import warn_of_weak
from fastsession.formats.json_data import dump_object, load_object
from fastsession.formats.validity import MAX_DIGITS, expired, milliseconds, reject_future
from fastsession.status import SessionStatus

_FIELDS = 5
_NUMBER = re.compile(rf"0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}")


class ClientSessions:
    """Reads and writes client-sessions' cookies.

    Takes the `secret` or a list of secrets, of which the first seals, or both keys as bytes, which every
    algorithm but the defaults needs. `duration` and `active_duration` are in seconds; a cookie written with
    another duration keeps it. Node cannot read keys called reset, destroy and setDuration.
    """

    def __init__(
        self,
        *,
        secret: Secrets | None = None,
        encryption_key: bytes | None = None,
        signature_key: bytes | None = None,
        encryption_algorithm: str = "aes256",
        signature_algorithm: str = "sha256",
        cookie_name: str = "session_state",
        duration: float = 86400,
        active_duration: float = 300,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        check_algorithms(encryption_algorithm, signature_algorithm)
        self.secrets = given_secrets(secret, encryption_key, signature_key)
        self._keys = keys_from(secret, encryption_key, signature_key)
        for keys in self._keys:
            check_sizes(keys, encryption_algorithm, signature_algorithm)
        self._hash, _, self._keep = SIGNATURE_ALGORITHMS[signature_algorithm]
        self._duration = checked_seconds("duration", duration, least=1)
        self._active_duration = checked_seconds("active_duration", active_duration, least=0)
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the session, which ends when its own duration has passed since its creation."""
        fields = cookie_value(cookies, self.cookie_name).split(".")
        if len(fields) != _FIELDS or not all(_NUMBER.fullmatch(number) for number in fields[2:4]):
            raise Rejected(SessionStatus.MALFORMED, "not five fields with two numbers")
        iv, ciphertext = decode_base64url(fields[0]), decode_base64url(fields[1])
        keys = self._authentic(iv, ciphertext, fields[2], fields[3], fields[4])
        if len(iv) != IV_SIZE:
            raise Rejected(SessionStatus.MALFORMED, "authentic, but its iv has another size")
        name, _, content = decrypt_cbc(keys.encryption, iv, ciphertext).partition(b"=")
        if name != self.cookie_name.encode():
            raise Rejected(SessionStatus.FORGED, "sealed for a cookie of another name")
        created_at, expires_at = int(fields[2]), int(fields[2]) + int(fields[3])
        if milliseconds(now) > expires_at:
            raise expired()
        reject_future(created_at / 1000, now)
        return ForeignSession(load_object(content), created_at / 1000, expires_at / 1000)

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """Return one cookie from `created_at` to `expires_at`; the default is `duration` from now."""
        keys = self._keys[0]
        created_at = milliseconds(now if session.created_at is None else session.created_at)
        lasts = milliseconds(self._duration)
        if session.expires_at is not None:
            lasts = max(1, milliseconds(session.expires_at) - created_at)
        iv = secrets.token_bytes(IV_SIZE)
        plaintext = self.cookie_name.encode() + b"=" + dump_object(session.data)
        ciphertext = encrypt_cbc(keys.encryption, iv, plaintext)
        mac = self._mac(keys, iv, ciphertext, str(created_at), str(lasts))
        value = f"{encode_base64url(iv)}.{encode_base64url(ciphertext)}.{created_at}.{lasts}.{mac}"
        check_capacity(session.data, size=len(value), limit=MAX_COOKIE_SIZE - len(self.cookie_name))
        return {self.cookie_name: value}

    def extended(self, session: ForeignSession, *, now: float) -> ForeignSession:
        """Return the session as client-sessions would continue it.

        When less than `active_duration` is left, `active_duration` is added to its creation time;
        otherwise the session is returned unchanged.
        """
        if session.created_at is None or session.expires_at is None:
            return session
        left = milliseconds(session.expires_at) - milliseconds(now)
        if left >= milliseconds(self._active_duration):
            return session
        created_at, expires_at = session.created_at, session.expires_at
        return replace(
            session, created_at=created_at + self._active_duration, expires_at=expires_at + self._active_duration
        )

    def _authentic(self, iv: bytes, ciphertext: bytes, created_at: str, lasts: str, mac: str) -> Keys:
        """Return the keys that verify the MAC; raises `Rejected` (forged)."""
        for keys in self._keys:
            if hmac.compare_digest(mac.encode(), self._mac(keys, iv, ciphertext, created_at, lasts).encode()):
                return keys
        raise Rejected(SessionStatus.FORGED, "the MAC does not match")

    def _mac(self, keys: Keys, iv: bytes, ciphertext: bytes, created_at: str, lasts: str) -> str:
        message = b".".join((iv, ciphertext, created_at.encode(), lasts.encode()))
        return encode_base64url(hmac.digest(keys.signature, message, self._hash)[: self._keep])
