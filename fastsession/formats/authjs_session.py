"""Auth.js 5's session cookie, in its JWT strategy: an encrypted JWT that the front end renews at every poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastsession.formats.contract import ForeignSession
from fastsession.formats.foreign_secrets import one_or_more, warn_of_weak
from fastsession.formats.front_end_tokens import ClaimsCookie, claims_session
from fastsession.formats.jwe import A256CBC_HS512, A256GCM, JweKey, derived_key, thumbprint
from fastsession.sealing.keyring import SecretKey

_DIGESTS = {A256CBC_HS512: "sha512", A256GCM: "sha256"}


class AuthjsSession:
    """Reads Auth.js 5's cookies. `secret` is AUTH_SECRET, or a list of secrets of which the first seals.

    Over https the front end calls the cookie `__Secure-authjs.session-token`; the name is a part of the
    key, so it has to be right. The cookie does not tell when the user signed in: `created_at` is None.
    """

    def __init__(
        self, *, secret: SecretKey | Sequence[SecretKey], cookie_name: str = "__Secure-authjs.session-token"
    ) -> None:
        self._cookie = ClaimsCookie(cookie_name)
        self.cookie_name = cookie_name
        self.names = self._cookie.names
        self.secrets = one_or_more("secret", secret)
        self._keys = [_key(secret, cookie_name, enc) for secret in self.secrets for enc in _DIGESTS]
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session's claims: `sub`, `name`, `email`, `picture` and what the jwt callback added."""
        return claims_session(self._cookie.text(cookies), self._keys, now)


def _key(secret: bytes, cookie_name: str, enc: str) -> JweKey:
    info = f"Auth.js Generated Encryption Key ({cookie_name})"
    key = derived_key(secret, salt=cookie_name.encode(), info=info, enc=enc)
    return JweKey(enc, key, thumbprint(key, _DIGESTS[enc]))
