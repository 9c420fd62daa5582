"""The inspector as an application to be mounted."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from fastsession.errors import ConfigurationError
from fastsession.events import EventKind
from fastsession.inspector.access import is_local, is_same_origin
from fastsession.inspector.evidence import decline_renewal, examine, inspected
from fastsession.inspector.experiment_panel import PARAMETER, TRY
from fastsession.inspector.experiments import experiments_on, prepared
from fastsession.inspector.laboratory import try_out
from fastsession.inspector.notes import Looks, heard
from fastsession.inspector.page import page
from fastsession.server_side.asking import ask_for_sessions
from fastsession.session import Session

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_FILES = Path(__file__).parent / "static"
# Served by their names, and nothing else of the package.
_TYPES = {"inspector.css": "text/css", "inspector.js": "text/javascript"}
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    # A stricter one would take away the origin by which a form of this page is known.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SessionInspector:
    """A page that shows a request's own session from both sides, for development: `app.mount("/_session", ...)`.

    Raises `ConfigurationError` unless `enabled` is True. Even then only a browser on this machine, asking
    for it by a loopback name and through no proxy, gets anything but 404. `model` chooses among several
    session middlewares.
    """

    def __init__(self, *, enabled: bool = False, model: type[Session] | None = None) -> None:
        if enabled is not True:
            message = (
                "The session inspector shows cookies and what is in them. Mount it in development only, and say "
                "so: SessionInspector(enabled=True)."
            )
            raise ConfigurationError(message)
        self._model = model
        self._looks = Looks()
        self._router = Router(
            [
                Route("/", self._look),
                Route(f"/{TRY}", self._try, methods=["POST"]),
                *(Route(f"/{name}", _file) for name in _TYPES),
            ]
        )
        heard.listen()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request from this machine (ASGI 3); to all others there is nothing here."""
        if scope["type"] != "http" or not is_local(scope):
            # As the application answers for any path that it does not have.
            await self._router.not_found(scope, receive, send)
        else:
            await ask_for_sessions(scope)
            decline_renewal(scope)
            await self._router(scope, receive, send)

    async def _look(self, request: Request) -> Response:
        evidence = examine(inspected(request.scope, self._model), self._looks)
        return HTMLResponse(page(evidence, heard.of(evidence.handle)), headers=_HEADERS)

    async def _try(self, request: Request) -> Response:
        if not is_same_origin(request.scope):
            return PlainTextResponse("Only the inspector's own forms.", HTTPStatus.FORBIDDEN, _HEADERS)
        evidence = examine(inspected(request.scope, self._model), self._looks)
        experiment = experiments_on(evidence).get(request.query_params.get(PARAMETER, ""))
        if experiment is None:
            return PlainTextResponse("No such experiment.", HTTPStatus.NOT_FOUND, _HEADERS)
        attempt = prepared(experiment, evidence)
        finding = None
        if attempt is not None:
            finding = await try_out(evidence, attempt, request.scope)
            for event in finding.events:
                # A rejection names no session, but this one is known to be about this one's cookie.
                if event.kind is EventKind.REJECTED:
                    heard.keep(evidence.handle, event)
        content = page(evidence, heard.of(evidence.handle), experiment, finding)
        return HTMLResponse(content, headers=_HEADERS)


async def _file(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    return Response((_FILES / name).read_bytes(), media_type=_TYPES[name], headers=_HEADERS)
