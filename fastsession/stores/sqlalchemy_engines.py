"""Engines of SQLAlchemy's asyncio, from URLs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from fastsession.errors import ConfigurationError

EngineSource = str | URL | AsyncEngine | Callable[[], AsyncEngine]

# Seconds that a connection of the pool is waited for longer than a request waits, so that a limit of its own is told.
_WAITING = 3.0
# The part of the time for an answer that SQLite waits for another process's lock.
_FOR_LOCKS = 0.8
_IN_MEMORY = (None, "", ":memory:")


def engine_at(source: str | URL, connections: int, *, timeout: float) -> AsyncEngine:
    """An engine for the database at this URL, which answers within `timeout` seconds; raises `ConfigurationError`."""
    try:
        url = make_url(source)
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}
        is_sqlite = url.get_backend_name() == "sqlite"
        if is_sqlite and url.database in _IN_MEMORY:
            message = "Each engine has a SQLite database in memory of its own: use MemoryStore, or give a file's URL."
            raise ConfigurationError(message)
        # SQLite has one writer at a time: those of one process wait in their order, not for the file's lock.
        size = 1 if is_sqlite else connections
        options |= {"pool_size": size, "max_overflow": 0, "pool_timeout": timeout + _WAITING}
        if url.drivername == "sqlite+aiosqlite":
            # SQLAlchemy's own choice from 2.0.38 on.
            options["poolclass"] = AsyncAdaptedQueuePool
        engine = create_async_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError, InvalidRequestError) as error:
        message = (
            f"No asyncio driver for this database URL: {str(error).partition(chr(10))[0]} Name one that is installed, "
            "as in postgresql+asyncpg://, mysql+asyncmy:// or sqlite+aiosqlite://."
        )
        raise ConfigurationError(message) from error
    except ArgumentError:
        # Not from the error: the text that could not be read may hold a password.
        message = "That is no database URL: write one like postgresql+asyncpg://user:password@host/database."
        raise ConfigurationError(message) from None
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", partial(_set_up_sqlite, int(timeout * _FOR_LOCKS * 1000)))
    return engine


def _set_up_sqlite(patience: int, connection: Any, _: object) -> None:
    cursor = connection.cursor()
    # First, so that workers that start together wait for one another.
    cursor.execute(f"PRAGMA busy_timeout = {patience}")
    # Readers and the writer do not wait for one another.
    cursor.execute("PRAGMA journal_mode = WAL")
    # What was confirmed survives a power failure too: a logout that is undone would be a fail-open.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
