"""Better Auth's cookie cache: the session and its user in a cookie, for a few minutes or without any database."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.better_auth_rows import rows_session
from fastsession.formats.better_auth_session import same_text, signed_token
from fastsession.formats.claims import TOLERANCE, check_times
from fastsession.formats.contract import ForeignSession
from fastsession.formats.encoding import decode_base64url, encode_base64url
from fastsession.formats.foreign_secrets import one_or_more, warn_of_weak
from fastsession.formats.json_data import is_object, load_object
from fastsession.formats.jwe import A256CBC_HS512, JweKey, derived_key, open_jwe, thumbprint
from fastsession.formats.jws import open_ed25519, open_hs256, public_keys
from fastsession.formats.numbered_chunks import NumberedChunks
from fastsession.formats.signatures import verify
from fastsession.formats.validity import MAX_DIGITS, expired, milliseconds
from fastsession.keyring import SecretKey
from fastsession.status import SessionStatus

Strategy = Literal["compact", "jwt", "jwe"]
# As Better Auth writes it. What it signs is the session's own text with `expiresAt` as its last field.
_COMPACT = re.compile(
    rb'\{"session":(\{.*)\},"expiresAt":([1-9][0-9]{0,%d}),"signature":"([A-Za-z0-9_-]{43})"\}' % (MAX_DIGITS - 1),
    re.DOTALL,
)
_TYPE: Final = "better-auth.session-cache+jwt"
_AUDIENCE: Final = "better-auth:session-cache"
_DATA_NAME, _TOKEN_NAME = "session_data", "session_token"


class BetterAuthCache:
    """Reads Better Auth's `session_data` cookie. It outlives a sign-out elsewhere by as long as it is kept.

    `strategy` is Better Auth's option. `secret` is BETTER_AUTH_SECRET, or the versioned secrets, the current
    one first: of these `jwe` opens with all and the others with the first. With `jwt` and the plugin
    `jwt({sessionCookieCache: true})`, give `jwks` (the JSON of /api/auth/jwks) and `issuer` (its baseURL) in
    place of a secret. `version` is Better Auth's `cookieCache.version`, checked when it is given.

    `with_token=True` reads as Better Auth's own server does: only beside the `session_token` cookie of the
    same session, which a sign-out deletes, and without tolerance of other clocks.
    """

    of_front_end = True

    def __init__(
        self,
        *,
        secret: SecretKey | Sequence[SecretKey] | None = None,
        strategy: Strategy = "compact",
        jwks: Mapping[str, Any] | None = None,
        issuer: str | None = None,
        version: str | None = None,
        with_token: bool = False,
        cookie_name: str = "__Secure-better-auth.session_data",
    ) -> None:
        _check_options(secret, strategy, jwks, issuer, cookie_name, with_token=with_token)
        self._chunks = NumberedChunks(cookie_name)
        self.cookie_name = cookie_name
        self.secrets: tuple[bytes, ...] = () if secret is None else one_or_more("secret", secret)
        self._version = version
        self._token_name = cookie_name.replace(_DATA_NAME, _TOKEN_NAME) if with_token else None
        self._tolerance = 0 if with_token or (strategy == "jwt" and jwks is None) else TOLERANCE
        self._keys = [_jwe_key(secret) for secret in self.secrets]
        self._public_keys = {} if jwks is None else public_keys(jwks)
        self._issuer = issuer
        self._open = self._opener(strategy)
        if self.secrets:
            warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session and user rows as they were cached, ending with the cache or the session."""
        claims, ends_at = self._open(self._chunks.value(cookies), now)
        _check_user(claims.get("user"))
        session = rows_session(claims.get("session"), claims["user"], now)
        if not isinstance(claims.get("updatedAt"), int | float):
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a cache of Better Auth's")
        if self._version is not None and claims.get("version", "1") != self._version:
            raise Rejected(SessionStatus.INCOMPATIBLE, "cached under another version")
        if self._token_name is not None:
            self._check_token(cookies, session)
        ends = [time for time in (ends_at, session.expires_at) if time is not None]
        user = {**session.data["user"], "email": session.data["user"]["email"].lower()}
        return replace(session, data={"session": session.data["session"], "user": user}, expires_at=min(ends))

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """The cookie and its chunks, and the token's where it is read, as far as the request brought them."""
        token = [self._token_name] if self._token_name is not None and self._token_name in cookies else []
        return self._chunks.names(cookies) + token

    def _opener(self, strategy: Strategy) -> Callable[[str, float], tuple[dict[str, Any], float | None]]:
        if self._public_keys:
            return self._open_with_public_key
        return {"compact": self._open_compact, "jwt": self._open_jwt, "jwe": self._open_jwe}[strategy]

    def _open_compact(self, text: str, now: float) -> tuple[dict[str, Any], float]:
        match = _COMPACT.fullmatch(decode_base64url(text))
        if match is None:
            raise Rejected(SessionStatus.MALFORMED, "not a cache of Better Auth's")
        session, expires_at, signature = match.groups()
        message = b'%s,"expiresAt":%s}' % (session, expires_at)
        secret = self.secrets[0]
        verify(signature.decode(), [secret], lambda key: encode_base64url(hmac.digest(key, message, "sha256")))
        if int(expires_at) < milliseconds(now):
            raise expired()
        return load_object(session + b"}"), int(expires_at) / 1000

    def _open_jwt(self, text: str, now: float) -> tuple[dict[str, Any], float | None]:
        claims = load_object(open_hs256(text, self.secrets[0]))
        return claims, check_times(claims, now, tolerance=self._tolerance)

    def _open_jwe(self, text: str, now: float) -> tuple[dict[str, Any], float | None]:
        claims = load_object(open_jwe(text, self._keys, unnamed=self._keys))
        return claims, check_times(claims, now, tolerance=self._tolerance)

    def _open_with_public_key(self, text: str, now: float) -> tuple[dict[str, Any], float | None]:
        """Claims that were made for this cookie, by this server: its key signs other tokens too."""
        claims = load_object(open_ed25519(text, self._public_keys, type_=_TYPE))
        ends_at = check_times(claims, now, tolerance=self._tolerance)
        if (claims.get("iss"), claims.get("aud")) != (self._issuer, _AUDIENCE):
            raise Rejected(SessionStatus.INCOMPATIBLE, "signed by another issuer, or for another purpose")
        session, user = claims.get("session"), claims.get("user")
        held = (user.get("id"), session.get("token")) if is_object(user) and is_object(session) else None
        if held != (claims.get("sub"), claims.get("sid")):
            raise Rejected(SessionStatus.INCOMPATIBLE, "signed for another session than it holds")
        return claims, ends_at

    def _check_token(self, cookies: Mapping[str, str], session: ForeignSession) -> None:
        """Raise `Rejected` without the signed token of this session."""
        token = signed_token(cookies, self._token_name or "", self.secrets[0])
        if not same_text(token, session.data["session"]["token"]):
            raise Rejected(SessionStatus.INCOMPATIBLE, "beside the token of another session")


