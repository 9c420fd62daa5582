"""Statements to a SQL database through SQLAlchemy's asyncio, answered in time."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fastsession.building.given import checked_count, checked_seconds
from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.deadline import within
from fastsession.stores.server_urls import SettingsUrl, url_in
from fastsession.stores.sqlalchemy_engines import EngineSource, engine_at
from fastsession.stores.sqlalchemy_faults import cause, is_lost_connection, is_rolled_back

T = TypeVar("T")

# How long an operation goes on after its caller was refused: long enough for a connection to be made.
_LINGER = 3.0
# How often a statement is sent that the database has undone for another one's sake, and the longest pause before.
_MOST_TRIES = 5
_MOST_PAUSE = 0.01
# Seconds that operations without a caller have to end when the connections are closed.
_CLOSING = 1.0
_NEVER_SENT = "It was given up before it was sent."


@dataclass(eq=False, slots=True)
class _Home:
    """What belongs to one event loop of one process."""

    loop: asyncio.AbstractEventLoop
    process: int
    # As it was given or made, and as it is used here: every statement is a transaction, so it takes one round trip.
    engine: AsyncEngine
    autocommit: AsyncEngine
    running: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])


@dataclass(slots=True)
class _Turn:
    """An operation's turn on a connection: whether somebody still waits for it, and whether it has begun."""

    is_awaited: bool = True
    has_begun: bool = False

    async def take(self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with engine.connect() as connection:
            if not self.is_awaited:
                raise StoreUnavailableError(_NEVER_SENT)
            self.has_begun = True
            return await work(connection)


class SQLAlchemyConnections:
    """An engine, from a URL, a function or given, that raises `StoreUnavailableError` and `ConfigurationError` only.

    What a URL or a function makes is made once in every event loop and closed here. A given engine stays its
    owner's, with its pool and its settings, and is never closed here.
    """

    def __init__(self, source: EngineSource | SettingsUrl, *, timeout: float, connections: int) -> None:
        self._source: EngineSource = url_in(source)
        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        self._connections = checked_count("max_connections", connections, least=1)
        self._home: _Home | None = None
        # The homes of processes that this one was forked from: their sockets are not ours to close.
        self._inherited: list[_Home] = []
        if isinstance(self._source, str | URL):
            # To find out now what is wrong with it; nothing is connected.
            engine_at(self._source, connections, timeout=timeout)
        elif not isinstance(self._source, AsyncEngine) and not callable(self._source):
            message = "Give a URL, an AsyncEngine (create_async_engine), or a function that makes one."
            raise ConfigurationError(message)

    @property
    def dialect(self) -> str:
        """Which database it is: postgresql, mysql, mariadb, sqlite."""
        return self._here().engine.dialect.name

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, reads: bool = False) -> T:
        """What the work gives within the time for an answer; raises `StoreUnavailableError`.

        Work that is late does not begin any more, but a connection that is being made for it is. It is done again when
        the database has undone it for another statement's sake, and, if it only reads, when the connection was lost.
        """
        home, turn = self._here(), _Turn()
        task = asyncio.ensure_future(_attempts(home.autocommit, turn, work, reads=reads))
        home.running.add(task)
        task.add_done_callback(home.running.discard)
        try:
            return await within(self._timeout, task, linger=_LINGER)
        except StoreUnavailableError:
            if turn.has_begun:
                if not reads:
                    # What was refused does not happen seconds later, if it was not sent yet.
                    task.cancel()
                raise
            message = f"No connection to the database was free, or could be made, within {self._timeout:g} seconds."
            raise StoreUnavailableError(message) from None
        except driver_errors() as error:
            message = f"The database failed: {cause(error)}"
            # Not from the error: SQLAlchemy's has the statement's values in it.
            raise StoreUnavailableError(message) from None
        except RuntimeError as error:
            _raise_for_loop(error)
        finally:
            turn.is_awaited = False

    async def try_out(self, work: Callable[[AsyncConnection], Awaitable[T]], *, limit: float) -> T:
        """What the work gives; raises what the driver raises, `TimeoutError` after so many seconds."""
        async with asyncio.timeout(limit):
            try:
                return await _attempts(self._here().autocommit, _Turn(), work, reads=False)
            except RuntimeError as error:
                _raise_for_loop(error)

    async def close(self) -> None:
        """Close the connections, unless the engine was given, when operations without a caller have ended."""
        home, self._home = self._home, None
        if home is None or home.loop is not asyncio.get_running_loop():
            return
        # By themselves if they can: SQLAlchemy cannot give back the connection of one that is cancelled twice.
        for cancel in (False, True):
            left = set(home.running)
            for task in left if cancel else ():
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_CLOSING)
        if isinstance(self._source, AsyncEngine):
            return
        # What cannot be closed in an orderly way is closed all the same.
        with suppress(*driver_errors()):
            async with asyncio.timeout(_CLOSING):
                await home.engine.dispose()

    def _here(self) -> _Home:
        loop, process = asyncio.get_running_loop(), os.getpid()
        home = self._home
        if home is None or home.loop is not loop or home.process != process:
            if home is not None and home.process != process:
                self._inherited.append(home)
            engine = self._engine()
            autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
            home = self._home = _Home(loop, process, engine, autocommit)
        return home

    def _engine(self) -> AsyncEngine:
        source = self._source
        if isinstance(source, str | URL):
            return engine_at(source, self._connections, timeout=self._timeout)
        return source if isinstance(source, AsyncEngine) else source()


async def _attempts(
    engine: AsyncEngine, turn: _Turn, work: Callable[[AsyncConnection], Awaitable[T]], *, reads: bool
) -> T:
    for _ in range(_MOST_TRIES - 1):
        try:
            return await turn.take(engine, work)
        except driver_errors() as error:
            if not is_rolled_back(error) and not (reads and is_lost_connection(error)):
                raise
        await asyncio.sleep(random.uniform(0, _MOST_PAUSE))  # noqa: S311  (not a secret)
    return await turn.take(engine, work)


@asynccontextmanager
async def transaction(connection: AsyncConnection, *, keep: bool = True) -> AsyncGenerator[None]:
    """A transaction of several statements, which is rolled back in the end unless it is to be kept."""
    is_sqlite = connection.dialect.name == "sqlite"
    await connection.execute(text("BEGIN IMMEDIATE" if is_sqlite else "BEGIN"))
    has_ended = False
    try:
        yield
        await connection.execute(text("COMMIT" if keep else "ROLLBACK"))
        has_ended = True
    finally:
        if not has_ended:
            # SQLAlchemy does not know of it, so the pool would give it to the next one as it is.
            await connection.invalidate()


def driver_errors() -> tuple[type[Exception], ...]:
    """What a failing database makes SQLAlchemy and its drivers raise; a timeout is an OSError."""
    # Up to SQLAlchemy 2.0, asyncpg's own errors come through while a connection is made.
    asyncpg: Any = sys.modules.get("asyncpg")
    own = () if asyncpg is None else (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return (SQLAlchemyError, OSError, *own)


def _raise_for_loop(error: RuntimeError) -> NoReturn:
    if "loop" not in str(error):
        raise error
    message = (
        "This engine was used in another event loop before. Give a URL, or a function that makes an engine, such as "
        "lambda: create_async_engine(...): it is called once in every event loop."
    )
    raise ConfigurationError(message) from error
