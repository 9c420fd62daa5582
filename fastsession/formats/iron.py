"""@hapi/iron 7: plain Fe26.2 seals of a JSON object in a cookie."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.building.given import checked_seconds
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.formats.capacity import check_capacity
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value
from fastsession.formats.foreign_secrets import warn_of_weak
from fastsession.formats.iron_passwords import IronPassword, password_list
from fastsession.formats.iron_seal import IronOptions, IronSealer, check_expiration, creation
from fastsession.formats.json_data import dump_object, load_object


class Iron:
    """Reads and writes @hapi/iron's seals, which contain an expiration with a `ttl` and no time without.

    `password` takes every form that @hapi/iron takes: bytes are a key, a key is derived from a string. With
    several the first seals; without ids all are tried. `encryption` and `integrity` name an algorithm, or
    are mappings of algorithm, iterations, salt_bits and min_password_length; a seal does not contain them,
    so they have to match the Node server's. `ttl` and `timestamp_skew` are in seconds; a `ttl` of 0 means for
    ever. With another `ttl`, a seal was made that long before it expires.
    """

    def __init__(
        self,
        *,
        password: IronPassword,
        cookie_name: str,
        encryption: IronOptions | str = "aes-256-cbc",
        integrity: IronOptions | str = "sha256",
        ttl: float = 0,
        timestamp_skew: float = 60,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._sealer = IronSealer(password_list(password), encryption=encryption, integrity=integrity)
        self._ttl = checked_seconds("ttl", ttl, least=0)
        self.timed = self._ttl > 0
        self._timestamp_skew = checked_seconds("timestamp_skew", timestamp_skew, least=0)
        self.secrets = self._sealer.passwords.secrets()
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the session in the seal; JSON other than an object is `incompatible`."""
        plaintext, expires_at = self._sealer.open(cookie_value(cookies, self.cookie_name))
        check_expiration(expires_at, now, skew=self._timestamp_skew)
        created_at = creation(expires_at, self._ttl, now)
        return ForeignSession(load_object(plaintext), created_at, expires_at)

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """Return one cookie, sealed until `expires_at`; the default is `ttl` from now."""
        expires_at = session.expires_at
        if expires_at is None and self._ttl:
            expires_at = now + self._ttl
        value = self._sealer.seal(dump_object(session.data), expires_at=expires_at)
        check_capacity(session.data, size=len(value), limit=MAX_COOKIE_SIZE - len(self.cookie_name))
        return {self.cookie_name: value}
