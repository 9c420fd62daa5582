"""Front ends whose own packages sign a browser in and out, each in a Node process of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from fastsession import StoreUnavailableError
from tests.formats.live.servers import beside_the_packages, node_server


@contextmanager
def front_end(package: str, options: dict[str, Any]) -> Iterator[str]:
    """Serve the package's handlers; gives the base URL."""
    # NextAuth asks for its address; over http its cookies have no prefix.
    environment = {"NEXTAUTH_URL": "http://127.0.0.1", "NODE_ENV": "development"}
    with (
        beside_the_packages() as folder,
        node_server(folder / "front-end.mjs", package, json.dumps(options), **environment) as url,
    ):
        yield url


class AuthPages:
    """The endpoints of Auth.js and NextAuth."""

    def sign_in(self, browser, url, name, note=""):
        form = {"csrfToken": self._csrf_token(browser, url), "name": name, "note": note, "json": "true"}
        browser.post(f"{url}/api/auth/callback/credentials", data=form)
        assert self.user(browser, url) == name

    def sign_out(self, browser, url):
        form = {"csrfToken": self._csrf_token(browser, url), "json": "true"}
        browser.post(f"{url}/api/auth/signout", data=form)
        assert self.user(browser, url) is None

    def user(self, browser, url):
        """Who the front end says it is; asking renews the cookie."""
        session = browser.get(f"{url}/api/auth/session").json()
        return session["user"]["name"] if session else None

    def _csrf_token(self, browser, url):
        return browser.get(f"{url}/api/auth/csrf").json()["csrfToken"]


class BetterAuthPages:
    """The endpoints of Better Auth, where whoever is new signs up. It wants to know from which page a request comes."""

    def __init__(self, origin):
        self._headers = {"origin": origin}

    def sign_in(self, browser, url, name, note=""):
        person = {"email": f"{name}@example.com", "password": "a long password"}
        response = browser.post(
            f"{url}/api/auth/sign-up/email", json={**person, "name": name, "note": note}, headers=self._headers
        )
        if response.status_code != 200:
            response = browser.post(f"{url}/api/auth/sign-in/email", json=person, headers=self._headers)
        assert response.status_code == 200
        assert self.user(browser, url) == name

    def sign_out(self, browser, url):
        assert browser.post(f"{url}/api/auth/sign-out", json={}, headers=self._headers).status_code == 200
        assert self.user(browser, url) is None

    def user(self, browser, url):
        session = browser.get(f"{url}/api/auth/get-session").json()
        return session["user"]["name"] if session else None


class H3Pages:
    """The routes of our own that h3 and Nuxt have in front-end.mjs."""

    def sign_in(self, browser, url, name, note=""):
        browser.post(f"{url}/sign-in/{name}")
        if note:
            browser.post(f"{url}/grow/{len(note)}")
        assert self.user(browser, url) == name

    def sign_out(self, browser, url):
        browser.post(f"{url}/sign-out")
        assert self.user(browser, url) is None

    def user(self, browser, url):
        return browser.get(f"{url}/session").json()["data"].get("user", {}).get("id")


class BetterAuthTables:
    """Better Auth's own tables, for BetterAuthSession: as on the page docs/beside-a-front-end.md."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, token: str) -> dict[str, Any] | None:
        """The session of that token and its user."""
        try:
            async with self._engine.connect() as connection:
                found = await connection.execute(text('SELECT * FROM "session" WHERE token = :token'), {"token": token})
                session = found.mappings().first()
                if session is None:
                    return None
                found = await connection.execute(text('SELECT * FROM "user" WHERE id = :id'), {"id": session["userId"]})
                return {"session": session, "user": found.mappings().first()}
        except OperationalError:
            raise StoreUnavailableError from None
