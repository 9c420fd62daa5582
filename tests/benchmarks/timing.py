"""Batches of requests in rounds: every case once a round, in another order each time."""

import asyncio
import gc
import itertools
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from tests.benchmarks.asgi import discard, http_scope, receive
from tests.benchmarks.cases import Case, Key

BATCH_SECONDS = 0.008
LEAST_ROUNDS = 9
# Enough to warm what the case before has pushed out of the processor's caches, and to use up the
# lines that the product logs of rejections in one second.
WARM_UP = 20
_NANOSECONDS = 1_000


class Sample(NamedTuple):
    """Microseconds a request, of one batch."""

    cpu: float
    wall: float


class Spread(NamedTuple):
    """The median of all rounds, and the quarters below and above."""

    median: float
    low: float
    high: float


class Task(NamedTuple):
    """Something that can be done many times over; `again` does it so many times."""

    key: Key
    again: Callable[[int], Awaitable[None]]


def requests(case: Case) -> Task:
    """The case's requests, in turn."""
    app, turn = case.app, itertools.cycle(case.requests)

    async def again(count: int) -> None:
        for headers in itertools.islice(turn, count):
            await app(http_scope(headers), receive, discard)

    return Task(case.key, again)


def calls(key: Key, function: Callable[[], object]) -> Task:
    """Calls of a plain function."""

    async def again(count: int) -> None:
        for _ in range(count):
            function()

    return Task(key, again)


class Stopwatch:
    """Times one task in batches of a fixed number of requests."""

    def __init__(self, task: Task) -> None:
        self._again = task.again
        self._count = WARM_UP

    async def calibrate(self) -> None:
        """Choose how many requests make a batch."""
        await self.batch()
        cpu, wall = await self.batch()
        self._count = max(WARM_UP, round(BATCH_SECONDS * 1e6 / max(cpu, wall)))

    async def batch(self) -> Sample:
        await self._again(WARM_UP)
        started_cpu, started = time.process_time_ns(), time.perf_counter_ns()
        await self._again(self._count)
        wall, cpu = time.perf_counter_ns() - started, time.process_time_ns() - started_cpu
        return Sample(cpu / self._count / _NANOSECONDS, wall / self._count / _NANOSECONDS)


async def interleaved(
    tasks: Sequence[Task], *, rounds: int, seconds: float, between: Callable[[], None] = lambda: None
) -> dict[Key, list[list[Sample]]]:
    """The samples of every task, round by round: a list for each time it is among the tasks.

    On a machine that is busy otherwise, fewer rounds: none begins after so many seconds of them, once
    there are enough for a median.
    """
    stopwatches = [Stopwatch(task) for task in tasks]
    for stopwatch in stopwatches:
        await stopwatch.calibrate()
    samples: list[list[Sample]] = [[] for _ in tasks]
    order = list(range(len(tasks)))
    shuffle = random.Random(2026).shuffle
    # The harness's own objects are no part of what a collection has to go through.
    gc.collect()
    gc.freeze()
    deadline = time.monotonic() + seconds
    for number in range(rounds):
        if number >= LEAST_ROUNDS and time.monotonic() > deadline:
            break
        shuffle(order)
        gc.collect()
        for index in order:
            samples[index].append(await stopwatches[index].batch())
        between()
        # No request here waits for anything, so that Ctrl-C would not be noticed.
        await asyncio.sleep(0)
    gc.unfreeze()
    found: dict[Key, list[list[Sample]]] = {}
    for task, of_task in zip(tasks, samples, strict=True):
        found.setdefault(task.key, []).append(of_task)
    return found


def spread(values: Sequence[float]) -> Spread:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)
