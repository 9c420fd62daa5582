"""Starlette's SessionMiddleware: signed, readable JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.building.given import checked_seconds
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value, unquoted
from fastsession.formats.encoding import decode_base64
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.signatures import check_age, concatenated_key, unsigned_timed_text
from fastsession.keyring import SecretKey


class StarletteSession:
    """Reads the cookies of Starlette's SessionMiddleware; `max_age` is in seconds since they were signed.

    With `max_age=None` they never expire, as in Starlette.
    """

    def __init__(self, *, secret_key: SecretKey, cookie_name: str = "session", max_age: float | None = 1209600) -> None:
        self.cookie_name = checked_name(cookie_name)
        self.secrets = (secret_bytes("secret_key", secret_key),)
        self._keys = [concatenated_key(secret) for secret in self.secrets]
        self._max_age = None if max_age is None else checked_seconds("max_age", max_age, least=1)
        self._warn()

    def _warn(self) -> None:
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the signed session."""
        payload, timestamp = unsigned_timed_text(unquoted(cookie_value(cookies, self.cookie_name)), self._keys)
        if self._max_age is not None:
            check_age(timestamp, self._max_age, now)
        expires_at = None if self._max_age is None else timestamp + self._max_age
        return ForeignSession(load_object(decode_base64(payload)), timestamp, expires_at)
