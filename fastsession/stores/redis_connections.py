"""Commands to Redis or Valkey through any `redis.asyncio` client, answered in time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import RedisCluster
from redis.exceptions import NoScriptError

from fastsession.building.given import checked_count, checked_seconds
from fastsession.errors import StoreUnavailableError
from fastsession.stores.deadline import end, within
from fastsession.stores.redis_clients import (
    Limits,
    RedisClient,
    RedisSource,
    adopt,
    check,
    client_from,
    close,
    find_again,
    is_movable,
)
from fastsession.stores.redis_confirming import run_confirmed
from fastsession.stores.redis_faults import as_unavailable
from fastsession.stores.redis_scripts import RedisScript
from fastsession.stores.server_urls import SettingsUrl, url_in

T = TypeVar("T")

# A connection may take longer than a request waits for it: the next request finds it made.
_CONNECTING = 2.0
# So may an answer: only a client whose own limit has passed finds out that its server has been replaced. It is
# longer than an event loop is usually held, which redis-py would take for the server's silence.
_READING = 2.0
# How long a read goes on after its caller was refused: long enough for either.
_LINGER = 3.0
# Seconds for finding out where the servers are now, and between two such searches.
_SEARCH, _BETWEEN_SEARCHES = 10.0, 0.5
# The part of the time for an answer that replicas are waited for.
_WAITING = 0.8


@dataclass(eq=False, slots=True)
class _Home:
    """What belongs to one event loop of one process: its client, and the operations that may run on it."""

    loop: asyncio.AbstractEventLoop
    process: int
    client: Any
    slots: asyncio.Semaphore
    running: set[asyncio.Task[Any] | None]
    searching: asyncio.Task[None] | None = None
    is_closing: bool = False


class RedisConnections:
    """A client, from a URL, a function or given, that raises `StoreUnavailableError` and `ConfigurationError` only.

    What a URL or a function makes is made once in every event loop and closed here. A given client stays its
    owner's: with its limits and retries, in its event loop, and never closed here.
    """

    def __init__(
        self, source: RedisSource | SettingsUrl, *, timeout: float, connections: int, replicas: int = 0
    ) -> None:
        self._source: RedisSource = url_in(source)
        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        self._connections = checked_count("max_connections", connections, least=1)
        # One more, for a question that waits for changes.
        self._limits = Limits(max(timeout, _CONNECTING), max(timeout, _READING), connections + 1)
        self._replicas = checked_count("replicas", replicas, least=0)
        self._home: _Home | None = None
        if isinstance(self._source, str):
            check(self._source, self._limits)
        elif not callable(self._source):
            adopt(self._source)

    @property
    def client(self) -> RedisClient:
        """The client for this event loop."""
        client: RedisClient = self._here().client
        return client

    @property
    def is_cluster(self) -> bool:
        """Whether keys may be on different servers."""
        return isinstance(self._here().client, RedisCluster)

    async def answer(self, operation: Callable[[], Awaitable[T]], *, reads: bool = False) -> T:
        """What the operation gives within the time for an answer.

        A late one that only `reads` ends by itself; one that writes is cancelled, so that what was refused does not
        happen seconds later if it was not sent yet. Neither begins any more.
        """
        home, awaited = self._here(), True

        async def in_turn() -> T:
            async with home.slots:
                if not awaited:
                    raise StoreUnavailableError("It was given up before it was sent.")
                task = asyncio.current_task()
                home.running.add(task)
                try:
                    return await operation()
                finally:
                    home.running.discard(task)

        try:
            with as_unavailable():
                return await within(self._timeout, in_turn(), linger=_LINGER if reads else 0)
        except StoreUnavailableError:
            self._search(home)
            raise
        finally:
            awaited = False

    async def attend(self, limit: float, operation: Awaitable[T]) -> T:
        """As `answer`, for a task that waits for nothing else: cancelled, it gives the operation up."""
        home = self._here()
        try:
            with as_unavailable():
                async with asyncio.timeout(limit):
                    return await operation
        except StoreUnavailableError:
            self._search(home)
            raise

    def command(self, *words: Any) -> Awaitable[Any]:
        """Send a command."""
        return self.client.execute_command(*words)

    async def run(self, script: RedisScript, keys: Sequence[str], *values: Any) -> Any:
        """Run a script."""
        try:
            return await self.command(*script.by_digest(keys, values))
        except NoScriptError:
            return await self.command(*script.by_text(keys, values))

    async def run_confirmed(self, script: RedisScript, keys: Sequence[str], *values: Any) -> Any:
        """Run a script that writes; raises `StoreUnavailableError` unless enough replicas have what it wrote."""
        if not self._replicas:
            return await self.run(script, keys, *values)
        patience = int(self._timeout * _WAITING * 1000)
        return await run_confirmed(self.client, script, keys, values, replicas=self._replicas, patience=patience)

    async def run_each(self, script: RedisScript, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Run a script on many keys in one round trip."""
        answers = await self.send([script.by_digest(*call) for call in calls], errors=True)
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        again = await self.send([script.by_text(*calls[number]) for number in unknown], errors=True)
        for number, answer in zip(unknown, again, strict=True):
            answers[number] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def send(self, commands: Sequence[tuple[Any, ...]], *, errors: bool = False) -> list[Any]:
        """The answers to many commands in one round trip; with `errors`, those of failed ones are the errors."""
        if not commands:
            return []
        pipeline = self.client.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        return await pipeline.execute(raise_on_error=not errors)

    async def close(self) -> None:
        """End the operations that nobody waits for, and close the connections unless the client was given."""
        home = self._home
        if home is None or home.loop is not asyncio.get_running_loop():
            self._home = None
            return
        # It stays until they end: one whose cancellation was lost would otherwise make another client, never closed.
        home.is_closing = True
        try:
            await end([task for task in (*home.running, home.searching) if task is not None])
        finally:
            self._home = None
            # What cannot be closed in an orderly way is closed all the same.
            with suppress(StoreUnavailableError), as_unavailable():
                if home.client is not self._source:
                    await close(home.client)

    def _here(self) -> _Home:
        loop, process = asyncio.get_running_loop(), os.getpid()
        home = self._home
        if home is None or home.loop is not loop or home.process != process:
            client = self._client()
            home = self._home = _Home(loop, process, client, asyncio.Semaphore(self._slots(client)), set())
        elif home.is_closing:
            raise StoreUnavailableError("Its connections are being closed.")
        return home

    def _client(self) -> Any:
        if isinstance(self._source, str):
            return client_from(self._source, self._limits)
        if not callable(self._source):
            return self._source
        client = self._source()
        adopt(client)
        return client

    def _slots(self, client: Any) -> int:
        """How many operations may run at a time: a pool that is smaller raises where it should let wait."""
        most = getattr(getattr(client, "connection_pool", None), "max_connections", None)
        return max(1, min(self._connections, most or self._connections))

    def _search(self, home: _Home) -> None:
        """Look for the servers anew: one that does not answer may have been replaced."""
        if is_movable(home.client) and (home.searching is None or home.searching.done()):
            home.searching = home.loop.create_task(_search(home.client))


async def _search(client: Any) -> None:
    with suppress(StoreUnavailableError), as_unavailable():
        async with asyncio.timeout(_SEARCH):
            await find_again(client)
    await asyncio.sleep(_BETWEEN_SEARCHES)
