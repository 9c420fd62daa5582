"""Sessions in the scope of a request: beside those of other middlewares, shared with one of them, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastsession.cookies import refuse_other_rules
from fastsession.errors import ConfigurationError
from fastsession.mapping import SessionDict

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fastsession.options import Setup

# The messages whose headers carry Set-Cookie.
STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
# Where the scope keeps the sessions of all middlewares, the outermost first.
SCOPE_KEY = "fastsession"


def put_beside_others(scope: Scope, view: SessionDict) -> Scope:
    """A scope with the session in it, for the application alone: an outer session middleware must not find ours."""
    return {**scope, SCOPE_KEY: (*_under_way(scope), view), "session": view}


def with_shared_session(scope: Scope, setup: Setup) -> Scope | None:
    """The scope with the session of an outer middleware that has our cookie, which we then go along with."""
    outer = _under_way(scope)
    for view in outer:
        if shares_cookie(setup, view.visit.setup):
            others = [other for other in outer if other is not view]
            return {**scope, "session": view, SCOPE_KEY: (*others, view)}
    return None


async def go_along(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the application with an outer middleware's session, and look after what it does to this scope."""
    view: SessionDict = scope["session"]

    def send_and_take_back(message: Message) -> Awaitable[None]:
        if message["type"] in STARTS and not view.visit.late and scope.get("session") is not view:
            take_back(scope, view)
        return send(message)

    await app(scope, receive, send_and_take_back)
    if scope.get("session") is not view:
        take_back(scope, view)


def shares_cookie(mine: Setup, other: Setup) -> bool:
    """Whether another middleware's cookie is ours too; raises `ConfigurationError` if it has other rules."""
    if other.cookies.name != mine.cookies.name:
        return False
    refuse_other_rules(mine.cookies.name, mine.rules, other.rules)
    return True


def take_back(scope: Scope, view: SessionDict) -> None:
    """End a session that the application has replaced in the scope by an empty dict: a logout may be written so.

    Another session middleware further in puts an object of its own there, which is no business of ours.
    Raises `ConfigurationError` for a dict with contents, which would be lost, and `LateSessionChangeError`.
    """
    found = scope.get("session")
    # starsessions puts a plain dict there as well, beside its handler.
    if (found is not None and type(found) is not dict) or "session_handler" in scope:
        return
    if found:
        message = (
            'scope["session"] was replaced by another dict, which is not saved. Write request.session.clear() and '
            "request.session.update(...); a session middleware further in needs a copy of the scope."
        )
        raise ConfigurationError(message)
    scope["session"] = view
    view.opened().refuse_late('scope["session"] = {}')
    view.clear()
    warning = 'scope["session"] = {} ends the session: write request.session.clear() instead.'
    view.visit.setup.events.warn_once(warning)


def _under_way(scope: Scope) -> list[SessionDict]:
    """The sessions of the middlewares around this one. One whose request is over left them in a scope used again."""
    return [view for view in scope.get(SCOPE_KEY, ()) if not view.visit.over]