def _jwe_key(secret: bytes) -> JweKey:
    info = "BetterAuth.js Generated Encryption Key"
    key = derived_key(secret, salt=b"better-auth-session", info=info, enc=A256CBC_HS512)
    return JweKey(A256CBC_HS512, key, thumbprint(key, "sha256"))


def _check_user(user: object) -> None:
    """Raise `Rejected` (incompatible) for a user that Better Auth's own reader does not take."""
    if not is_object(user) or not isinstance(user.get("email"), str) or not isinstance(user.get("name"), str):
        raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a cache of Better Auth's")


def _check_options(
    secret: object, strategy: str, jwks: object, issuer: str | None, cookie_name: str, *, with_token: bool
) -> None:
    """Raise `ConfigurationError` for options that contradict each other."""
    message = ""
    if strategy not in ("compact", "jwt", "jwe"):
        message = "strategy is Better Auth's session.cookieCache.strategy: 'compact', 'jwt' or 'jwe'."
    elif (secret is None) == (jwks is None):
        message = "BetterAuthCache takes secret=, or jwks= for the plugin jwt({sessionCookieCache: true})."
    elif jwks is not None and (strategy != "jwt" or not issuer or with_token):
        message = "jwks= goes with strategy='jwt' and issuer=, which is Better Auth's baseURL, and without with_token=."
    elif with_token and _DATA_NAME not in cookie_name:
        message = f"with_token=True finds the token's cookie by its name: cookie_name must contain {_DATA_NAME!r}."
    if message:
        raise ConfigurationError(message)
