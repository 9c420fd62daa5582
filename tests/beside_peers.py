"""Routes behind FastSession and behind other packages that read a front end's session, and cookies for both."""

import asyncio
import json
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi_better_auth import BetterAuth, CookieVerifier, CsrfDisabled, SharedSecret, StoredSession, StoredUser
from fastapi_nextauth_jwt import NextAuthJWT

from fastsession import SignedIn, StoreUnavailableError
from fastsession.formats import AuthjsSession, BetterAuthSession
from tests.front_ends import (
    AUTH_SECRET,
    AUTHJS_COOKIE,
    BETTER_AUTH_COOKIE,
    authjs_cookie,
    authjs_seal,
    base64url,
    better_auth_cookie,
)
from tests.shop import browser

OLDER = "Xm4Rk8Tz1Lq6Ws3Vb9Nc5Hd7Jf2Gp0Ya"
DAY = timedelta(days=1)


@dataclass
class Rows:
    """One session and its user, in Better Auth's columns."""

    ends_in: timedelta = DAY
    banned: bool = False
    down: bool = False

    async def get(self, token: str) -> dict[str, Any] | None:
        """As `BetterAuthSession` asks."""
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailableError
        now = datetime.now(UTC)
        session = {"id": "s", "token": token, "userId": "u", "createdAt": now - DAY, "expiresAt": now + self.ends_in}
        user = {"id": "u", "email": "ada@example.com", "name": "Ada", "emailVerified": True, "banned": self.banned}
        user |= {"createdAt": now - DAY, "updatedAt": now - DAY}
        return {"session": {**session, "updatedAt": now - DAY}, "user": user} if token == TOKEN else None

    async def fetch_session_by_token(self, token: str) -> StoredSession | None:
        """As fastapi-better-auth-bridge asks."""
        rows = await self.get(token)
        if rows is None:
            return None
        session, user = rows["session"], rows["user"]
        stored = StoredUser(id="u", payload=user, banned=self.banned)
        return StoredSession(token=token, user_id="u", expires_at=session["expiresAt"], payload=session, user=stored)

    async def fetch_user_by_id(self, _: str) -> StoredUser | None:
        """Never asked: the session comes with its user."""
        return None


def answers(dependency: Any, cookies: list[str]) -> int:
    """The status code that a browser gets for these cookies from a route behind the dependency."""
    app = FastAPI()

    @app.get("/me")
    async def me(_: Annotated[Any, Depends(dependency)]) -> str:
        return "known"

    client = browser(app, errors_raised=False)
    return client.get("/me", headers={"cookie": "; ".join(cookies).encode("latin-1")}).status_code


def authjs_readers() -> dict[str, Any]:
    with warnings.catch_warnings():
        # It asks for AUTH_URL, which the cookie's name makes needless.
        warnings.simplefilter("ignore")
        other = NextAuthJWT(secret=AUTH_SECRET, cookie_name=AUTHJS_COOKIE, csrf_prevention_enabled=False)
    return {"FastSession": SignedIn(AuthjsSession(secret=[AUTH_SECRET, OLDER])), "fastapi-nextauth-jwt": other}


def better_auth_readers(rows: Rows) -> dict[str, Any]:
    verifier = CookieVerifier(
        secret=SharedSecret(AUTH_SECRET), store=rows, csrf=CsrfDisabled(reason="a comparison of GET requests only")
    )
    return {
        "FastSession": SignedIn(BetterAuthSession(secret=AUTH_SECRET, store=rows)),
        "fastapi-better-auth-bridge": BetterAuth(verifiers=[verifier]).current_session(),
    }


def _authjs(*values: str) -> list[str]:
    return [f"{AUTHJS_COOKIE}={value}" for value in values]


def _better_auth(*values: str) -> list[str]:
    return [f"{BETTER_AUTH_COOKIE}={value}" for value in values]


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _odd_header() -> str:
    """A JWE whose header has a list in the place of text."""
    good = authjs_cookie("ada", at=_now())
    header = base64url(json.dumps({"alg": "dir", "enc": ["A256CBC-HS512"]}).encode())
    return header + good[good.index(".") :]


def _chunks(count: int) -> list[str]:
    value = authjs_cookie("ada", at=_now(), note="n" * 6_000)
    size = -(-len(value) // 3)
    return [f"{AUTHJS_COOKIE}.{n}={value[n * size : (n + 1) * size]}" for n in range(count)]


TOKEN = "0123456789abcdefghijABCDEFGHIJkl"
AUTHJS_COOKIES = {
    "a good session": lambda: _authjs(authjs_cookie("ada", at=_now())),
    "no cookie": list,
    "garbage": lambda: _authjs("garbage"),
    "ended": lambda: _authjs(authjs_cookie("ada", at=_now(), days=-1)),
    "another secret": lambda: _authjs(authjs_cookie("ada", at=_now(), secret="q" + AUTH_SECRET[1:])),
    "sealed with the secret before, which is in the list": lambda: _authjs(
        authjs_cookie("ada", at=_now(), secret=OLDER)
    ),
    "bytes that are no text": lambda: _authjs("\xff\xfe"),
    "a JWE header with a list in it": lambda: _authjs(_odd_header()),
    "text for the end": lambda: _authjs(authjs_seal({"sub": "ada", "exp": "never"})),
    "claims that are a list": lambda: _authjs(authjs_seal(["ada"])),
    "three chunks": lambda: _chunks(3),
    "two of three chunks": lambda: _chunks(2),
    "garbage planted around a good session": lambda: _authjs("x", authjs_cookie("ada", at=_now()), "y"),
    "two users' sessions": lambda: _authjs(authjs_cookie("ada", at=_now()), authjs_cookie("bob", at=_now())),
}
BETTER_AUTH_COOKIES = {
    "a good session": (Rows(), lambda: _better_auth(better_auth_cookie(TOKEN))),
    "no cookie": (Rows(), list),
    "garbage": (Rows(), lambda: _better_auth("garbage")),
    "ended": (Rows(ends_in=-DAY), lambda: _better_auth(better_auth_cookie(TOKEN))),
    "signed out": (Rows(), lambda: _better_auth(better_auth_cookie(TOKEN[::-1]))),
    "another secret": (Rows(), lambda: _better_auth(better_auth_cookie(TOKEN, secret="q" + AUTH_SECRET[1:]))),
    "bytes that are no text": (Rows(), lambda: _better_auth("\xff\xfe")),
    "a broken percent escape": (Rows(), lambda: _better_auth(better_auth_cookie(TOKEN) + "%")),
    "a banned user": (Rows(banned=True), lambda: _better_auth(better_auth_cookie(TOKEN))),
    "a database that is down": (Rows(down=True), lambda: _better_auth(better_auth_cookie(TOKEN))),
    "garbage planted around a good session": (Rows(), lambda: _better_auth("x", better_auth_cookie(TOKEN), "y")),
}
