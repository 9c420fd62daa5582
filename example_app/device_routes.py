"""Where an account is signed in, and how that ends: one device, all others, everywhere, with a new password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from example_app.account_routes import UNPROCESSABLE, AllAccounts, OwnAccount, Text
from example_app.accounts import SHORTEST_PASSWORD
from example_app.devices import devices
from example_app.pages import flash, render, to_page
from example_app.session import FreshMember, Member, Sessions, ShopSession
from fastsession import SessionControl

router = APIRouter()


@router.get("/account/devices")
async def devices_page(request: Request, session: Member, sessions: Sessions) -> Response:
    return render(request, session, "devices.html", devices=devices(await sessions.list()))


@router.post("/account/devices")
async def sign_out_devices(request: Request, session: FreshMember, sessions: Sessions, end: Text = "") -> Response:
    """End what the pressed button names: all sessions of the account, the others, or the one with this handle."""
    if end == "all":
        await sessions.end_all()
        # This browser's session is among them, and the account asks for the next one.
        return to_page("/account")
    if end == "others":
        await _end_others(session, sessions)
        flash(request, "You are signed out everywhere else.")
    else:
        ended = await sessions.end(end)
        flash(request, "The device has been signed out." if ended else "That device was no longer signed in.")
    return to_page("/account/devices")


@router.get("/account/password")
async def password_page(request: Request, session: FreshMember, account: OwnAccount) -> Response:
    return render(request, session, "change_password.html", account=account, shortest=SHORTEST_PASSWORD, error="")


@router.post("/account/password")
async def change_password(
    *,
    request: Request,
    session: FreshMember,
    account: OwnAccount,
    accounts: AllAccounts,
    sessions: Sessions,
    password: Text = "",
    repeated: Text = "",
) -> Response:
    error: str | None = "The two passwords are not the same."
    if password == repeated:
        # In the thread pool, because scrypt is slow on purpose.
        error = await run_in_threadpool(accounts.change_password, account, password)
    if error:
        return render(
            request,
            session,
            "change_password.html",
            status_code=UNPROCESSABLE,
            account=account,
            shortest=SHORTEST_PASSWORD,
            error=error,
        )
    await _end_others(session, sessions)
    flash(request, "Your password has been changed, and you are signed out everywhere else.")
    return to_page("/account")


async def _end_others(session: ShopSession, sessions: SessionControl) -> None:
    """End the account's other sessions; a copy of this one's cookie and form token is worth nothing after it."""
    await sessions.end_others()
    session.csrf_token = ""
