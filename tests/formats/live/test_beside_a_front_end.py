"""A front end's own packages in Node, a FastAPI app beside it, and one cookie jar between them."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastsession import CurrentSession, SessionMiddleware, SignedIn, generate_key
from fastsession.formats import (
    AuthjsSession,
    BetterAuthCache,
    BetterAuthSession,
    ForeignSession,
    H3Session,
    NextAuthSession,
    NuxtSession,
)
from tests.formats.live.front_ends import AuthPages, BetterAuthPages, BetterAuthTables, H3Pages, front_end
from tests.formats.live.servers import asgi_server
from tests.shop import ShopSession

SECRET, OLDER = "9cTq2vYbL6wZr1nXs8kMfD4hGj7pEa3u", "Xm4Rk8Tz1Lq6Ws3Vb9Nc5Hd7Jf2Gp0Ya"
ISSUER = "http://front.example"


def h3_user(data):
    return (data.get("user") or {}).get("id")


@dataclass(frozen=True)
class FrontEnd:
    """One package, its pages, and the reader of its cookie, made when the browser has signed in."""

    name: str
    package: str
    pages: Any
    options: dict[str, Any]
    reader: Callable[[Path, httpx.Client, str], Any]
    subject: Callable[[dict[str, Any]], Any] | None = None
    # Parts of the session's name, one a cookie, when it is signed in with a long note.
    chunks: list[str] = field(default_factory=list)


def better_auth(strategy, **options):
    session = {"cookieCache": {"enabled": True, "strategy": strategy}}
    return {"secret": SECRET, "baseURL": ISSUER, "session": session, **options}


def tables(folder, _browser, _url):
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'better-auth.db'}", poolclass=NullPool)
    return BetterAuthSession(
        secret=SECRET, store=BetterAuthTables(engine), cookie_name="better-auth.session_token", timeout=10
    )


def cache(strategy):
    return lambda *_: BetterAuthCache(secret=SECRET, strategy=strategy, cookie_name="better-auth.session_data")


def cache_by_public_key(_folder, browser, url):
    jwks = browser.get(f"{url}/api/auth/jwks").json()
    return BetterAuthCache(jwks=jwks, issuer=ISSUER, strategy="jwt", cookie_name="better-auth.session_data")


INSECURE = {"cookie": {"secure": False}}
FRONT_ENDS = [
    FrontEnd(
        "Auth.js",
        "@auth/core",
        AuthPages(),
        {"secret": [SECRET, OLDER]},
        lambda *_: AuthjsSession(secret=[SECRET, OLDER], cookie_name="authjs.session-token"),
        chunks=[".0", ".1", ".2"],
    ),
    FrontEnd(
        "NextAuth",
        "next-auth",
        AuthPages(),
        {"secret": SECRET},
        lambda *_: NextAuthSession(secret=SECRET, cookie_name="next-auth.session-token"),
        chunks=[".0", ".1", ".2"],
    ),
    FrontEnd(
        "Better Auth, tables", "better-auth", BetterAuthPages(ISSUER), {"secret": SECRET, "baseURL": ISSUER}, tables
    ),
    FrontEnd(
        "Better Auth, compact",
        "better-auth",
        BetterAuthPages(ISSUER),
        better_auth("compact"),
        cache("compact"),
        chunks=[".0", ".1", ".2"],
    ),
    FrontEnd("Better Auth, jwt", "better-auth", BetterAuthPages(ISSUER), better_auth("jwt"), cache("jwt")),
    FrontEnd("Better Auth, jwe", "better-auth", BetterAuthPages(ISSUER), better_auth("jwe"), cache("jwe")),
    FrontEnd(
        "Better Auth, public key",
        "better-auth",
        BetterAuthPages(ISSUER),
        better_auth("jwt", publicKey=True),
        cache_by_public_key,
    ),
    FrontEnd(
        "h3",
        "h3",
        H3Pages(),
        {"password": SECRET, "maxAge": 3600, **INSECURE},
        lambda *_: H3Session(password=SECRET, max_age=3600),
        h3_user,
        chunks=["", ".1", ".2", ".3"],
    ),
    FrontEnd(
        "Nuxt",
        "nuxt",
        H3Pages(),
        {"password": SECRET, "name": "nuxt-session", **INSECURE},
        lambda *_: NuxtSession(password=SECRET),
        h3_user,
    ),
]
EVERY = pytest.mark.parametrize("system", FRONT_ENDS, ids=lambda system: system.name)


def back_end(reader, subject, events):
    """Routes that ask for the front end's user, and one that asks for our session only."""
    user = SignedIn(reader, subject=subject)
    app = FastAPI()
    app.add_middleware(
        SessionMiddleware,
        model=ShopSession,
        secret_key=generate_key(),
        https_only=False,
        binding=user,
        on_event=events.append,
    )

    @app.get("/me")
    async def me(user: Annotated[ForeignSession, Depends(user)]) -> dict[str, Any]:
        return {"subject": user.subject, "created": user.created_at is not None}

    @app.api_route("/cart", methods=["GET", "POST"])
    async def cart(session: CurrentSession[ShopSession], item: str | None = None) -> list[str]:
        session.cart += [item] if item else []
        return session.cart

    return app


