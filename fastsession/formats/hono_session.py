"""@hono/session: claims and the session's data in one encrypted JWT."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.errors import Rejected
from fastsession.formats.claims import check_times
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.jwe import A256GCM, KEY_SIZES, JweKey, derived_key, open_jwe
from fastsession.keyring import SecretKey
from fastsession.status import SessionStatus

_CLAIMS = ("sid", "iat", "exp")


class HonoSession:
    """Reads the cookies of @hono/session. `secret` is its secret; 32 bytes are the key itself.

    `ForeignSession.id` is the claim `sid`. With a storage the data is there, and the session reads as empty.
    """

    def __init__(self, *, secret: SecretKey, cookie_name: str = "sid") -> None:
        self.cookie_name = checked_name(cookie_name)
        self.secrets = (secret_bytes("secret", secret),)
        key = self.secrets[0]
        if not (isinstance(secret, bytes) and len(secret) == KEY_SIZES[A256GCM]):
            key = derived_key(key, salt=b"", info="session jwe cek", enc=A256GCM)
        self._keys = (JweKey(A256GCM, key),)
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The data beside the claims; it began at `iat`, and there is no tolerance at its end."""
        claims = load_object(open_jwe(cookie_value(cookies, self.cookie_name), self._keys, unnamed=self._keys))
        ends_at = check_times(claims, now, tolerance=0)
        session_id = claims.get("sid")
        if not session_id:
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but without an id")
        data = {name: value for name, value in claims.items() if name not in _CLAIMS}
        return ForeignSession(data, claims.get("iat"), ends_at, str(session_id))
