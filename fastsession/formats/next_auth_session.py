"""NextAuth 4's session cookie, in its JWT strategy: an encrypted JWT that the front end renews at every poll."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.formats.contract import ForeignSession
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.front_end_tokens import ClaimsCookie, claims_session
from fastsession.formats.jwe import A256GCM, JweKey, derived_key
from fastsession.sealing.keyring import SecretKey


class NextAuthSession:
    """Reads NextAuth 4's cookies. `secret` is NEXTAUTH_SECRET.

    Over https the front end calls the cookie `__Secure-next-auth.session-token`. The cookie does not tell
    when the user signed in: `created_at` is None.
    """

    def __init__(self, *, secret: SecretKey, cookie_name: str = "__Secure-next-auth.session-token") -> None:
        self._cookie = ClaimsCookie(cookie_name)
        self.cookie_name = cookie_name
        self.names = self._cookie.names
        self.secrets = (secret_bytes("secret", secret),)
        key = derived_key(self.secrets[0], salt=b"", info="NextAuth.js Generated Encryption Key", enc=A256GCM)
        self._keys = (JweKey(A256GCM, key),)
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session's claims: `sub`, `name`, `email`, `picture` and what the jwt callback added."""
        return claims_session(self._cookie.text(cookies), self._keys, now)
