"""Keeps what a process knows up to date, in the background, and knows how old that is."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastsession.building.given import checked_seconds
from fastsession.errors import StoreUnavailableError

_logger = logging.getLogger("fastsession")
# Between attempts while the system behind is away. Jittered so that a fleet does not retry in lockstep.
_LEAST_PAUSE, _MOST_PAUSE = 0.1, 0.3
# Longer than what the task itself has to end may take.
_STOPPING = 1.0
# Looks that a request may wait for: one that began before the process was frozen fails, the next tells.
_WORTHWHILE_LOOKS = 2
_NEVER = float("-inf")


def _boot_time() -> float:
    """Seconds that include those in which the machine slept, where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_now = _boot_time if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Follower:
    """Calls `look` again and again: each return means that everything known to the system is known here.

    Between two looks it calls `wait`, which returns when there may be something new.
    """

    def __init__(
        self,
        name: str,
        *,
        look: Callable[[], Awaitable[None]],
        wait: Callable[[], Coroutine[Any, Any, None]],
        max_staleness: float,
        patience: float,
    ) -> None:
        self._name = name
        self._look = look
        self._wait = wait
        self._max_staleness = checked_seconds("max_staleness", max_staleness, least=0.001)
        # Seconds that a request waits for a look when what is known is too old.
        self._patience = checked_seconds("timeout", patience, least=0.001)
        self._fresh_until = _NEVER
        self._task: asyncio.Task[None] | None = None
        # What the task does between two looks, and who waits for the next one to end.
        self._pause: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    async def start(self) -> None:
        """Begin, unless begun in this event loop, and wait for the first look to end."""
        if self._is_running():
            return
        self._looked = looked = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(lambda _: looked.set())
        await looked.wait()

    async def stop(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return
        await _end(task, again=_STOPPING)

    async def catch_up(self) -> None:
        """Wait for a look when what is known is too old, as it is after the process was frozen.

        One look serves all that wait. Returns when it has ended or has taken too long; `check_fresh` says which.
        """
        if _now() <= self._fresh_until or not self._is_running():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                for _ in range(_WORTHWHILE_LOOKS):
                    if self._looked.is_set():
                        self._looked = asyncio.Event()
                        if self._pause is not None:
                            self._pause.cancel()
                    await self._looked.wait()
                    if _now() <= self._fresh_until:
                        return

    def check_fresh(self) -> None:
        """Raise `StoreUnavailableError` when the last successful look is too long ago."""
        if _now() > self._fresh_until:
            since = f"for {self._max_staleness:g} seconds" if self._fresh_until > _NEVER else "since the start"
            message = f"{self._name}: what is denied has not been confirmed {since}."
            raise StoreUnavailableError(message)

    def _is_running(self) -> bool:
        task = self._task
        return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()

    async def _run(self) -> None:
        following = True
        while True:
            looked, begun = self._looked, _now()
            try:
                await self._look()
                if not following:
                    _logger.warning("%s is followed again", self._name)
                following = True
                # From its beginning: the process may have been frozen between the answer and now.
                self._fresh_until = begun + self._max_staleness
                looked.set()
                # Whoever has asked during this look waits for the next one.
                if looked is self._looked:
                    await self._until(self._wait())
            except StoreUnavailableError as error:
                if following:
                    _logger.warning("%s cannot be followed, trying again: %s", self._name, error)
                following = False
                looked.set()
                if looked is self._looked:
                    await self._until(asyncio.sleep(random.uniform(_LEAST_PAUSE, _MOST_PAUSE)))  # noqa: S311  (not a secret)

    async def _until(self, pause: Coroutine[Any, Any, None]) -> None:
        """Let it end, or be cut short by `catch_up`; raises what it raises."""
        self._pause = task = asyncio.get_running_loop().create_task(pause)
        try:
            await asyncio.wait((task,))
        finally:
            self._pause = None
            await _end(task, again=_LEAST_PAUSE)
        if not task.cancelled():
            task.result()


async def _end(task: asyncio.Task[None], *, again: float) -> None:
    """Cancel a task that is not done, and once more in so many seconds where the cancellation was lost.

    Up to Python 3.11 `asyncio.wait_for` can swallow one.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=again)
    if not task.cancelled():
        # Looked at, so that asyncio does not report it again.
        task.exception()
