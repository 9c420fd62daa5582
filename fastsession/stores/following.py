"""Keeps what a process knows up to date, in the background, and knows how old that is."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from fastsession.errors import StoreUnavailableError

_logger = logging.getLogger("fastsession")
# Between attempts while the system behind is away. Spread, so that a fleet does not knock in step.
_LEAST_PAUSE, _MOST_PAUSE = 0.1, 0.3


class Follower:
    """Calls `advance` again and again: each return means that everything known to the system is known here."""

    def __init__(self, name: str, advance: Callable[[], Awaitable[None]], *, max_staleness: float) -> None:
        self._name = name
        self._advance = advance
        self._max_staleness = max_staleness
        self._fresh_until = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, unless begun in this event loop, and wait for the first attempt to end."""
        task, loop = self._task, asyncio.get_running_loop()
        if task is not None and not task.done() and task.get_loop() is loop:
            return
        attempted = asyncio.Event()
        self._task = loop.create_task(self._run(attempted))
        self._task.add_done_callback(lambda _: attempted.set())
        await attempted.wait()

    async def stop(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return
        while not task.done():
            # Again where it was lost: up to Python 3.11 `asyncio.wait_for` can swallow a cancellation.
            task.cancel()
            await asyncio.wait((task,), timeout=_LEAST_PAUSE)

    def check_fresh(self) -> None:
        """Raise `StoreUnavailableError` when the last successful `advance` is too long ago."""
        if time.monotonic() > self._fresh_until:
            message = f"{self._name}: what is denied has not been confirmed for {self._max_staleness:g} seconds."
            raise StoreUnavailableError(message)

    async def _run(self, attempted: asyncio.Event) -> None:
        following = True
        while True:
            try:
                await self._advance()
            except StoreUnavailableError as error:
                if following:
                    _logger.warning("%s cannot be followed, trying again: %s", self._name, error)
                following = False
                attempted.set()
                await asyncio.sleep(random.uniform(_LEAST_PAUSE, _MOST_PAUSE))  # noqa: S311  (not a secret)
            else:
                if not following:
                    _logger.warning("%s is followed again", self._name)
                following = True
                self._fresh_until = time.monotonic() + self._max_staleness
                attempted.set()
