"""The store and the revocations of one middleware: started once in an event loop, and stopped."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastsession.errors import Rejected, StoreUnavailableError
from fastsession.server_side.event_loop import asyncio_loop
from fastsession.status import SessionStatus
from fastsession.stores.kinds import check_revocations, check_store

if TYPE_CHECKING:
    from collections.abc import Generator

    from fastsession.options import Outage
    from fastsession.stores.contract import Revocations, SessionStore

_ON_TRIO = "Start the server with asyncio (`hypercorn -k asyncio`); on trio, sessions are kept in cookies alone."


class Backends:
    """Starts them before the first request; a request does it where no lifespan did."""

    def __init__(self, store: SessionStore | None, revocations: Revocations | None, *, may_fail: bool) -> None:
        """With `may_fail`, one that cannot be reached now is no error: sessions are then anonymous.

        Raises `ConfigurationError` for what is no store or no revocations.
        """
        self._backends: list[SessionStore | Revocations] = []
        if store is not None:
            check_store(store)
            self._backends.append(store)
        if revocations is not None:
            check_revocations(revocations)
            self._backends.append(revocations)
        self._may_fail = may_fail
        self._started: asyncio.AbstractEventLoop | None = None
        # A lock belongs to the event loop in which it was first waited for.
        self._starting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def start(self) -> None:
        """Start all of them, once in an event loop; raises `StoreUnavailableError`, on trio `ConfigurationError`."""
        if not self._backends:
            return
        loop = asyncio_loop(type(self._backends[0]).__name__, on_trio=_ON_TRIO)
        if self._started is loop:
            return
        if self._starting is None or self._starting[0] is not loop:
            self._starting = loop, asyncio.Lock()
        async with self._starting[1]:
            if self._started is loop:
                return
            for backend in self._backends:
                try:
                    await backend.start()
                except StoreUnavailableError:
                    # It is reached by later calls, or they say that it is not.
                    if not self._may_fail:
                        raise
            self._started = loop

    async def stop(self) -> None:
        """Stop them; a later request would start them again."""
        self._started = None
        for backend in self._backends:
            await backend.stop()


@contextmanager
def outage_handled(outage: Outage) -> Generator[None]:
    """Raise `Rejected` in place of `StoreUnavailableError`, where sessions are then anonymous."""
    try:
        yield
    except StoreUnavailableError as error:
        if outage == "unavailable":
            raise
        raise Rejected(SessionStatus.STORE_DOWN, str(error)) from None
