"""What a page asks of its session: how long it lasts, to renew it, to end it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypedDict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fastsession.dependencies.condition import Condition, checked_condition, holds
from fastsession.dependencies.same_origin import Sender, sender
from fastsession.dependencies.sessions import SessionDependency
from fastsession.errors import ConfigurationError
from fastsession.mapping import SessionDict
from fastsession.scope import SCOPE_KEY
from fastsession.sealing.token import Token
from fastsession.server_side.asking import ask_for_sessions
from fastsession.session import Session
from fastsession.status import SessionStatus

_NO_STORE = {"Cache-Control": "no-store"}
# What a browser sends in place of a proof of its device that it could not get (W3C, Device Bound Session Credentials).
_SKIPPED = "secure-session-skipped"


class Status(TypedDict):
    """The answer's JSON. What is left is in seconds and no time of day: browsers' clocks are wrong."""

    signed_in: bool
    idle_left: int
    absolute_left: int
    can_renew: bool
    warn_before: int


class StatusEndpoints:
    """The three verbs, for the sessions that `signed_in` lets count."""

    def __init__(self, *, signed_in: Condition | None, warn_before: int, model: type[Session] | None) -> None:
        self._signed_in = None if signed_in is None else checked_condition(signed_in, where="signed_in=")
        self._warn_before = warn_before
        self._dependency = SessionDependency(model, innermost=True)

    async def status(self, request: Request) -> Response:
        """Tell how long the session lasts, and leave it exactly as it is."""
        view = await self._view(request)
        if sender(request.headers) not in (Sender.OWN_PAGE, Sender.UNKNOWN):
            return _refusal(HTTPStatus.FORBIDDEN)
        if view.visit.status is SessionStatus.UNBOUND and _SKIPPED in request.headers:
            # The server could not be asked for a new proof, the session itself goes on: pages ask again later.
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse(await self._status(view), headers=_NO_STORE)

    async def renew(self, request: Request) -> Response:
        """Move the idle deadline; 401 without a session that counts."""
        view = await self._view(request)
        if sender(request.headers) is not Sender.OWN_PAGE:
            return _refusal(HTTPStatus.FORBIDDEN)
        if await self._counted(view) is None:
            return _refusal(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Cookie"})
        view.visit.renew_as(wanted=True)
        # Without a word on how long it lasts now: the store may still refuse, so pages ask again.
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_NO_STORE)

    async def end(self, request: Request) -> Response:
        """End whatever session there is."""
        view = await self._view(request)
        if sender(request.headers) is not Sender.OWN_PAGE:
            return _refusal(HTTPStatus.FORBIDDEN)
        view.session().destroy()
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_NO_STORE)

    async def _view(self, request: Request) -> SessionDict:
        """The session that is meant. Asking for it renews neither it nor that of another middleware."""
        view = self._dependency.view_in(request)
        views: tuple[SessionDict, ...] = request.scope[SCOPE_KEY]
        models = {each.lifecycle.codec.model.__name__ for each in views}
        if self._dependency.session_model is None and len(models) > 1:
            message = (
                f"Several session middlewares are active ({', '.join(sorted(models))}): write "
                "session_status_router(..., model=...), as with session_of(...)."
            )
            raise ConfigurationError(message)
        await ask_for_sessions(request.scope)
        for each in views:
            each.opened().renew_as(wanted=False)
        return view

    async def _status(self, view: SessionDict) -> Status:
        token, visit = await self._counted(view), view.visit
        if token is None:
            return Status(signed_in=False, idle_left=0, absolute_left=0, can_renew=False, warn_before=self._warn_before)
        lifetime, now = visit.setup.timeouts.lifetime(remembered=token.remembered), visit.now
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

    async def _counted(self, view: SessionDict) -> Token | None:
        """What arrived of a session that counts."""
        visit = view.opened()
        if visit.token is None:
            return None
        # Loaded past `view.session()`: that would be a look, which saves a model that today's code writes otherwise.
        model = view.lifecycle.load(visit) if view.model is None else view.model
        counts = self._signed_in is None or await holds(self._signed_in, model)
        # Asked for again: loading may have found the session revoked.
        return visit.token if counts else None


def _refusal(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"detail": status.phrase}, status, {**_NO_STORE, **(headers or {})})
