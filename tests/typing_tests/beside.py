"""A front end's users, and Starlette's signature, as a type checker sees them. Checked, never run."""

from datetime import UTC, datetime
from typing import Annotated, Any, assert_type

from fastapi import Depends, FastAPI
from starlette.datastructures import Secret
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from fastsession import Session, SessionEvent, SessionMiddleware, SignedIn, generate_key
from fastsession.formats import AuthjsSession, ForeignSession, IronSession
from fastsession.starlette import Session as DictSession
from fastsession.starlette import SessionMiddleware as DropIn
from fastsession.testing import opened_session, sealed_cookies, set_session


def listen(event: SessionEvent) -> None: ...


def user_of(data: dict[str, Any]) -> object:
    return data.get("user_id")


signed_in = SignedIn(AuthjsSession(secret="a secret of the front end"), on_event=[listen])
by_claim = SignedIn(
    IronSession(password=generate_key(), cookie_name="s"), subject=user_of, optional=True, on_event=listen
)
SignedIn(AuthjsSession)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SignedIn(AuthjsSession(secret="s"), subject="user_id")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=generate_key(), binding=signed_in)


@app.get("/account")
async def account(user: Annotated[ForeignSession, Depends(signed_in)]) -> str | None:
    assert_type(user.data, dict[str, Any])
    assert_type(user.created_at, float | None)
    return assert_type(user.subject, str | None)


@app.get("/home", dependencies=[Depends(signed_in)])
async def home(visitor: Annotated[ForeignSession | None, Depends(by_claim)]) -> bool:
    return visitor is None


async def bound_to(connection: HTTPConnection) -> bytes:
    return assert_type(await signed_in.identity(connection), bytes)


FastAPI().add_middleware(DropIn, secret_key=Secret(generate_key()), max_age=None, same_site="none", https_only=True)
FastAPI(middleware=[Middleware(DropIn, secret_key="s", accept_until=datetime(2027, 6, 1, tzinfo=UTC))])
middleware = DropIn(app, "s", "session", 14 * 24 * 60 * 60, "/", "lax", False, "example.com", True)
FastAPI().add_middleware(DropIn.with_options(secret_key="s", max_age=60))
FastAPI().add_middleware(DropIn, secret_key="s", model=Session)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
DropIn(app, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def count(session: DictSession) -> int:
    assert_type(session.modified, bool)
    return len(session)


client = TestClient(app)
set_session(app, client, Session(), extras={"user": "ada"}, binding=b"red")
assert_type(opened_session(app, client, Session, binding=b"red"), Session)
assert_type(sealed_cookies(app, Session(), binding=b"red"), dict[str, str])
