import asyncio
import gc
import time
from contextlib import suppress

import pytest

from fastsession import StoreUnavailableError
from fastsession.stores.deadline import end, within
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


async def test_what_does_not_give_up_is_left_behind_after_ten_cancellations():
    free, cancellations = asyncio.Event(), 0

    async def stubborn():
        nonlocal cancellations
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                cancellations += 1

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(asyncio.Event().wait())]
    await asyncio.sleep(0)
    await end(tasks)
    assert [task.done() for task in tasks] == [False, True]
    assert cancellations == 10
    free.set()
    await tasks[0]


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


async def test_a_late_operation_may_linger_and_end_by_itself():
    free, done = asyncio.Event(), asyncio.Event()

    async def operation():
        await free.wait()
        done.set()

    with pytest.raises(StoreUnavailableError):
        await within(0.01, operation(), linger=60)
    free.set()
    await done.wait()


async def test_a_late_operation_lingers_no_longer_than_it_may():
    ended = asyncio.Event()

    async def hangs():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(StoreUnavailableError):
        await within(0.01, hangs(), linger=0.05)
    assert not ended.is_set()
    await ended.wait()


async def test_an_operation_that_is_cancelled_by_someone_else_is_refused():
    never = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(never.cancel)
    with pytest.raises(StoreUnavailableError):
        await within(5, never)


@pytest.mark.parametrize("turns", range(12))
async def test_time_in_which_the_event_loop_was_held_does_not_count(turns):
    """Whenever the loop is held, and however many turns the answer still needs."""
    deadline = 0.05

    async def answers_at_once():
        for _ in range(12):
            await asyncio.sleep(0)
        return "answer"

    asking = asyncio.ensure_future(within(deadline, answers_at_once()))
    for _ in range(turns):
        await asyncio.sleep(0)
    time.sleep(3 * deadline)  # noqa: ASYNC251  (this is what is tested)
    assert await asking == "answer"


async def test_a_loop_that_is_held_again_and_again_does_not_wait_for_ever():
    async def hold():
        while True:
            time.sleep(0.03)  # noqa: ASYNC251  (this is what is tested)
            await asyncio.sleep(0)

    holding = asyncio.ensure_future(hold())
    with pytest.raises(StoreUnavailableError):
        await within(0.05, asyncio.Event().wait())
    holding.cancel()


async def test_a_failure_in_the_moment_of_its_callers_cancellation_is_not_reported_by_asyncio():
    reported, failing = [], asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["message"]))
    caller = asyncio.ensure_future(within(1, failing))
    await asyncio.sleep(0.01)
    failing.set_exception(ConnectionRefusedError())
    caller.cancel()
    # Not awaited: the traceback would keep the operation alive.
    await asyncio.wait([caller])
    assert caller.cancelled()
    del failing, caller
    gc.collect()
    assert reported == []
