"""Auth.js 5's session cookie, in its JWT strategy: an encrypted JWT that the front end renews at every poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastsession.formats.claims import claims_session
from fastsession.formats.contract import ForeignSession
from fastsession.formats.foreign_secrets import one_or_more, warn_of_weak
from fastsession.formats.json_data import load_object
from fastsession.formats.jwe import A256CBC_HS512, A256GCM, JweKey, derived_key, open_jwe, thumbprint
from fastsession.formats.numbered_chunks import NumberedChunks
from fastsession.keyring import SecretKey

# The hash of a key's name in the header. The first algorithm is the one that Auth.js writes.
_DIGESTS = {A256CBC_HS512: "sha512", A256GCM: "sha256"}


class AuthjsSession:
    """Reads Auth.js 5's cookies. `secret` is AUTH_SECRET, or a list of secrets of which the first seals.

    Over https the front end calls the cookie `__Secure-authjs.session-token`, else `authjs.session-token`;
    the name is a part of the key, so it has to be right. The cookie does not tell when the user signed in:
    `created_at` is None. `subject` is the claim `sub`.
    """

    of_front_end = True

    def __init__(
        self, *, secret: SecretKey | Sequence[SecretKey], cookie_name: str = "__Secure-authjs.session-token"
    ) -> None:
        self._chunks = NumberedChunks(cookie_name)
        self.cookie_name = cookie_name
        self.names = self._chunks.names
        self.secrets = one_or_more("secret", secret)
        self._keys = [_key(secret, cookie_name, enc) for secret in self.secrets for enc in _DIGESTS]
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session's claims: `sub`, `name`, `email`, `picture` and what the jwt callback added."""
        # A header without a key's name is opened with the first secret only, as Auth.js does.
        unnamed = self._keys[: len(_DIGESTS)]
        return claims_session(load_object(open_jwe(self._chunks.value(cookies), self._keys, unnamed=unnamed)), now)


def _key(secret: bytes, cookie_name: str, enc: str) -> JweKey:
    info = f"Auth.js Generated Encryption Key ({cookie_name})"
    key = derived_key(secret, salt=cookie_name.encode(), info=info, enc=enc)
    return JweKey(enc, key, thumbprint(key, _DIGESTS[enc]))
