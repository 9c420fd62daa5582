"""Waiting for what other tasks and processes do."""

import asyncio
import time
from contextlib import suppress

from fastsession import StoreUnavailableError


async def eventually(holds, *, within=5.0):
    """Seconds until `holds()`, which is asked again and again."""
    begun = time.monotonic()
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110  (another process gives no event)
            await asyncio.sleep(0.002)
    return time.monotonic() - begun


async def seconds_of(operation):
    """How long it took, and the error it raised or None."""
    begun = time.monotonic()
    (outcome,) = await asyncio.gather(operation, return_exceptions=True)
    return time.monotonic() - begun, outcome if isinstance(outcome, BaseException) else None


async def slowest_refusal(operations):
    """Run all at a time; each must be refused. Seconds of the slowest, less the time the loop stood still.

    It stands still when the test runner's garbage is collected or when others need the processor: that is
    not the store's doing.
    """
    pauses = asyncio.ensure_future(_longest_pause())
    outcomes = await asyncio.gather(*map(seconds_of, operations))
    pauses.cancel()
    assert {type(error) for _, error in outcomes} == {StoreUnavailableError}
    return max(seconds for seconds, _ in outcomes) - await pauses


async def _longest_pause(tick=0.005):
    longest, last = 0.0, time.monotonic()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(tick)
            longest, last = max(longest, time.monotonic() - last - tick), time.monotonic()
    return max(longest, time.monotonic() - last - tick)
