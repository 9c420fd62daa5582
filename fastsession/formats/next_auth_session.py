"""NextAuth 4's session cookie, in its JWT strategy: an encrypted JWT that the front end renews at every poll."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.formats.claims import claims_session
from fastsession.formats.contract import ForeignSession
from fastsession.formats.foreign_secrets import secret_bytes, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.jwe import A256GCM, JweKey, derived_key, open_jwe
from fastsession.formats.numbered_chunks import NumberedChunks
from fastsession.keyring import SecretKey


class NextAuthSession:
    """Reads NextAuth 4's cookies. `secret` is NEXTAUTH_SECRET.

    Over https the front end calls the cookie `__Secure-next-auth.session-token`, else
    `next-auth.session-token`. The cookie does not tell when the user signed in: `created_at` is None.
    `subject` is the claim `sub`.
    """

    of_front_end = True

    def __init__(self, *, secret: SecretKey, cookie_name: str = "__Secure-next-auth.session-token") -> None:
        self._chunks = NumberedChunks(cookie_name)
        self.cookie_name = cookie_name
        self.names = self._chunks.names
        self.secrets = (secret_bytes("secret", secret),)
        key = derived_key(self.secrets[0], salt=b"", info="NextAuth.js Generated Encryption Key", enc=A256GCM)
        self._keys = (JweKey(A256GCM, key),)
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session's claims: `sub`, `name`, `email`, `picture` and what the jwt callback added."""
        return claims_session(load_object(open_jwe(self._chunks.value(cookies), self._keys, unnamed=self._keys)), now)
