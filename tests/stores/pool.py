"""Processes that work side by side on one home of data."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Self

from tests.processes import PATIENCE
from tests.stores import workers

processes = multiprocessing.get_context("spawn")


class Pool:
    """Some processes, as long as it is entered. Their work begins when each of them is there."""

    size = 4

    def __enter__(self) -> Self:
        self._all_there = processes.Barrier(self.size + 1)
        self._executor = ProcessPoolExecutor(
            self.size, mp_context=processes, initializer=workers.begin, initargs=(self._all_there,)
        )
        return self

    def __exit__(self, *_: object) -> None:
        # Nobody waits for the others any more.
        self._all_there.abort()
        self._executor.shutdown()

    async def begin(self, work, *arguments):
        """Have every process begin the work, the last argument being each one's own; await the result for theirs."""
        loop = asyncio.get_running_loop()
        *same, own = arguments
        results = asyncio.gather(*(loop.run_in_executor(self._executor, work, *same, each) for each in own))
        await asyncio.to_thread(self._all_there.wait, PATIENCE)
        return results
