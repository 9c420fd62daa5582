"""Answers in time: how long a request waits at most, and what happens to the operation it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from fastsession.errors import StoreUnavailableError

T = TypeVar("T")

# The wait is made of this many parts. What a part takes beyond what was asked for was not spent waiting for the
# system: something held the event loop, and the answer may have been there all the time. So it does not count, and
# after a last part that was held there is another, in which that answer is taken; but only so many in all.
_PARTS = 5
_MOST_HELD_PARTS = 5
# Seconds after which a task is cancelled again, and how often.
_AGAIN, _MOST_CANCELS = 0.1, 10


async def within(seconds: float, operation: Awaitable[T], *, linger: float = 0.0) -> T:
    """The operation's result; raises `StoreUnavailableError` when it takes longer.

    Only time in which the event loop runs counts: an answer that arrived while a route held the loop is used.

    An operation that is late goes on for `linger` seconds before it is cancelled, one whose caller was cancelled
    for as long as its caller would have waited. A connection whose caller went away between question and answer
    must not hand that answer to the next one (CVE-2023-28858), a connection that is nearly made would be thrown
    away, and a client that is cancelled at every deadline never finds out that its server has moved.
    """
    task = asyncio.ensure_future(operation)
    leave = seconds + linger
    try:
        if await _ends_within(seconds, task) and not task.cancelled():
            return task.result()
        leave = linger
    finally:
        # One that has ended may have failed in the moment in which its caller was cancelled.
        task.add_done_callback(_look_at)
        if not task.done():
            _leave(task, leave)
    message = f"No answer within {seconds:g} seconds."
    raise StoreUnavailableError(message)


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and again where the cancellation was lost: up to Python 3.11 `asyncio.wait_for` can swallow one."""
    left = {task for task in tasks if not task.done()}
    for _ in range(_MOST_CANCELS):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)


async def _ends_within(seconds: float, task: asyncio.Future[T]) -> bool:
    """Whether it is done after so many seconds of a running event loop."""
    loop, part = asyncio.get_running_loop(), seconds / _PARTS
    left, held = seconds, 0
    while left > 0 and not task.done():
        begun = loop.time()
        await asyncio.wait((task,), timeout=min(part, left))
        took = loop.time() - begun
        if took > 2 * part and held < _MOST_HELD_PARTS:
            held += 1
            left = max(left - part, part)
        else:
            left -= took
    return task.done()


def _leave(task: asyncio.Future[T], seconds: float) -> None:
    """Let it end by itself, or cancel it in so many seconds."""
    if seconds:
        timer = asyncio.get_running_loop().call_later(seconds, task.cancel)
        task.add_done_callback(lambda _: timer.cancel())
    else:
        task.cancel()


def _look_at(done: asyncio.Future[T]) -> None:
    """So that asyncio does not report the failure of an operation that no one waits for."""
    if not done.cancelled():
        done.exception()
