"""HTML for a visitor: templates, messages for the next page, the way back, and which pages are ours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import AfterValidator

from example_app.catalogue import euros
from example_app.csrf import csrf_token
from example_app.session import ShopSession
from fastsession import SessionStatus, local_path

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["euros"] = euros
_templates = Jinja2Templates(env=_environment)

# Nothing but our own style sheet and icon: a script that got into a page would not run.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MOST_MESSAGES = 3
# Said to those who come with a session that is over; a cookie that we never sent is none of them.
_ENDINGS = {
    SessionStatus.REVOKED: "You have been signed out. Please sign in again.",
    SessionStatus.EXPIRED_IDLE: "You were away for a while, so your session has ended.",
    SessionStatus.EXPIRED_ABSOLUTE: "Your session had become old, so it has ended.",
    SessionStatus.UNBOUND: "Your browser could not show that you signed in on this device. Please sign in again.",
}


def render(
    request: Request,
    session: ShopSession,
    template: str,
    *,
    status_code: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> Response:
    """A page with what every page shows: the messages that wait, the cart's count, who is signed in."""
    context |= {
        "session": session,
        "messages": request.session.pop("messages", []),
        "csrf_token": partial(csrf_token, session),
        "inspector": request.app.state.inspector,
        # Where the timeout warning's script leads when the session is over.
        "sign_in_url": with_next("/sign-in", str(context.get("next", page_asked_for(request)))),
    }
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY, **(headers or {})}
    return _templates.TemplateResponse(request, template, context, status_code, headers)


def flash(request: Request, message: str) -> None:
    """Keep a message for the next page that is shown."""
    messages: list[str] = request.session.setdefault("messages", [])
    messages.append(message)
    # Nobody may ever look at the next page.
    del messages[:-_MOST_MESSAGES]


def tell_of_the_end(request: Request, session: ShopSession) -> None:
    """Say why the session that the visitor came with is over, if it is."""
    ending = _ENDINGS.get(session.info.status)
    if ending:
        flash(request, ending)


def page_asked_for(request: Request) -> str:
    """The page to come back to. A form's page has the path that the form is sent to."""
    query = request.url.query if request.method == "GET" else ""
    return f"{request.url.path}?{query}" if query else request.url.path


def with_next(page: str, next_page: str) -> str:
    """`page`, told where to lead on to."""
    return f"{page}?{urlencode({'next': next_page})}"


def to_page(page: str) -> Response:
    """Lead on after a form: a page that is fetched again can be reloaded without sending the form twice."""
    return RedirectResponse(page, HTTPStatus.SEE_OTHER)


def own_page(target: str) -> str:
    """`target` when it is a path on this site, the account page otherwise: no open redirect."""
    return local_path(target, default="/account")


OwnPage = Annotated[str, AfterValidator(own_page)]
