"""Waiting for what other tasks and processes do. Seconds are those of `ProcessClock`."""

import asyncio

from fastsession import StoreUnavailableError
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE


async def eventually(holds, *, within=PATIENCE):
    """Seconds until `holds()`, which is asked again and again."""
    with ProcessClock() as clock:
        async with asyncio.timeout(within):
            while not holds():  # noqa: ASYNC110  (another process gives no event)
                await asyncio.sleep(0.002)
        return clock.seconds


async def until_it_works(operation, *, within=PATIENCE):
    """Seconds until `await operation()` no longer raises `StoreUnavailableError`; it is tried again and again."""
    with ProcessClock() as clock:
        async with asyncio.timeout(within):
            while await error_of(operation()) is not None:  # noqa: ASYNC110  (the other system gives no event)
                # A refused connection is answered at once; others get their turn.
                await asyncio.sleep(0.005)
        return clock.seconds


async def error_of(operation):
    """The `StoreUnavailableError` that it raises, or None."""
    try:
        await operation
    except StoreUnavailableError as error:
        return error
    return None


async def seconds_of(operation):
    """How long it took, and the error it raised or None."""
    with ProcessClock() as clock:
        (outcome,) = await asyncio.gather(operation, return_exceptions=True)
        return clock.seconds, outcome if isinstance(outcome, BaseException) else None


async def slowest_refusal(operations):
    """Run all at a time; each must be refused. Seconds of the slowest."""
    with ProcessClock() as clock:
        outcomes = await asyncio.gather(*operations, return_exceptions=True)
        seconds = clock.seconds
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailableError}
    return seconds
