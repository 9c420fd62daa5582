"""An ASGI application called without a client, to see every message and to leave a connection early."""

import asyncio
from collections.abc import Iterable
from typing import Any

Message = dict[str, Any]


def http_scope(path: str = "/", *, method: str = "GET", scheme: str = "https", headers: Iterable[Any] = ()) -> Message:
    """The scope of one request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("192.0.2.7", 40_000),
        "server": ("testserver", 443),
    }


async def exchange(app: Any, scope: Message) -> list[Message]:
    """What the application sends in answer to one request without a body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def call(app: Any, scope: Message | None = None) -> list[Message]:
    """The same from synchronous code."""
    return asyncio.run(exchange(app, scope or http_scope()))


async def answer(send: Any, status: int = 200) -> None:
    """A whole response without a body."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