@contextmanager
def beside(system, folder, events, name="ada", note=""):
    """A browser that is signed in at the front end, the front end's URL, and the back end's."""
    options = dict(system.options)
    if system.package == "better-auth":
        options["database"] = str(folder / "better-auth.db")
    with front_end(system.package, options) as front, httpx.Client(timeout=60) as browser:
        system.pages.sign_in(browser, front, name, note)
        app = back_end(system.reader(folder, browser, front), system.subject, events)
        with asgi_server(app) as back:
            yield browser, front, back


@EVERY
def test_who_signs_in_there_is_known_here_until_they_sign_out_there(system, peer, tmp_path, caplog):
    events = []
    with beside(system, tmp_path, events) as (browser, front, back):
        first = browser.get(f"{back}/me").json()
        assert first["subject"]
        assert first["created"] == (system.package not in ("@auth/core", "next-auth"))
        assert browser.post(f"{back}/cart", params={"item": "tea"}).json() == ["tea"]
        # Asking at the front end renews its cookie, and changes nothing here.
        assert system.pages.user(browser, front) == "ada"
        assert browser.get(f"{back}/cart").json() == ["tea"]
        system.pages.sign_in(browser, front, "bob")
        assert browser.get(f"{back}/cart").json() == []
        assert [event.status for event in events if event.kind == "rejected"] == ["binding"]
        assert browser.get(f"{back}/me").json()["subject"] != first["subject"]
        assert browser.post(f"{back}/cart", params={"item": "milk"}).json() == ["milk"]
        system.pages.sign_out(browser, front)
        assert browser.get(f"{back}/me").status_code == 401
        assert browser.get(f"{back}/cart").json() == []
        assert SECRET not in caplog.text


@pytest.mark.parametrize("system", [each for each in FRONT_ENDS if each.chunks], ids=lambda system: system.name)
def test_a_cookie_that_has_grown_to_chunks_is_known(system, peer, tmp_path):
    note = "".join(chr(97 + place % 26) for place in range(7_500))
    with beside(system, tmp_path, [], note=note) as (browser, front, back):
        name = system.reader(tmp_path, browser, front).cookie_name
        names = {cookie.name for cookie in browser.cookies.jar if cookie.name.startswith(name)}
        assert names == {name + chunk for chunk in system.chunks}
        assert browser.get(f"{back}/me").status_code == 200
        system.pages.sign_out(browser, front)
        assert browser.get(f"{back}/me").status_code == 401


def test_a_secret_that_rotates_there_signs_nobody_out_here(peer):
    reader = AuthjsSession(secret=[SECRET, OLDER], cookie_name="authjs.session-token")
    pages = AuthPages()
    with asgi_server(back_end(reader, None, [])) as back, httpx.Client(timeout=60) as browser:
        for secrets in ([OLDER], [SECRET, OLDER], [SECRET]):
            with front_end("@auth/core", {"secret": secrets}) as front:
                if secrets == [OLDER]:
                    pages.sign_in(browser, front, "ada")
                before = browser.cookies["authjs.session-token"]
                assert browser.get(f"{back}/me").status_code == 200
                assert pages.user(browser, front) == "ada"
                assert browser.cookies["authjs.session-token"] != before
                assert browser.get(f"{back}/me").status_code == 200
    with asgi_server(back_end(AuthjsSession(secret=OLDER, cookie_name="authjs.session-token"), None, [])) as back:
        assert httpx.get(f"{back}/me", cookies=browser.cookies).status_code == 401


@pytest.mark.parametrize("package", ["h3", "nuxt"])
def test_h3_and_fastapi_write_one_session(package, peer):
    options = {"password": SECRET, "name": "shop", "maxAge": 3600, **INSECURE}
    format_ = H3Session(password=SECRET, cookie_name="shop", max_age=3600, h3=2 if package == "h3" else 1)
    app = FastAPI()
    app.add_middleware(
        SessionMiddleware, model=ShopSession, secret_key=generate_key(), https_only=False, format=format_
    )

    @app.post("/cart/{item}")
    async def add(item: str, session: CurrentSession[ShopSession]) -> list[str]:
        session.cart.append(item)
        return session.cart

    pages = H3Pages()
    with front_end(package, options) as front, asgi_server(app) as back, httpx.Client(timeout=60) as browser:
        assert browser.post(f"{back}/cart/tea").json() == ["tea"]
        pages.sign_in(browser, front, "ada")
        there = browser.get(f"{front}/session").json()
        assert there["data"]["cart"] == ["tea"]
        assert browser.post(f"{back}/cart/milk").json() == ["tea", "milk"]
        again = browser.get(f"{front}/session").json()
        assert (again["id"], again["data"]["user"], again["data"]["cart"]) == (
            there["id"],
            {"id": "ada"},
            ["tea", "milk"],
        )
