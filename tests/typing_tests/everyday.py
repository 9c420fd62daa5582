"""The everyday program as a type checker sees it. Checked, never run."""

from datetime import datetime, timedelta
from typing import Annotated, assert_type

from fastapi import Depends, FastAPI

from fastsession import (
    CurrentSession,
    SameOrigin,
    Session,
    SessionMiddleware,
    generate_key,
    get_session,
    local_path,
    require,
    same_origin,
    session_of,
)
from fastsession.session_status import session_status_router


class ShopSession(Session):
    user_id: int | None = None
    cart: list[str] = []


app = FastAPI()
app.add_middleware(
    SessionMiddleware,
    model=ShopSession,
    secret_key=generate_key(),
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=12 * 60 * 60,
    same_site="strict",
)


def is_signed_in(session: ShopSession) -> bool:
    return session.user_id is not None


@app.post("/cart/{item}")
async def add(item: str, session: ShopSession = Depends(get_session)) -> list[str]:  # noqa: B008, FAST002  (the short spelling)
    session.cart.append(item)
    assert_type(session.cart, list[str])
    return session.cart


@app.get("/current")
async def current(session: CurrentSession[ShopSession]) -> int | None:
    assert_type(session, ShopSession)
    return session.user_id


@app.get("/account")
async def account(session: Annotated[ShopSession, Depends(require(is_signed_in, fresh=timedelta(minutes=10)))]) -> None:
    assert_type(session, ShopSession)


@app.get("/lambda", dependencies=[Depends(require(lambda session: session.user_id is not None, status_code=403))])
async def with_lambda() -> None: ...


async def is_customer(session: ShopSession) -> bool:
    return session.user_id is not None


@app.post("/transfer")
async def transfer(session: Annotated[ShopSession, Depends(require(is_signed_in, bound=True))]) -> None:
    assert_type(session, ShopSession)
    assert_type(session.info.bound_until, datetime | None)


@app.get("/typed", dependencies=[Depends(require(ShopSession, lambda session: session.cart))])
async def with_typed_lambda() -> None: ...


@app.get(
    "/typed-async", dependencies=[Depends(require(ShopSession, is_customer, fresh=600, bound=True, status_code=403))]
)
async def with_asynchronous_condition() -> None: ...


require(is_customer, model=ShopSession)
require(ShopSession)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
require(True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
require(ShopSession, lambda session: session.nothing)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownLambdaType]
app.include_router(session_status_router(signed_in=is_customer))


@app.post("/next", dependencies=[Depends(same_origin), Depends(SameOrigin(trusted=["https://accounts.example.com"]))])
async def go_on(target: str) -> str:
    return assert_type(local_path(target, default="/account"), str)


@app.get("/chosen")
async def chosen(session: Annotated[ShopSession, Depends(session_of(ShopSession))]) -> None:
    assert_type(session, ShopSession)
