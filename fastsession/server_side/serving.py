"""The lifespan of what sessions need on the server, and the answer in its place when it fails."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount

from fastsession.errors import (
    ConfigurationError,
    FastSessionError,
    SessionLimitError,
    SessionNotSerializableError,
    SessionTooLargeError,
    StoreUnavailableError,
)
from fastsession.response_headers import DEVICE_ANSWER
from fastsession.scope import shares_cookie

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fastsession.options import Setup
    from fastsession.server_side.backends import Backends
    from fastsession.visit import Visit

MiddlewareT = TypeVar("MiddlewareT")
Check = Callable[[object], None]
# Errors that an application may answer in its own words.
ANSWERED = (StoreUnavailableError, SessionLimitError, SessionNotSerializableError, SessionTooLargeError)
_TRY_AGAIN_LATER = 1013
_RETRY_AFTER_SECONDS = "1"
ONE_PATH_FOR_TWO = "Two session middlewares answer browsers at one path: give one of them DeviceBinding(path=...)."


async def serve_lifespan(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, backends: Backends | None, check: Check
) -> None:
    """Start what the sessions need before the application starts, and stop it after; pass unknown protocols on.

    First the application is checked. An error here is a start that failed, and servers are told so: most take one that
    is only raised for an application without a lifespan, and serve it without its own start-up.
    """
    if scope["type"] != "lifespan":
        await app(scope, receive, send)
        return

    async def receive_and_start() -> Message:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                check(scope.get("app", app))
                if backends is not None:
                    await backends.start()
            except Exception as error:
                # Another error, of a store of the application's own for example, may say what nobody is to read.
                told = str(error) if isinstance(error, FastSessionError) else type(error).__name__
                await send({"type": "lifespan.startup.failed", "message": told})
                raise
        return message

    async def send_and_stop(message: Message) -> None:
        if message["type"] != "lifespan.startup.complete" and backends is not None:
            await backends.stop()
        await send(message)

    await app(scope, receive_and_start, send_and_stop)


def check_below(setup: Setup, kind: type[Any], app: object) -> None:
    """Raise `ConfigurationError` for a session middleware below `app` that is in the way of ours.

    It would write our cookie by other rules, or answer browsers at our path of the device binding.
    """
    for root_path, middleware in _middlewares_below(app, kind, ""):
        other: Setup = middleware.setup
        if shares_cookie(setup, other) or setup.devices is None or other.devices is None:
            continue
        if setup.devices.path == root_path + other.devices.path:
            raise ConfigurationError(ONE_PATH_FOR_TWO)


def middlewares_below(app: Any, kind: type[MiddlewareT]) -> Iterator[MiddlewareT]:
    """The middlewares of a kind that wrap this application and those mounted below it, as far as they can be found.

    Those that Starlette has yet to build are built for the question alone.
    """
    return (middleware for _, middleware in _middlewares_below(app, kind, ""))


def _middlewares_below(app: Any, kind: type[MiddlewareT], root_path: str) -> Iterator[tuple[str, MiddlewareT]]:
    """As `middlewares_below`, each with the root path that it adds to that of `app`."""
    if isinstance(app, kind):
        yield root_path, app
    for middleware in getattr(app, "user_middleware", ()):
        factory: Any = middleware.cls
        if inspect.isclass(factory) and issubclass(factory, kind):
            yield root_path, middleware.cls(app, *middleware.args, **middleware.kwargs)
    for route in getattr(app, "routes", ()):
        if isinstance(route, Mount | Host):
            yield from _middlewares_below(route.app, kind, root_path + getattr(route, "path", ""))
    wrapped = getattr(app, "app", None)
    if wrapped is not None:
        yield from _middlewares_below(wrapped, kind, root_path)


async def refuse(error: FastSessionError, visit: Visit, scope: Scope, send: Send, *, dropping: bool = True) -> None:
    """Answer in the application's place: by its own handler of the error if it has one, else without the cause.

    `dropping` is whether the application has begun an answer, of which nothing is sent then. Raises an error that
    the application made, and has no handler for: a session that cannot be kept.
    """
    # Its frames hold the session, and error reports show local variables. The message says what to do.
    error.with_traceback(None)
    # A handler that redirects or asks to sign in would end the browser's device binding.
    handler = None if visit.brings_proof else _handler_of(error, scope.get("app"))
    if not isinstance(error, StoreUnavailableError | SessionLimitError) and (
        handler is None or scope["type"] == "websocket"
    ):
        raise error
    visit.refused, visit.late = dropping, True
    if isinstance(error, StoreUnavailableError):
        visit.setup.events.unavailable(str(error), scope)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
        return
    if handler is None:
        response = _plain_answer(error)
        response.headers.update(DEVICE_ANSWER if visit.brings_proof else {})
    else:
        called = handler if inspect.iscoroutinefunction(handler) else partial(run_in_threadpool, handler)
        response = await called(Request(scope), error)
        # An object with an asynchronous __call__.
        response = await response if inspect.isawaitable(response) else response
    await response(scope, _never, send)


def _handler_of(error: Exception, app: Any) -> Callable[..., Any] | None:
    """The application's handler of this class of errors. One of Exception is not meant: ours say what is wrong."""
    handlers: dict[Any, Callable[..., Any]] = getattr(app, "exception_handlers", {})
    return next((handlers[kind] for kind in type(error).__mro__ if kind in handlers and kind is not Exception), None)


def _plain_answer(error: FastSessionError) -> Response:
    if isinstance(error, SessionLimitError):
        return PlainTextResponse("Too many sessions", status_code=403)
    retry = {"Retry-After": _RETRY_AFTER_SECONDS, "Cache-Control": "no-store"}
    return PlainTextResponse("Sessions are unavailable", status_code=503, headers=retry)


async def drop() -> None:
    """Send nothing of the application's answer: another was sent in its place."""


async def _never() -> Message:
    """Receive nothing more: whatever the client sends, the answer is made."""
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never
