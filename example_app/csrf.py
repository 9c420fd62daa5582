"""Forms that only our own pages can send: a token in the session, beside `same_origin`, which needs no form."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from fastapi import HTTPException
from starlette.requests import HTTPConnection, Request

from example_app.session import ShopSession
from fastsession import get_session
from fastsession.dependencies.same_origin import SAFE_METHODS

FIELD = "csrf_token"
_OUT_OF_DATE = "This form was out of date, so nothing was changed. Please open the page again and send it once more."


def csrf_token(session: ShopSession) -> str:
    """The token for the session's forms, made for the first of them: who only looks around gets no cookie."""
    session.csrf_token = session.csrf_token or secrets.token_urlsafe(16)
    return session.csrf_token


async def refuse_forged_forms(request: HTTPConnection) -> None:
    """Answer 403 to a form without the session's token. A dependency of the whole app, so no route can forget it."""
    # A WebSocket has no form: `same_origin` looks at its handshake.
    if not isinstance(request, Request) or request.method in SAFE_METHODS:
        return
    session: ShopSession = await get_session(request)
    sent = (await request.form()).get(FIELD)
    if not (isinstance(sent, str) and session.csrf_token and _equal(sent, session.csrf_token)):
        raise HTTPException(HTTPStatus.FORBIDDEN, _OUT_OF_DATE)


def _equal(sent: str, expected: str) -> bool:
    # In constant time, which for text that is not ASCII only works on bytes.
    return secrets.compare_digest(sent.encode(errors="replace"), expected.encode())
