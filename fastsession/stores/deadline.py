"""Answers in time: what a request waits for at most, and what a cancelled request leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastsession.errors import StoreUnavailableError

T = TypeVar("T")


async def within(seconds: float, operation: Awaitable[T]) -> T:
    """The operation's result; raises `StoreUnavailableError` when it takes longer, and then cancels it.

    A caller that is cancelled leaves the operation to end by itself. A connection whose caller went
    away between question and answer must not hand that answer to the next one (CVE-2023-28858), and a
    write that is under way has better chances to be whole.
    """
    task = asyncio.ensure_future(operation)
    timer = asyncio.get_running_loop().call_later(seconds, task.cancel)

    def settle(done: asyncio.Future[T]) -> None:
        timer.cancel()
        if not done.cancelled():
            # Looked at, so that asyncio does not report the failure of an operation nobody waits for.
            done.exception()

    task.add_done_callback(settle)
    # The timer cancels at the deadline; the wait ends then, even if the operation is slow to give up.
    await asyncio.wait((task,), timeout=seconds)
    if not task.done() or task.cancelled():
        message = f"No answer within {seconds:g} seconds."
        raise StoreUnavailableError(message)
    return task.result()
