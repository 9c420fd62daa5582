"""Signing in and out, the account, and the change that asks for the password again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response

from example_app.accounts import Account, Accounts
from example_app.devices import device_name
from example_app.pages import OwnPage, flash, render, tell_of_the_end, to_page
from example_app.session import FreshMember, Member, ShopSession, Visitor, signed_in

router = APIRouter()


def accounts_of(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


AllAccounts = Annotated[Accounts, Depends(accounts_of)]


def account_of(session: Member, accounts: AllAccounts) -> Account:
    """The account that the session is signed in to; 401 when it has been closed since."""
    account = accounts.get(session.account_id)
    if account is None:
        session.account_id = None
        raise HTTPException(HTTPStatus.UNAUTHORIZED)
    return account


OwnAccount = Annotated[Account, Depends(account_of)]
NextInQuery = Annotated[OwnPage, Query(alias="next")]
NextInForm = Annotated[OwnPage, Form(alias="next")]
Text = Annotated[str, Form()]
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


@router.get("/sign-in")
async def sign_in_page(
    request: Request, session: Visitor, accounts: AllAccounts, next_page: NextInQuery = "/account"
) -> Response:
    if signed_in(session):
        return to_page(next_page)
    tell_of_the_end(request, session)
    demo = accounts.open_demo()
    return render(request, session, "sign_in.html", demo=demo, next=next_page, email="", error="")


# Not async: scrypt is slow on purpose, and in the thread pool it holds up nobody else.
@router.post("/sign-in")
def sign_in(
    *,
    request: Request,
    session: Visitor,
    accounts: AllAccounts,
    email: Text = "",
    password: Text = "",
    remember: Annotated[bool, Form()] = False,
    next_page: NextInForm = "/account",
) -> Response:
    account = accounts.authenticate(email, password)
    if account is None:
        return render(
            request,
            session,
            "sign_in.html",
            status_code=UNPROCESSABLE,
            demo=accounts.open_demo(),
            next=next_page,
            email=email,
            error="No account has this e-mail address and password.",
        )
    session.account_id = account.id
    session.device = device_name(request.headers.get("user-agent", ""))
    session.remember(remember)
    _authenticated(session)
    flash(request, f"Welcome back, {account.name}.")
    return to_page(next_page)


@router.post("/sign-out")
async def sign_out(session: Visitor) -> Response:
    session.destroy()
    return to_page("/signed-out")


@router.get("/signed-out")
async def signed_out(request: Request, session: Visitor) -> Response:
    return render(request, session, "signed_out.html")


@router.get("/account")
async def account_page(request: Request, session: Member, account: OwnAccount) -> Response:
    return render(request, session, "account.html", account=account)


@router.get("/account/email")
async def email_page(request: Request, session: FreshMember, account: OwnAccount) -> Response:
    return render(request, session, "change_email.html", account=account, email="", error="")


@router.post("/account/email")
async def change_email(
    request: Request, session: FreshMember, account: OwnAccount, accounts: AllAccounts, email: Text = ""
) -> Response:
    error = accounts.change_email(account, email.strip())
    if error:
        return render(
            request, session, "change_email.html", status_code=UNPROCESSABLE, account=account, email=email, error=error
        )
    flash(request, "Your e-mail address has been changed.")
    return to_page("/account")


@router.get("/confirm-password")
async def confirm_page(
    request: Request, session: Member, account: OwnAccount, next_page: NextInQuery = "/account"
) -> Response:
    return render(request, session, "confirm_password.html", account=account, next=next_page, error="")


@router.post("/confirm-password")
def confirm_password(
    *,
    request: Request,
    session: Member,
    account: OwnAccount,
    accounts: AllAccounts,
    password: Text = "",
    next_page: NextInForm = "/account",
) -> Response:
    if accounts.authenticate(account.email, password) is None:
        error = "That is not the password of this account."
        return render(
            request,
            session,
            "confirm_password.html",
            status_code=UNPROCESSABLE,
            account=account,
            next=next_page,
            error=error,
        )
    _authenticated(session)
    return to_page(next_page)


def _authenticated(session: ShopSession) -> None:
    """Begin anew after a password was right: what was known of the session before is worth nothing now."""
    session.regenerate()
    session.csrf_token = ""
