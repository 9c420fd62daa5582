"""Whether a session is still good while its request goes on: for WebSockets, streams and long downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from fastsession.dependencies.sessions import get_session, session_of
from fastsession.errors import ConfigurationError, Rejected, StoreUnavailableError
from fastsession.mapping import SessionDict
from fastsession.scope import SCOPE_KEY
from fastsession.server_side.event_loop import asyncio_loop
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.session import Session
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.sealing.token import Token

# Between two looks, in seconds. A denial reaches other workers within 0.1, so it closes a socket within one second.
_PAUSE = 0.75
# How long a store may be away before sockets close: as long as revocations may be (`max_staleness`).
_PATIENCE = 60.0
_TRY_AGAIN_LATER = 1013
# The codes that an application may close with (RFC 6455, section 7.4).
_GENERAL_CODES = (1000, 1008)
_OWN_CODES = range(3000, 5000)


async def recheck(connection: HTTPConnection, *, model: type[Session] | None = None) -> SessionStatus:
    """How the session stands now: by the clock, the denials and, with a store, its record.

    `valid` while the session goes on. Once the response has started, that is the session which it left in
    the browser. `model` chooses among several session middlewares; by default it is the innermost one.
    Costs one read with a store and no I/O otherwise. Raises `StoreUnavailableError`, unless sessions are
    then anonymous: that is `store_down`.
    """
    return await _Standing(_view_in(connection, model)).status(ask_store=True)


@asynccontextmanager
async def closing_when_over(
    websocket: WebSocket, code: int = 4401, *, model: type[Session] | None = None
) -> AsyncGenerator[None]:
    """Close the accepted WebSocket with `code` when its session is over; the block then ends where it waits.

    Within a second of a denial made in any worker, and when a timeout passes. A cookie that was rejected is
    over at once; without a cookie there is no session that could be over. When it can't be known, the code
    is 1013. Raises `ConfigurationError` before the socket is accepted, and on another event loop than asyncio's.
    """
    if code not in _GENERAL_CODES and code not in _OWN_CODES:
        message = "closing_when_over() takes a close code from 3000 to 4999, such as 4401, or 1000 or 1008."
        raise ConfigurationError(message)
    if not isinstance(websocket, WebSocket):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        message = "closing_when_over() takes a WebSocket. A stream or a download calls `await recheck(request)`."
        raise ConfigurationError(message)
    if websocket.application_state is WebSocketState.CONNECTING:
        message = "Write `await websocket.accept()` before `async with closing_when_over(websocket)`."
        raise ConfigurationError(message)
    asyncio_loop("closing_when_over()", on_trio="On trio, call `await recheck(websocket)` between two messages.")
    watch = _Watch(_Standing(_view_in(websocket, model)), code)
    try:
        yield
    except asyncio.CancelledError:
        if not watch.is_sole_reason():
            raise
    finally:
        close_with = await watch.stop()
        if close_with is not None:
            await _close(websocket, close_with)


def _view_in(connection: HTTPConnection, model: type[Session] | None) -> SessionDict:
    if model is not None:
        return session_of(model).view_in(connection)
    views: tuple[SessionDict, ...] = connection.scope.get(SCOPE_KEY, ())
    return views[-1] if views else get_session.view_in(connection)


class _Standing:
    """How one request's session stands as time goes on."""

    def __init__(self, view: SessionDict) -> None:
        self._view = view
        lifecycle = view.lifecycle
        self._server = lifecycle if isinstance(lifecycle, ServerLifecycle) else None
        # As the cookie was sealed: later changes of the request's own model reach no cookie.
        self._payload: bytes | None = None
        self._sealed_model: Session | None = None

    @property
    def patience(self) -> float:
        """How long to put up with not knowing. Revocations have been patient themselves, for `max_staleness`."""
        return 0 if self._server is None or self._server.revocations is not None else _PATIENCE

    async def status(self, *, ask_store: bool) -> SessionStatus:
        """The session's status now; raises `StoreUnavailableError`.

        Without `ask_store` the record is read only when memory does not have the answer: when there are no
        revocations, or when the idle timeout has passed that another request may have moved.
        """
        if self._server is not None:
            await self._server.ask(self._view.visit)
        visit = self._view.opened()
        if visit.ended:
            return SessionStatus.REVOKED
        token = visit.sealed or visit.token
        if token is None:
            return visit.status
        try:
            if visit.sealed is None:
                if visit.origin:
                    return await self._judged_before_adoption(token)
                # An `end_others()` of this request spares its own session.
                token = token._replace(spared_at=max(token.spared_at, visit.spared_at))
            return await self._judged(token, ask_store=ask_store)
        except Rejected as rejected:
            return rejected.status

    async def _judged_before_adoption(self, token: Token) -> SessionStatus:
        """As `_judged`, for another system's session that the response has yet to take over: it has no record."""
        visit = self._view.visit
        if self._server is not None and not visit.spared_at:
            await self._server.refuse_noted(visit, self._model(self._server))
        return self._by_the_clock(token)

    async def _judged(self, token: Token, *, ask_store: bool) -> SessionStatus:
        """As `status`, for the session in this token; also raises `Rejected`."""
        server, by_the_clock = self._server, self._by_the_clock(token)
        if server is None:
            return by_the_clock
        server.revoking.refuse_denied(token, self._model(server))
        asks = ask_store or server.revocations is None or by_the_clock is not SessionStatus.VALID
        try:
            entry = await server.read(token) if asks else None
        except Rejected as rejected:
            # A record is gone at its end, too: then the clock knows the reason.
            if rejected.status is SessionStatus.REVOKED and by_the_clock is not SessionStatus.VALID:
                return by_the_clock
            raise
        if entry is None:
            return by_the_clock
        server.revoking.refuse_denied(token, server.model_of(entry.payload))
        return self._by_the_clock(token._replace(renewed_at=max(token.renewed_at, entry.renewed_at)))

    def _by_the_clock(self, token: Token) -> SessionStatus:
        setup = self._view.visit.setup
        now = setup.clock()
        rejection = setup.timeouts.rejection(token.created_at, token.renewed_at, token.remembered, now)
        return rejection or SessionStatus.VALID

    def _model(self, server: ServerLifecycle) -> Session | None:
        visit = self._view.opened()
        payload = visit.committed if visit.sealed else visit.payload
        if payload != self._payload:
            self._payload = payload
            self._sealed_model = server.model_of(payload)
        return self._sealed_model


