"""A shop whose customers sign in at an OpenID Connect provider, with Authlib's Starlette client."""

from typing import Any

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from fastsession import CurrentSession, Session, SessionMiddleware, generate_key
from tests.third_party.openid_provider import OpenIdProvider


class Member(Session):
    user: str | None = None


def oauth_shop(
    provider: OpenIdProvider, issuer: str, *, transport: Any = None, cache: Any = None, **options: Any
) -> FastAPI:
    """A shop for the provider at `issuer`, behind a session middleware with these options.

    `transport` and `cache` are Authlib's: how it talks to the provider, and where it keeps state but in the session.
    """
    oauth = OAuth(cache=cache)
    client = oauth.register(
        "sso",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid", "code_challenge_method": "S256", "transport": transport, "trust_env": False},
    )
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key=generate_key(), **options)

    @app.exception_handler(OAuthError)
    async def refused(request: Request, error: OAuthError) -> JSONResponse:
        return JSONResponse({"error": error.error}, status_code=400)

    @app.get("/login")
    async def login(request: Request) -> Response:
        return await client.authorize_redirect(request, request.url_for("callback"))

    @app.api_route("/callback", methods=["GET", "POST"])
    async def callback(request: Request, session: CurrentSession[Session]) -> Response:
        token = await client.authorize_access_token(request)
        session.regenerate()
        request.session["user"] = token["userinfo"]["sub"]
        return RedirectResponse("/me", status_code=303)

    @app.get("/me")
    async def me(request: Request) -> str | None:
        return request.session.get("user")

    @app.get("/keys")
    async def keys(request: Request) -> list[str]:
        return sorted(request.session)

    @app.get("/logout")
    async def logout(request: Request) -> Response:
        request.session.pop("user", None)
        return await client.logout_redirect(request, request.url_for("signed_out"))

    @app.get("/signed-out")
    async def signed_out(request: Request) -> Any:
        return await client.validate_logout_response(request)

    return app
