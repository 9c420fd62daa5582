"""The ASGI edge: one request's session, from the scope to the response."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Unpack

from fastsession.building.configured import configured, hidden
from fastsession.building.given import shown_as
from fastsession.cookies import lambda_headers
from fastsession.dependencies.openapi import announce_cookie
from fastsession.dependencies.routes import RouteInspection
from fastsession.lifecycle import Lifecycle
from fastsession.mapping import SessionDict
from fastsession.options import Options, setup_of
from fastsession.reports import find_late_changes, watch_handlers
from fastsession.scope import SCOPE_KEY, STARTS, go_along, put_beside_others, take_back, with_shared_session
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.server_side.serving import ANSWERED, check_below, drop, refuse, serve_lifespan
from fastsession.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SessionMiddleware:
    """Encrypted, typed sessions in a cookie. docs/configuration.md has each option and its reason.

    Make a `secret_key` with `python -m fastsession keygen`. Raises `ConfigurationError` for options that
    contradict each other, weak secrets, and models that cannot be kept in a cookie.
    """

    @shown_as(setup_of)
    def __init__(self, app: ASGIApp, **options: Unpack[Options]) -> None:
        self.setup = setup = setup_of(**hidden(options))
        self.app, self.lifecycle = app, ServerLifecycle(setup) if setup.needs_io else Lifecycle(setup)
        if setup.devices is not None:
            # Only applications that bind import it.
            from fastsession.device_binding.endpoints import DeviceEndpoints  # noqa: PLC0415

            self.app = DeviceEndpoints(app, self.lifecycle, setup.devices)
        self._routes = RouteInspection(app, setup, SessionMiddleware)
        announce_cookie(setup.model, setup.cookies.name)

    @classmethod
    def with_options(cls, **options: Unpack[Options]) -> Callable[[ASGIApp], SessionMiddleware]:
        """Check the options now: `app.add_middleware(SessionMiddleware.with_options(secret_key=..., model=...))`."""
        return configured(cls, hidden(options))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912  (one request, top to bottom)
        """Run the application with a session in its scope (ASGI 3)."""
        if scope["type"] not in ("http", "websocket"):
            await self._pass_on(scope, receive, send)
            return
        # Here and below without a call of a function: every request pays for it.
        for router, count in self._routes.inspected:
            if len(router.routes) != count:
                self._routes.inspect(scope)
                break
        shared = with_shared_session(scope, self.setup) if "session" in scope else None
        if shared is not None:
            await go_along(self.app, shared, receive, send)
            return
        lifecycle, binding = self.lifecycle, b"" if self.setup.binding is None else self.setup.bound_to(scope)
        lines: list[bytes] = []  # Emptied below: error reports show local variables.
        scope["headers"] = [*scope["headers"]]  # An iterable, which may be read once only.
        for name, line in scope["headers"] if "aws.event" not in scope else lambda_headers(scope):
            if name == b"cookie":
                lines.append(line)
        visit, view = Visit(self.setup, b"; ".join(lines), binding), SessionDict()
        view.lifecycle, view.visit, view.model, view.entries, lines, line = lifecycle, visit, None, None, [], b""
        if self.setup.devices is not None:
            visit.brings_proof = self.setup.devices.purpose_of(scope) is not None
        if "session" in scope:
            scope = put_beside_others(scope, view)
        else:
            scope[SCOPE_KEY], scope["session"] = (view,), view

        # Not `async def`: handing on the server's own awaitable costs nothing.
        def send_with_session(message: Message) -> Awaitable[None]:
            if visit.refused:
                return drop()
            if message["type"] in STARTS and not visit.late:
                if scope.get("session") is not view:
                    take_back(scope, view)
                if visit.opened or (visit.header and lifecycle.cookies.may_be_due(visit.header, lifecycle.clock())):
                    try:
                        return lifecycle.commit(view, scope, message, send)
                    except ANSWERED as error:
                        return refuse(error, visit, scope, send)
                visit.late = True
            return send(message)

        try:
            if isinstance(lifecycle, ServerLifecycle):
                await lifecycle.serve(self.app, view, scope, receive, send_with_session)
            else:
                await self.app(scope, receive, send_with_session)
            if scope.get("session") is not view:
                take_back(scope, view)
        except BaseException:
            watch_handlers(view, scope)
            raise
        finally:
            if visit.opened:
                find_late_changes(view, scope)
            visit.late = visit.over = True

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan and unknown protocols."""
        backends = self.lifecycle.backends if isinstance(self.lifecycle, ServerLifecycle) else None
        check, send = partial(check_below, self.setup, SessionMiddleware), self._routes.inspecting(scope, send)
        await serve_lifespan(self.app, scope, receive, send, backends=backends, check=check)
