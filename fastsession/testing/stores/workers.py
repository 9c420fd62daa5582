"""The workers of a contract's test: each has a store of its own, on a home of data that they share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Generic, Protocol, Self, TypeVar

import pytest

# Seconds. None of the tests takes long: whatever takes this long hangs.
_PATIENCE = 120.0
_POLL = 0.002


class Startable(Protocol):
    """A store or revocations."""

    async def start(self) -> None:
        """Make ready."""

    async def stop(self) -> None:
        """Give everything back."""


BackendT = TypeVar("BackendT", bound=Startable)
Make = Callable[[], BackendT | AbstractAsyncContextManager[BackendT]]


class Workers(Generic[BackendT]):
    """Makes one backend for each worker, and stops them all in the end."""

    def __init__(self, make: Make[BackendT]) -> None:
        self._make = make
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def make(self) -> BackendT:
        """One that is not started."""
        made = self._make()
        backend = await self._stack.enter_async_context(made) if isinstance(made, AbstractAsyncContextManager) else made
        self._stack.push_async_callback(backend.stop)
        return backend

    async def start(self) -> BackendT:
        """One that is started."""
        backend = await self.make()
        await backend.start()
        return backend


class Suite:
    """What suites have in common.

    `is_shared` is False for what is kept in one process: tests with several workers are then skipped.
    """

    is_shared = True

    @pytest.fixture
    def make(self) -> Make[Any]:
        """Override this: return a function that makes one, not started, for each worker of a test.

        It is called in the test's event loop, and may give an async context manager that makes and ends one. All that
        are made for a test have one home of data, which is empty at first.
        """
        pytest.fail(f"{type(self).__name__} needs a fixture `make` that returns a function, which makes a store.")


AsyncTest = Callable[[Any, Workers[Any]], Awaitable[None]]
Test = Callable[[Any, Make[Any]], None]


def alone(test: AsyncTest) -> Test:
    """A test in an event loop of its own, so that no plugin is needed for it."""

    def run(self: Any, make: Make[Any]) -> None:
        async def body() -> None:
            async with asyncio.timeout(_PATIENCE), Workers[Any](make) as workers:
                await test(self, workers)

        asyncio.run(body())

    return _named_after(test, run)


def together(test: AsyncTest) -> Test:
    """The same for a test that has several workers."""
    in_loop = alone(test)

    def run(self: Any, make: Make[Any]) -> None:
        if not self.is_shared:
            pytest.skip("it is not shared by several workers")
        in_loop(self, make)

    return _named_after(test, run)


def _named_after(test: AsyncTest, run: Test) -> Test:
    # Not functools.wraps: pytest would look at the inner test's parameters.
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds, which other workers bring about."""
    while not holds():  # noqa: ASYNC110  (another worker gives no event)
        await asyncio.sleep(_POLL)
