"""HTML for a visitor: templates, messages for the next page, and which pages are ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import AfterValidator

from example_app.catalogue import euros
from example_app.csrf import csrf_token
from example_app.session import ShopSession

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
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MOST_MESSAGES = 3


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
    }
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY, **(headers or {})}
    return _templates.TemplateResponse(request, template, context, status_code, headers)


def flash(request: Request, message: str) -> None:
    """Keep a message for the next page that is shown."""
    messages: list[str] = request.session.setdefault("messages", [])
    messages.append(message)
    # Nobody may ever look at the next page.
    del messages[:-_MOST_MESSAGES]


def to_page(page: str) -> Response:
    """Lead on after a form: a page that is fetched again can be reloaded without sending the form twice."""
    return RedirectResponse(page, HTTPStatus.SEE_OTHER)


def own_page(target: str) -> str:
    r"""`target` when it is a path on this site, the account page otherwise: no open redirect.

    Browsers read a backslash as a slash and drop control characters, so that `/\other.example` and
    `/<tab>/other.example` lead away as `//other.example` does.
    """
    return target if re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", target) else "/account"


OwnPage = Annotated[str, AfterValidator(own_page)]
