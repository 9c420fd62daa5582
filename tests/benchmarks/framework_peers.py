"""The contenders that are routes of a framework, each counted over the same route without a session."""

import os
from typing import Any

from fastapi import FastAPI, Response
from litestar import Litestar
from litestar import Request as LitestarRequest
from litestar import Response as LitestarResponse
from litestar.handlers import get
from litestar.middleware.session.client_side import CookieBackendConfig

from tests.benchmarks.asgi import App
from tests.benchmarks.contender import Contender, Data, Deed
from tests.benchmarks.payloads import compact_json, next_role, next_theme

FASTAPI, LITESTAR = "bare FastAPI", "bare Litestar"
_LITESTAR_KEY = os.urandom(32)


def fastapi_route(endpoint: Any) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/", endpoint, response_class=Response)
    return app


async def untouched() -> Response:
    return Response(b"42")


async def _litestar_ignore(_: LitestarRequest[Any, Any, Any]) -> bytes:
    return b"42"


async def _litestar_read(request: LitestarRequest[Any, Any, Any]) -> bytes:
    return str(request.session.get("user_id")).encode()


async def _litestar_write_nested(request: LitestarRequest[Any, Any, Any]) -> bytes:
    request.session["roles"][1:] = [next_role()]
    return b"42"


async def _litestar_write_top_level(request: LitestarRequest[Any, Any, Any]) -> bytes:
    request.session["theme"] = next_theme()
    return b"42"


async def _litestar_show(request: LitestarRequest[Any, Any, Any]) -> bytes:
    return compact_json(request.session)


_LITESTAR: dict[Deed, Any] = {
    "read": _litestar_read,
    "nested write": _litestar_write_nested,
    "top-level write": _litestar_write_top_level,
    "show": _litestar_show,
}


def litestar_route(action: Any, *, sessions: bool) -> App:
    async def endpoint(request: LitestarRequest) -> LitestarResponse:
        return LitestarResponse(await action(request), media_type="text/plain")

    middleware = [CookieBackendConfig(secret=_LITESTAR_KEY, secure=True).middleware] if sessions else []
    return Litestar([get("/")(endpoint)], middleware=middleware, openapi_config=None, logging_config=None)


def litestar_contender() -> Contender:
    def issue(data: Data, age: int) -> App:
        async def fill(request: LitestarRequest[Any, Any, Any]) -> bytes:
            request.set_session(data)
            return b"42"

        return litestar_route(fill, sessions=True)

    def build(deed: Deed) -> App:
        return litestar_route(_LITESTAR.get(deed, _litestar_ignore), sessions=True)

    return Contender("Litestar CookieBackend", build, issue, bare=LITESTAR, rewrites="always", clears=True)


def bare_frameworks() -> dict[str, App]:
    """The routes without a session."""
    return {FASTAPI: fastapi_route(untouched), LITESTAR: litestar_route(_litestar_ignore, sessions=False)}
