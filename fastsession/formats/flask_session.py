"""Flask's sessions: signed JSON with tags for Python's types, compressed where that is shorter."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from fastsession.building.given import checked_seconds
from fastsession.errors import Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value
from fastsession.formats.encoding import decode_base64url
from fastsession.formats.flask_tags import untagged
from fastsession.formats.foreign_secrets import secret_bytes, secret_list, warn_of_weak
from fastsession.formats.json_data import is_object, load_value
from fastsession.formats.signatures import check_age, salted_key, unsigned_timed_text
from fastsession.keyring import SecretKey
from fastsession.status import SessionStatus

# A cookie of 4 KB could inflate to 4 MB. Honest sessions are smaller than this.
_MOST_INFLATED = 64 * 1024
_COMPRESSED_MARK = "."


class FlaskSession:
    """Reads Flask's session cookies; `max_age` is PERMANENT_SESSION_LIFETIME in seconds since signing.

    `fallbacks` is SECRET_KEY_FALLBACKS. Tagged values become Python types: tuple, bytes, UUID, an aware
    datetime; Markup becomes a plain string.
    """

    def __init__(
        self,
        *,
        secret_key: SecretKey,
        fallbacks: Sequence[SecretKey] = (),
        cookie_name: str = "session",
        max_age: float = 2678400,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        older = secret_list("fallbacks", fallbacks) if fallbacks else ()
        self.secrets = (secret_bytes("secret_key", secret_key), *older)
        self._keys = [salted_key(secret, b"cookie-session") for secret in self.secrets]
        self._max_age = checked_seconds("max_age", max_age, least=1)
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The signed session, its tags undone."""
        payload, timestamp = unsigned_timed_text(cookie_value(cookies, self.cookie_name), self._keys)
        check_age(timestamp, self._max_age, now)
        compressed = payload.startswith(_COMPRESSED_MARK)
        text = decode_base64url(payload.removeprefix(_COMPRESSED_MARK))
        data = untagged(load_value(_inflated(text) if compressed else text))
        if not is_object(data):
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a JSON object")
        return ForeignSession(data, timestamp, timestamp + self._max_age)


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, _MOST_INFLATED)
    except zlib.error:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but not compressed as it says") from None
    if inflater.unconsumed_tail:
        raise Rejected(SessionStatus.OVERSIZE, f"inflates to more than {_MOST_INFLATED} bytes")
    if not inflater.eof or inflater.unused_data:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but not compressed as it says")
    return text
