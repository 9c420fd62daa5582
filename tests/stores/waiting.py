"""Waiting for what other tasks and processes do."""

import asyncio
import time


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