class _Watch:
    """Looks again and again, beside the block of `closing_when_over`, and cancels it once the session is over."""

    def __init__(self, standing: _Standing, code: int) -> None:
        self._body = cast("asyncio.Task[Any]", asyncio.current_task())
        self._cancelled_before = self._body.cancelling()
        self._has_cancelled = self._leaving = False
        self._task = asyncio.create_task(self._run(standing, code))

    def is_sole_reason(self) -> bool:
        """Whether the block was cancelled by this watch and by nobody else."""
        return self._has_cancelled and self._body.cancelling() <= self._cancelled_before + 1

    async def stop(self) -> int | None:
        """End the watch; returns the code to close with, None when the session is not over."""
        self._leaving = True
        if self._has_cancelled:
            self._body.uncancel()
        self._task.cancel()
        await asyncio.wait((self._task,))
        return None if self._task.cancelled() else self._task.result()

    async def _run(self, standing: _Standing, code: int) -> int:
        try:
            return await _over(standing, code)
        finally:
            # Also after an error, which `stop` raises: no socket stays open unwatched.
            if not self._leaving:
                self._has_cancelled = True
                self._body.cancel()


async def _over(standing: _Standing, code: int) -> int:
    """Return when the session is over, with the code to close with."""
    loop = asyncio.get_running_loop()
    last_known = loop.time()
    while True:
        try:
            status = await standing.status(ask_store=False)
        except StoreUnavailableError:
            status = SessionStatus.STORE_DOWN
        if status in (SessionStatus.VALID, SessionStatus.ABSENT):
            last_known = loop.time()
        elif status is not SessionStatus.STORE_DOWN:
            return code
        elif loop.time() - last_known >= standing.patience:
            return _TRY_AGAIN_LATER
        await asyncio.sleep(_PAUSE)


async def _close(websocket: WebSocket, code: int) -> None:
    """Close the socket, unless either side has done so."""
    if WebSocketState.DISCONNECTED in (websocket.client_state, websocket.application_state):
        return
    # The client may leave at this very moment: servers answer that with either error.
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code)
