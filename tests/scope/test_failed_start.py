"""A response whose start has failed may be followed by another, for which the session is looked at anew."""

import asyncio
from typing import Annotated

import pytest
from pydantic import Field
from starlette.requests import Request

from fastsession import Session, SessionMiddleware, SessionNotSerializableError, get_session
from fastsession.testing import sealed_cookies
from tests.shop import SECRET

START = {"type": "http.response.start", "status": 200, "headers": []}


class Basket(Session):
    note: str = ""
    count: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = 0


def test_what_a_first_start_has_checked_does_not_stand_for_what_a_second_one_seals():
    told = []

    def listener(event):
        told.append(event.kind)
        if len(told) == 1:
            raise ConnectionError

    async def app(scope, receive, send):
        session = await get_session(Request(scope))
        session.count = 1
        with pytest.raises(ConnectionError):
            await send({**START})
        session.limit = -1
        session.regenerate()
        with pytest.raises(SessionNotSerializableError, match="limit"):
            await send({**START})
        session.limit = 0
        await send({**START})

    middleware = SessionMiddleware(app, model=Basket, secret_key=SECRET, on_event=listener)
    [(name, value)] = sealed_cookies(middleware, Basket(note="a large session " * 60)).items()
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", f"{name}={value}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": headers}
    asyncio.run(middleware(scope, None, send))
    assert told == ["saved", "regenerated"]
    assert len(sent) == 1
