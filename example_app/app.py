"""The application: the session middleware, the routes, and what a visitor sees when something is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from example_app import account_routes, device_routes, shop_routes
from example_app.accounts import Accounts
from example_app.csrf import refuse_forged_forms
from example_app.pages import flash, page_asked_for, render, tell_of_the_end, to_page, with_next
from example_app.session import ShopSession, signed_in
from fastsession import DeviceBinding, Lifetime, SessionMiddleware, get_session, same_origin
from fastsession.inspector import SessionInspector
from fastsession.session_status import session_status_router
from fastsession.stores import SessionStore

IDLE_TIMEOUT, ABSOLUTE_TIMEOUT = timedelta(minutes=30), timedelta(hours=12)
INSPECTOR = "/_session"


def create_app(
    secret_key: str,
    store: SessionStore,
    *,
    idle_timeout: timedelta = IDLE_TIMEOUT,
    inspector: bool = False,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The shop, its sessions sealed with `secret_key` and kept in `store`. `clock` (Unix seconds) ends them.

    `inspector` shows visitors on this machine what is in their session: for development.
    """
    app = FastAPI(
        title="Larch & Loam",
        openapi_url=None,  # pages for people, not an API
        dependencies=[Depends(same_origin), Depends(refuse_forged_forms)],
        exception_handlers={HTTPException: show_refusal, RequestValidationError: show_invalid_form},
    )
    app.add_middleware(
        SessionMiddleware,
        model=ShopSession,
        secret_key=secret_key,
        session_cookie="shop_session",
        store=store,
        idle_timeout=idle_timeout,
        absolute_timeout=ABSOLUTE_TIMEOUT,
        # How old "last seen" may be in the list of devices: each renewal is a write.
        renew_after=min(timedelta(minutes=1), idle_timeout / 4),
        remember=Lifetime(idle=timedelta(days=14), absolute=timedelta(days=90)),
        # Style sheet and icon are the same for everybody: no request for them waits until the device has proven itself.
        device_binding=DeviceBinding(exclude=["/static"]),
        clock=clock,
    )
    app.state.accounts = Accounts.demo()
    app.include_router(shop_routes.router)
    app.include_router(account_routes.router)
    app.include_router(device_routes.router)
    app.include_router(session_status_router("/session", signed_in=signed_in))
    app.add_api_route("/health", health)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    # Pages link to it where it is.
    app.state.inspector = INSPECTOR if inspector else ""
    if inspector:
        app.mount(INSPECTOR, SessionInspector(enabled=True))
    return app


async def health() -> dict[str, str]:
    """Says that the process answers. It asks for no session, so none is opened, whatever cookie comes along."""
    return {"status": "ok"}


async def show_refusal(request: Request, error: HTTPException) -> Response:
    """Send a 401 of `require` to the page that mends it, and show every other error as a page."""
    session: ShopSession = await get_session(request)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        if not signed_in(session):
            tell_of_the_end(request, session)
            return to_page(with_next("/sign-in", page_asked_for(request)))
        # Signed in all the same: then the sign-in was not fresh enough.
        if request.method == "POST":
            flash(request, "Nothing has been changed yet. Please enter your password, and then do it again.")
        return to_page(with_next("/confirm-password", page_asked_for(request)))
    return render(
        request,
        session,
        "error.html",
        status_code=error.status_code,
        headers=error.headers,
        title=HTTPStatus(error.status_code).phrase,
        detail=error.detail,
    )


async def show_invalid_form(request: Request, error: RequestValidationError) -> Response:
    """Tell about a form that no browser sends from our pages: a quantity of 1000, for example."""
    fields = ", ".join(sorted({str(fault["loc"][-1]) for fault in error.errors()}))
    refusal = HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"Please check what you entered: {fields}.")
    return await show_refusal(request, refusal)
