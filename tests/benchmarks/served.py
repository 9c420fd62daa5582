"""The applications that uvicorn serves for the end-to-end figures: `tests.benchmarks.served:NAME`.

Their secrets come from the environment, so that the run can seal the cookies that it sends. Every way to a session
is measured beside the same way with Starlette's middleware: by a dependency, or from the request.
"""

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.middleware.sessions import SessionMiddleware as StarletteSessionMiddleware

from fastsession import CurrentSession, SessionMiddleware, get_session
from tests.benchmarks.forgetful import forget_cookies
from tests.benchmarks.payloads import ShopSession, next_role
from tests.benchmarks.product import IDLE

SECRET_VARIABLE = "BENCHMARK_SECRET"
_SECRET = os.environ.get(SECRET_VARIABLE, "")


async def answer() -> int:
    return 42


def bare() -> FastAPI:
    app = FastAPI()

    @app.get("/untouched")
    async def untouched() -> int:
        return 42

    @app.get("/empty-dependency")
    async def empty_dependency(value: Annotated[int, Depends(answer)]) -> int:
        return value

    return app


def fastsession() -> FastAPI:
    app = bare()
    times = {"idle_timeout": IDLE, "absolute_timeout": 2 * IDLE}
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=_SECRET, **times)

    @app.get("/read")
    async def read(session: CurrentSession[ShopSession]) -> int | None:
        return session.user_id

    @app.get("/write")
    async def write(session: CurrentSession[ShopSession]) -> int | None:
        session.roles[1:] = [next_role()]
        return session.user_id

    @app.get("/read-by-request")
    async def read_by_request(request: Request) -> int | None:
        session: ShopSession = await get_session(request)
        return session.user_id

    @app.get("/write-by-request")
    async def write_by_request(request: Request) -> int | None:
        session: ShopSession = await get_session(request)
        session.roles[1:] = [next_role()]
        return session.user_id

    @app.get("/request-session")
    async def request_session(request: Request) -> int | None:
        user_id: int | None = request.session.get("user_id")
        return user_id

    return app


def forgetful() -> FastAPI:
    """FastSession without its memory of cookies."""
    forget_cookies()
    return fastsession()


async def signed_session(request: Request) -> dict[str, Any]:
    return request.session


Signed = Annotated[dict[str, Any], Depends(signed_session)]


def starlette() -> FastAPI:
    app = bare()
    app.add_middleware(StarletteSessionMiddleware, secret_key=_SECRET, https_only=True)

    @app.get("/read")
    async def read(session: Signed) -> int | None:
        user_id: int | None = session.get("user_id")
        return user_id

    @app.get("/write")
    async def write(session: Signed) -> int | None:
        session["roles"] = [session["roles"][0], next_role()]
        user_id: int | None = session["user_id"]
        return user_id

    @app.get("/read-by-request")
    async def read_by_request(request: Request) -> int | None:
        user_id: int | None = request.session.get("user_id")
        return user_id

    @app.get("/write-by-request")
    async def write_by_request(request: Request) -> int | None:
        request.session["roles"] = [request.session["roles"][0], next_role()]
        user_id: int | None = request.session["user_id"]
        return user_id

    return app
