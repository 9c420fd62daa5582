"""Serving a request whose session needs I/O: before the application runs, and before its response leaves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount

from fastsession.errors import ConfigurationError, SessionLimitError, StoreUnavailableError
from fastsession.mapping import take_back

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fastsession.mapping import SessionDict
    from fastsession.server_side.lifecycle import ServerSide

MiddlewareT = TypeVar("MiddlewareT")
Check = Callable[[object], None]
SWITCHING_PROTOCOLS = 101
# The messages whose headers carry Set-Cookie. Accepting a WebSocket has no status: it answers 101.
STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_TRY_AGAIN_LATER = 1013
_RETRY_AFTER_SECONDS = "1"


async def serve_with_backend(app: ASGIApp, session: SessionDict, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the application between the two moments of I/O; answer 503 in its place when one of them fails."""
    lifecycle = session.lifecycle
    answered = False

    async def send_with_session(message: Message) -> None:
        nonlocal answered
        if answered:
            return
        if message["type"] in STARTS and not session.response_started:
            if scope.get("session") is not session:
                take_back(scope, session)
            if session.request is not None or lifecycle.renewal_possible(session.header, lifecycle.clock):
                headers, status_code = message.get("headers", ()), message.get("status", SWITCHING_PROTOCOLS)
                try:
                    message["headers"] = await lifecycle.commit_behind(session, scope, headers, status_code)
                except (StoreUnavailableError, SessionLimitError) as error:
                    answered = True
                    await refuse(error, scope, receive, send)
                    return
            session.response_started = True
        await send(message)

    try:
        await lifecycle.preload(session)
        await app(scope, receive, send_with_session)
    except StoreUnavailableError as error:
        # Those that the application raised as well, having asked for a session to be ended, and did not handle.
        if answered or session.response_started:
            raise
        await refuse(error, scope, receive, send)


async def serve_lifespan(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, server_side: ServerSide | None, check: Check
) -> None:
    """Start what the sessions need before the application starts, and stop it after.

    First the application is checked; a `ConfigurationError` is a start that failed, which servers report and end at.
    """

    async def receive_and_start() -> Message:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                check(scope.get("app", app))
            except ConfigurationError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            if server_side is not None:
                await server_side.start()
        return message

    async def send_and_stop(message: Message) -> None:
        if message["type"] != "lifespan.startup.complete" and server_side is not None:
            await server_side.stop()
        await send(message)

    await app(scope, receive_and_start, send_and_stop)


def middlewares_below(app: Any, kind: type[MiddlewareT]) -> Iterator[MiddlewareT]:
    """The middlewares of a kind that wrap this application and those mounted below it, as far as they can be found.

    Those that Starlette has yet to build are built for the question alone.
    """
    if isinstance(app, kind):
        yield app
    for middleware in getattr(app, "user_middleware", ()):
        factory: Any = middleware.cls
        if inspect.isclass(factory) and issubclass(factory, kind):
            yield middleware.cls(app, *middleware.args, **middleware.kwargs)
    for route in getattr(app, "routes", ()):
        if isinstance(route, Mount | Host):
            yield from middlewares_below(route.app, kind)
    wrapped = getattr(app, "app", None)
    if wrapped is not None:
        yield from middlewares_below(wrapped, kind)


async def refuse(error: StoreUnavailableError | SessionLimitError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in the application's place, telling nothing of the cause."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
        return
    if isinstance(error, SessionLimitError):
        response = PlainTextResponse("Too many sessions", status_code=403)
    else:
        retry = {"Retry-After": _RETRY_AFTER_SECONDS, "Cache-Control": "no-store"}
        response = PlainTextResponse("Sessions are unavailable", status_code=503, headers=retry)
    await response(scope, receive, send)
