"""Sessions on demand, for code that looks at them without being able to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastsession.scope import SCOPE_KEY
from fastsession.server_side.lifecycle import ServerLifecycle

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict


async def ask_for_sessions(scope: Scope) -> None:
    """Fetch the sessions of all middlewares that are on demand; raises `StoreUnavailableError`."""
    views: tuple[SessionDict, ...] = scope.get(SCOPE_KEY, ())
    for view in views:
        if isinstance(view.lifecycle, ServerLifecycle):
            await view.lifecycle.ask(view.visit)
