"""Sessions that are fetched from the store when they are first asked for, and not with every request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fastsession.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope

    from fastsession.visit import Visit

    Fetch = Callable[[Visit], Awaitable[None]]

_NOT_FETCHED = (
    "With store=OnDemand(...) this session has not been fetched yet, and request.session cannot wait for the store. "
    "Declare a dependency that returns the session, or write `await get_session(request)` first. Code that only knows "
    "request.session needs the store itself, store=...: it is then asked before the application runs."
)


class _Fetched:
    """Whether a request's session has been fetched, and the turn of those that ask for it at the same time."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.is_done = False


class Fetches:
    """Fetches each request's session once, however many ask for it; again where that has failed."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[Visit, _Fetched] = WeakKeyDictionary()

    def have(self, visit: Visit) -> bool:
        """Whether the session of this request is there."""
        fetched = self._of.get(visit)
        return fetched is not None and fetched.is_done

    def check(self, visit: Visit) -> None:
        """Raise `ConfigurationError` for a look at a session that is not there."""
        if not self.have(visit):
            raise ConfigurationError(_NOT_FETCHED)

    def note(self, visit: Visit) -> None:
        """The session of this request is there."""
        self._of.setdefault(visit, _Fetched()).is_done = True

    async def ask(self, visit: Visit, fetch: Fetch) -> None:
        """Fetch the session unless it is there; `fetch` notes it, and raises `StoreUnavailableError`."""
        if not self.have(visit):
            async with self._of.setdefault(visit, _Fetched()).turn:
                if not self.have(visit):
                    await fetch(visit)

    async def try_to_ask(self, visit: Visit, fetch: Fetch, scope: Scope) -> bool:
        """As `ask`, for a renewal that can wait for the next response: whether the session is there."""
        try:
            await self.ask(visit, fetch)
        except StoreUnavailableError as error:
            visit.setup.events.unavailable(str(error), scope)
        return self.have(visit)
