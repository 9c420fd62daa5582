"""The routes that tell how long a session lasts, renew it and end it, and the scripts that ask them."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from fastsession.dependencies.condition import Condition
from fastsession.errors import ConfigurationError
from fastsession.lifetime import seconds
from fastsession.session import Session
from fastsession.session_status.endpoints import StatusEndpoints
from fastsession.session_status.scripts import SCRIPTS


def session_status_router(
    prefix: str = "/session",
    *,
    signed_in: Condition | None = None,
    warn_before: timedelta | float = timedelta(minutes=2),
    model: type[Session] | None = None,
) -> APIRouter:
    """Routes for `app.include_router`: GET, POST and DELETE `prefix`, and the scripts below it.

    GET tells how long the session lasts and never renews it, POST renews it, DELETE ends it; all three
    answer pages of the same origin only. `signed_in` says which sessions count, by default every one that
    has arrived valid; it may be asynchronous. `warn_before` (a timedelta or seconds) is how long before its end the
    script warns. `model` chooses among several session middlewares.
    """
    if not prefix.startswith("/") or prefix.endswith("/"):
        message = 'prefix begins with a slash and does not end with one: session_status_router("/session").'
        raise ConfigurationError(message)
    endpoints = StatusEndpoints(
        signed_in=signed_in, warn_before=seconds("warn_before", warn_before, least=1), model=model
    )
    router = APIRouter()
    # Plain routes: they need none of the dependencies that an application may have for all of its own.
    router.add_route(prefix, endpoints.status, methods=["GET"], include_in_schema=False)
    router.add_route(prefix, endpoints.renew, methods=["POST"], include_in_schema=False)
    router.add_route(prefix, endpoints.end, methods=["DELETE"], include_in_schema=False)
    for script in SCRIPTS:
        router.add_route(f"{prefix}/{script.name}", script.send, methods=["GET"], include_in_schema=False)
    return router
