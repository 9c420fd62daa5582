"""What a page asks of its session: how long it lasts, to renew it, to end it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fastsession.dependencies import get_session, session_of
from fastsession.mapping import SCOPE_KEY, SessionDict
from fastsession.sealing.token import Token
from fastsession.session import Session
from fastsession.session_status.same_origin import same_origin

_NO_STORE = {"Cache-Control": "no-store"}


class Status(TypedDict):
    """The answer's JSON. What is left is in seconds and no time of day: browsers' clocks are wrong."""

    signed_in: bool
    idle_left: int
    absolute_left: int
    can_renew: bool
    warn_before: int


class StatusEndpoints:
    """The three verbs, for the sessions that `signed_in` lets count."""

    def __init__(
        self, *, signed_in: Callable[[Any], object] | None, warn_before: int, model: type[Session] | None
    ) -> None:
        self._signed_in = signed_in
        self._warn_before = warn_before
        self._dependency = get_session if model is None else session_of(model)

    async def status(self, request: Request) -> Response:
        """Tell how long the session lasts, and leave it exactly as it is."""
        session = self._session(request)
        if same_origin(request.headers) is False:
            return _refusal(HTTPStatus.FORBIDDEN)
        return JSONResponse(self._status(session), headers=_NO_STORE)

    async def renew(self, request: Request) -> Response:
        """Move the idle deadline; 401 without a session that counts."""
        session = self._session(request)
        if not same_origin(request.headers):
            return _refusal(HTTPStatus.FORBIDDEN)
        if self._counted(session) is None:
            return _refusal(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Cookie"})
        session.open().renewal = True
        # Without a word on how long it lasts now: the store may still refuse, so pages ask again.
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_NO_STORE)

    async def end(self, request: Request) -> Response:
        """End whatever session there is."""
        session = self._session(request)
        if not same_origin(request.headers):
            return _refusal(HTTPStatus.FORBIDDEN)
        session.session().destroy()
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_NO_STORE)

    def _session(self, request: Request) -> SessionDict:
        """The session that is meant. Asking for it renews neither it nor that of another middleware."""
        session = self._dependency.session_in(request)
        sessions: tuple[SessionDict, ...] = request.scope[SCOPE_KEY]
        for each in sessions:
            each.open().renewal = False
        return session

    def _status(self, session: SessionDict) -> Status:
        token, lifecycle = self._counted(session), session.lifecycle
        if token is None:
            return Status(signed_in=False, idle_left=0, absolute_left=0, can_renew=False, warn_before=self._warn_before)
        lifetime, now = lifecycle.timeouts.lifetime(remembered=token.remembered), session.open().now
        idle_deadline, absolute_deadline = token.renewed_at + lifetime.idle, token.created_at + lifetime.absolute
        return Status(
            signed_in=True,
            # Rounded up: who asks again when they are over finds the session over.
            idle_left=math.ceil(idle_deadline - now),
            absolute_left=math.ceil(absolute_deadline - now),
            can_renew=idle_deadline < absolute_deadline,
            # A warning that began with the session would be there all the time.
            warn_before=min(self._warn_before, max(1, lifetime.idle // 2)),
        )

    def _counted(self, session: SessionDict) -> Token | None:
        """What arrived of a session that counts."""
        request = session.open()
        if request.token is None:
            return None
        # Loaded past `session.session()`: that would be a look, which saves a model that today's code writes otherwise.
        model = session.lifecycle.load(request) if session.model is None else session.model
        counts = self._signed_in is None or self._signed_in(model)
        # Asked for again: loading may have found the session revoked.
        return session.open().token if counts else None


def _refusal(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"detail": status.phrase}, status, {**_NO_STORE, **(headers or {})})
