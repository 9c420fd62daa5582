"""A request with any Cookie header to an application that looks at its session."""

from collections.abc import Callable
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

    Whatever the header, the answer is 200 and nothing is raised. Nothing here waits, so no event loop is needed.
    """
    app = SessionMiddleware(_looks, https_only=False, **options)

    def visit(header: bytes) -> tuple[Any, dict[str, Any]] | None:
        scope = http_scope(headers=[(b"cookie", header)])
        scope["seen"], sent = [], []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        try:
            app(scope, None, send).send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("the middleware waits for something")
        assert sent[0]["status"] == 200
        status, *seen = scope["seen"][0]
        return tuple(seen) if status is SessionStatus.VALID else None

    return visit
