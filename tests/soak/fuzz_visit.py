"""A request with any Cookie header to an application that looks at its session."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request

from fastsession import SessionMiddleware, SessionStatus, get_session
from tests.wire import answer, http_scope


async def _looks(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope, receive)
    session = await get_session(request)
    scope["seen"].append((session.info.status, session, dict(request.session)))
    await answer(send)


def visitor(**options: Any) -> Callable[[bytes], tuple[Any, dict[str, Any]] | None]:
    """What one visit sees: the session and its contents, None where the cookie was turned away.

    Whatever the header, the answer is 200 and nothing is raised. Nothing here waits. Only stores look
    for an event loop.
    """
    app = SessionMiddleware(_looks, https_only=False, **options)
    runner = asyncio.Runner()

    def visit(header: bytes) -> tuple[Any, dict[str, Any]] | None:
        scope = http_scope(headers=[(b"cookie", header)])
        scope["seen"], sent = [], []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        runner.run(_without_waiting(app(scope, None, send)))
        assert sent[0]["status"] == 200
        status, *seen = scope["seen"][0]
        return tuple(seen) if status is SessionStatus.VALID else None

    return visit


async def _without_waiting(request: Coroutine[Any, Any, None]) -> None:
    try:
        request.send(None)
    except StopIteration:
        return
    raise AssertionError("the middleware waits for something")
