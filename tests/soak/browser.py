"""A browser over HTTP that keeps cookies by the reference jar: the last response wins, and the RFC's rules hold."""

import time
from contextlib import asynccontextmanager, nullcontext
from http.cookiejar import CookieJar as NoCookies
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple

import httpx

from tests.reference.cookie_jar import CookieJar, Request


class Pair(NamedTuple):
    name: str
    value: str


class Cookies(NamedTuple):
    """A jar as `httpx.AsyncClient.cookies` shows it."""

    jar: list[Pair]


@asynccontextmanager
async def connections():
    """A client for many browsers that keeps no cookies itself; which worker a request meets is left to chance."""
    nothing = NoCookies(DefaultCookiePolicy(allowed_domains=[]))
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    # However many requests there are, each waits for its turn.
    timeout = httpx.Timeout(60, pool=None)
    async with httpx.AsyncClient(cookies=nothing, limits=limits, timeout=timeout) as client:
        yield client


class Browser:
    """What `tests.server_side.visits` asks of a client. `turn` lends the address of a server for one request."""

    def __init__(self, client, turn, cookies=None):
        self.jar = CookieJar(time.time)
        # Set-Cookie lines that a browser would not have stored.
        self.ignored = 0
        self._client = client
        self._turn = turn if callable(turn) else lambda: nullcontext(turn)
        for name, value in (cookies or {}).items():
            self.jar.receive(Request("https://127.0.0.1/"), f"{name}={value}; Path=/; Secure".encode())

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    @property
    def cookies(self):
        return Cookies([Pair(cookie.name.decode(), cookie.value.decode()) for cookie in self.jar.cookies()])

    async def get(self, path):
        return await self._ask("GET", path)

    async def post(self, path, **options):
        return await self._ask("POST", path, **options)

    async def _ask(self, method, path, **options):
        with self._turn() as address:
            request = Request(f"{address}{path}", method)
            cookie = self.jar.header(request)
            headers = {} if cookie is None else {b"cookie": cookie}
            response = await self._client.request(method, request.url, headers=headers, **options)
        for name, line in response.headers.raw:
            if name.lower() == b"set-cookie" and self.jar.receive(request, line) is None:
                self.ignored += 1
        return response
