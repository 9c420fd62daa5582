"""Requests made in process: an application called as a server calls it, without a network."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request

Header = tuple[bytes, bytes]
Message = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
Action = Callable[[Request], Awaitable[bytes]]

# What a browser sends beside cookies.
BROWSER_HEADERS: list[Header] = [
    (b"host", b"shop.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"referer", b"https://shop.example/"),
    (b"connection", b"keep-alive"),
]
_SCOPE: Message = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "https",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "client": ("192.0.2.7", 40_000),
    "server": ("shop.example", 443),
}


class Answer(NamedTuple):
    status: int
    headers: list[Header]
    body: bytes

    def set_cookies(self) -> list[str]:
        return [value.decode() for name, value in self.headers if name.lower() == b"set-cookie"]


def request_headers(cookies: str = "") -> list[Header]:
    """The headers of a request with these cookies."""
    return [*BROWSER_HEADERS, (b"cookie", cookies.encode())] if cookies else [*BROWSER_HEADERS]


def http_scope(headers: list[Header]) -> Message:
    """A fresh scope, as a server makes one for each request, with a Cookie line that nobody has hashed before."""
    *others, (name, value) = headers
    return {**_SCOPE, "headers": [*others, (name, bytes(memoryview(value)))], "state": {}}


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def discard(message: Message) -> None:
    """A server's `send` that costs next to nothing."""


async def exchange(app: App, headers: list[Header]) -> Answer:
    """One request, and all that the application answers."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(http_scope(headers), receive, send)
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(sent[0]["status"], list(sent[0]["headers"]), body)


def application(action: Action) -> App:
    """The smallest application that does something with its request."""

    async def app(scope: Message, receive: Any, send: Any) -> None:
        body = await action(Request(scope, receive))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    return app
