"""cookie-session for Express: readable JSON, signed by keygrip in a second cookie."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, checked_value, cookie_value
from fastsession.formats.encoding import decode_base64, encode_base64url
from fastsession.formats.foreign_secrets import secret_list, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.signatures import verify
from fastsession.status import SessionStatus

_ALGORITHMS: Final = ("sha1", "sha224", "sha256", "sha384", "sha512")
# keygrip writes base64 in the URL alphabet without padding characters.
_ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {"base64": encode_base64url, "hex": bytes.hex}


class CookieSession:
    """Reads cookie-session's cookies. They contain no time, so a signed cookie never expires.

    All of `keys` verify; `algorithm` and `encoding` are keygrip's. Cookies written with `signed: false`
    are not authentic and never read.
    """

    def __init__(
        self,
        *,
        keys: Sequence[str | bytes],
        cookie_name: str = "session",
        algorithm: str = "sha1",
        encoding: str = "base64",
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._signature_name = f"{cookie_name}.sig"
        self.secrets = secret_list("keys", keys)
        if algorithm not in _ALGORITHMS or encoding not in _ENCODINGS:
            message = f"algorithm must be one of {', '.join(_ALGORITHMS)}, and encoding base64 or hex."
            raise ConfigurationError(message)
        self._algorithm = algorithm
        self._encode = _ENCODINGS[encoding]
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:  # noqa: ARG002  (no time in them)
        """Return the session if the second cookie signs it."""
        value = cookie_value(cookies, self.cookie_name)
        signature = checked_value(cookies.get(self._signature_name, ""))
        if not signature:
            raise Rejected(SessionStatus.FORGED, "no signature")
        message = f"{self.cookie_name}={value}".encode()
        verify(signature, self.secrets, lambda key: self._encode(hmac.digest(key, message, self._algorithm)))
        return ForeignSession(load_object(decode_base64(value)))

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """Return those names of the cookie and its signature that are in the request."""
        return [name for name in (self.cookie_name, self._signature_name) if name in cookies]
