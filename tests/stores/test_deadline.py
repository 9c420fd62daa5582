import asyncio
import time
from contextlib import suppress

import pytest

from fastsession import StoreUnavailableError
from fastsession.stores.deadline import within
from tests.stores.waiting import seconds_of

pytestmark = pytest.mark.anyio


async def test_an_operation_gives_its_result_or_its_error():
    async def works():
        return 7

    async def fails():
        raise KeyError

    assert await within(1, works()) == 7
    with pytest.raises(KeyError):
        await within(1, fails())


async def test_an_operation_that_takes_too_long_is_refused_in_time_and_cancelled():
    ended = asyncio.Event()

    async def hangs():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun = time.monotonic()
    seconds, error = await seconds_of(within(0.05, hangs()))
    assert isinstance(error, StoreUnavailableError)
    assert time.monotonic() - begun > 0.04
    assert seconds < 0.3
    await ended.wait()


async def test_an_operation_that_does_not_give_up_is_refused_in_time_all_the_same():
    free = asyncio.Event()

    async def stubborn():
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    seconds, error = await seconds_of(within(0.05, stubborn()))
    assert isinstance(error, StoreUnavailableError)
    assert seconds < 0.3
    free.set()


async def test_a_cancelled_caller_leaves_the_operation_to_end_by_itself():
    asked, free, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def operation():
        asked.set()
        await free.wait()
        done.set()
        raise KeyError

    caller = asyncio.ensure_future(within(5, operation()))
    await asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    free.set()
    await done.wait()
