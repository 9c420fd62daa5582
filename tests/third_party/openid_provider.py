"""A small OpenID Connect provider for one client, whose only user is always signed in."""

import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ALGORITHM = "ES256"
# Seconds that an id token is valid.
TOKEN_LIFETIME = 300


@dataclass(frozen=True, slots=True)
class Grant:
    """What the authorization request asked for, kept until its code is exchanged."""

    redirect_uri: str
    code_challenge: str
    nonce: str


class OpenIdProvider:
    """Authorization code flow with PKCE (RFC 7636), id tokens, and logout started by the client.

    The issuer is the address that it is asked under.
    """

    def __init__(self, *, subject: str, pkce: bool = True, **claims: str) -> None:
        self.pkce = pkce
        self.subject = subject
        self.claims = claims
        self.client_id = "shop"
        self.client_secret = secrets.token_urlsafe()
        self._key = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"})
        self._grants: dict[str, Grant] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/jwks", self.jwks),
                Route("/end-session", self.end_session),
            ]
        )

    def metadata(self, request: Request) -> JSONResponse:
        issuer = issuer_of(request)
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "end_session_endpoint": f"{issuer}/end-session",
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )

    def authorize(self, request: Request) -> Response:
        query = request.query_params
        if query["client_id"] != self.client_id or (self.pkce and query["code_challenge_method"] != "S256"):
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        code = secrets.token_urlsafe()
        self._grants[code] = Grant(query["redirect_uri"], query.get("code_challenge", ""), query["nonce"])
        target = URL(query["redirect_uri"]).include_query_params(code=code, state=query["state"])
        return RedirectResponse(target, status_code=302)

    async def token(self, request: Request) -> JSONResponse:
        async with request.form() as form:
            # A code is good for one exchange (RFC 6749, section 4.1.2).
            grant = self._grants.pop(str(form["code"]), None)
            if grant is None or form["redirect_uri"] != grant.redirect_uri:
                return JSONResponse({"error": "invalid_grant"}, status_code=400)
            digest = sha256(str(form.get("code_verifier")).encode()).digest()
        if self.pkce and urlsafe_b64encode(digest).rstrip(b"=").decode() != grant.code_challenge:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            **self.claims,
            "iss": issuer_of(request),
            "aud": self.client_id,
            "sub": self.subject,
            "nonce": grant.nonce,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
        }
        id_token = jwt.encode({"alg": ALGORITHM, "kid": "1"}, claims, self._key, algorithms=[ALGORITHM])
        return JSONResponse({"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": id_token})

    def jwks(self, request: Request) -> JSONResponse:
        return JSONResponse(KeySet([self._key]).as_dict(private=False))

    def end_session(self, request: Request) -> RedirectResponse:
        query = request.query_params
        target = URL(query["post_logout_redirect_uri"]).include_query_params(state=query["state"])
        return RedirectResponse(target, status_code=302)


def issuer_of(request: Request) -> str:
    return str(request.base_url).rstrip("/")
