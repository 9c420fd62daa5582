"""A bank for browsers with device-bound sessions, and what Chromium tells of those."""

import asyncio
import time
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import BrowserContext

from tests.browser.fetching import fetch
from tests.device_binding.bank import BOUND, LIFETIME, REFRESH, REGISTER, bank
from tests.shop import Current

PAGE = "<!doctype html><title>{title}</title>{body}"
# How long is waited for what takes milliseconds.
PATIENCE = 20.0


def pages(**options: Any) -> FastAPI:
    """The bank with pages to sign in on, and to come to from elsewhere."""
    app = bank(**options)

    @app.get("/start")
    async def start() -> HTMLResponse:
        return HTMLResponse(
            PAGE.format(
                title="Start",
                body="""<form method="post" action="/login-page"><button>To a page</button></form>
                    <form method="post" action="/login-and-redirect"><button>To a redirect</button></form>
                    <form method="post" action="/login-and-save"><button>To a page that saves</button></form>""",
            )
        )

    @app.post("/login-page")
    async def login_page(session: Current) -> HTMLResponse:
        session.regenerate()
        session.user_id = 42
        return HTMLResponse(PAGE.format(title="Signed in", body="<h1>Welcome</h1>"))

    @app.post("/login-and-save")
    async def login_and_save(session: Current) -> HTMLResponse:
        session.regenerate()
        session.user_id = 42
        script = "Promise.all([1, 2, 3].map(n => fetch('/cart/item-' + n, {method: 'POST'}))).then(() => done = true)"
        return HTMLResponse(PAGE.format(title="Signed in", body=f"<script>done = false; {script}</script>"))

    @app.get("/account")
    async def account(session: Current, csp: str = "") -> HTMLResponse:
        body = f"<h1>{session.user_id} {session.info.status}</h1><p id='part'>a part</p>"
        headers = {"Content-Security-Policy": csp} if csp else None
        return HTMLResponse(PAGE.format(title="Account", body=body), headers=headers)

    @app.post("/clear-site-data")
    async def clear_site_data() -> HTMLResponse:
        return HTMLResponse("", headers={"Clear-Site-Data": '"cookies"'})

    return app


class Site:
    """An application whose requests are noted, and whose two endpoints something else may answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.url = ""
        # Method, path and status of each request to it, in the order of the answers.
        self.log: list[str] = []
        # Values of Secure-Session-Skipped that came.
        self.skipped: list[str] = []
        # What is in front of the two endpoints: a status in their place, and seconds that it takes.
        self.status: int | None = None
        self.delay = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        line = f"{scope.get('method', 'WEBSOCKET')} {scope['path']}"
        self.skipped += [value.decode() for name, value in scope["headers"] if name == b"secure-session-skipped"]
        endpoint = scope["path"].endswith((REGISTER, REFRESH))

        async def noting(message: Any) -> None:
            # Browsers ask for an icon when they like.
            if message["type"] == "http.response.start" and scope["path"] != "/favicon.ico":
                self.log.append(f"{line} {message['status']}")
            elif message["type"] == "websocket.accept":
                self.log.append(line)
            await send(message)

        if endpoint:
            await asyncio.sleep(self.delay)
        if endpoint and self.status is not None:
            headers = [(b"location", b"/start")] if self.status == 302 else []
            await noting({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, noting)

    def count(self, path: str) -> int:
        """How many requests there were: "POST /session/device/refresh 200"."""
        return sum(line == path for line in self.log)

    @property
    def refreshes(self) -> int:
        return self.count(f"POST {REFRESH} 200")


class Tab:
    """A tab, and the events of bound sessions that Chromium tells it."""

    def __init__(self, context: BrowserContext, site: Site, clock: Any = None) -> None:
        self.context, self.site, self.clock = context, site, clock
        self.page = context.new_page()
        self.events: list[Any] = []
        protocol = context.new_cdp_session(self.page)
        protocol.on("Network.deviceBoundSessionEventOccurred", self._note)
        protocol.send("Network.enable")
        protocol.send("Network.enableDeviceBoundSessions", {"enable": True})
        self.page.goto(f"{site.url}/start")

    def _note(self, event: Any) -> None:
        self.events.append(event)

    def fetch(self, path: str, method: str = "GET") -> Any:
        return fetch(self.page, path, method)

    def who(self) -> Any:
        """User, status, whether bound, until when proven."""
        return self.fetch("/who")

    def fetch_together(self, *paths: str) -> Any:
        """What several requests at once get."""
        return self.page.evaluate(
            "paths => Promise.all(paths.map(path => fetch(path).then(r => r.json())))", list(paths)
        )

    def sign_in(self, user_id: int = 42) -> "Tab":
        """Sign in by a script, and wait until the browser has registered its key."""
        before = len(self.told("creationEventDetails"))
        self.fetch(f"/login/{user_id}", "POST")
        self.wait_for("creationEventDetails", before + 1)
        self.site.log.clear()
        return self

    def expire(self) -> None:
        """As after the lifetime of a proof: the server's clock moves, and the browser's cookie is gone."""
        self.clock.advance(LIFETIME)
        self.context.clear_cookies(name=BOUND)

    def told(self, kind: str) -> list[Any]:
        """The details of the events of a kind."""
        return [{**event[kind], "succeeded": event["succeeded"]} for event in self.events if kind in event]

    def wait_for(self, kind: str, count: int = 1) -> list[Any]:
        """Wait until there are so many events of a kind."""
        ends = time.monotonic() + PATIENCE
        while len(self.told(kind)) < count:
            assert time.monotonic() < ends, f"{kind} does not come: {self.events}"
            self.page.wait_for_timeout(5)
        return self.told(kind)
