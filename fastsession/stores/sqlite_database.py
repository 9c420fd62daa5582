"""A SQLite file that several processes share, behind one thread so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

from fastsession.building.given import checked_seconds
from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.deadline import within

T = TypeVar("T")

# Seconds for making the file, while other processes that start may be about it too.
_OPENING = 5.0
# Seconds between two attempts to switch a new file to the write-ahead log.
_PAUSE = 0.01
# The part of the time for an answer that a lock is waited for: SQLite then says no before the caller has
# left, so a write that was refused does not happen afterwards.
_PATIENCE = 0.8
# The mode of a file that is made. SQLite gives it to the files beside it, too.
_OWNERS_ONLY = 0o600


class SQLiteDatabase:
    """Runs work on a connection, in the order given. Opens by itself, and anew after a fault."""

    def __init__(self, path: str | os.PathLike[str], schema: Iterable[str], *, timeout: float) -> None:
        self._path = os.fspath(path)
        if self._path in ("", ":memory:"):
            message = "SQLite would keep this in each worker's own memory: write MemoryStore() or MemoryRevocations()."
            raise ConfigurationError(message)
        if "://" in self._path or self._path.startswith("file:"):
            # Not shown: a URL may hold a password.
            message = "Give the path of a file, such as /var/lib/shop/sessions.db. SQLAlchemyStore takes a URL."
            raise ConfigurationError(message)
        self._schema = tuple(schema)
        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        self._thread: ThreadPoolExecutor | None = None
        # Touched by the thread only.
        self._connection: sqlite3.Connection | None = None
        # Which file the connection is to: another one may have been put in its place.
        self._file: tuple[int, int] | None = None
        # How often the file was opened: what was read through an earlier connection may be of another file.
        self.openings = 0

    async def open(self) -> None:
        """Open the file, and make it if there is none; raises `StoreUnavailableError`."""
        await within(_OPENING, self._submit(lambda _: None, _OPENING))

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of the work; raises `StoreUnavailableError` for a fault of the file or a lock that stays.

        Work that has not begun at the deadline never begins.
        """
        return await within(self._timeout, self._submit(work, self._timeout))

    async def close(self) -> None:
        """Close the connection and end the thread, when all work is done."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown()

    def _submit(self, work: Callable[[sqlite3.Connection], T], seconds: float) -> asyncio.Future[T]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="fastsession-sqlite")
        until = time.monotonic() + seconds * _PATIENCE
        return asyncio.get_running_loop().run_in_executor(self._thread, self._work, work, until)

    def _work(self, work: Callable[[sqlite3.Connection], T], until: float) -> T:
        try:
            if self._connection is not None and self._file != _identity(self._path):
                self._disconnect()
            if self._connection is None:
                self._connection = self._connect()
                self._file = _identity(self._path)
                self.openings += 1
            # Of what is left: on a busy machine the thread may begin late.
            patience = int((until - time.monotonic()) * 1000)
            if patience <= 0:
                message = "It was given up before it began."
                raise StoreUnavailableError(message)
            self._connection.execute(f"PRAGMA busy_timeout = {patience}")
            return work(self._connection)
        except sqlite3.DatabaseError as error:
            self._disconnect()
            message = f"SQLite failed: {error} ({self._path}{_advice(error)})"
            raise StoreUnavailableError(message) from error

    def _connect(self) -> sqlite3.Connection:
        # What is stored is nobody else's on this machine.
        with suppress(FileExistsError, FileNotFoundError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNERS_ONLY))
        # `isolation_level=None`: a statement is a transaction, or BEGIN says so. A transaction that became a
        # write half-way could fail against another writer without waiting for it.
        # Not for one thread alone: without a lifespan nobody stops a store, and the thread that drops it closes it.
        connection = sqlite3.connect(self._path, timeout=_OPENING, isolation_level=None, check_same_thread=False)
        with ExitStack() as unless_it_opens:
            unless_it_opens.callback(connection.close)
            _use_write_ahead_log(connection)
            # What was confirmed survives a power failure too: a logout that is undone would be a fail-open.
            connection.execute("PRAGMA synchronous = FULL")
            for statement in self._schema:
                connection.execute(statement)
            unless_it_opens.pop_all()
        self._close_connection = weakref.finalize(self, connection.close)
        self._close_connection.atexit = False
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._close_connection()
            self._connection = None


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to the journal with which readers and the writer do not wait for each other.

    SQLite's busy timeout does not cover this statement: it fails at once when another process switches the same new
    file, as the workers of one server do when they start together. So it is repeated here.
    """
    give_up = time.monotonic() + _OPENING
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # The low byte is the primary code: https://www.sqlite.org/rescode.html
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _advice(error: sqlite3.DatabaseError) -> str:
    cannot_open = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN
    return ": its folder has to exist, and the server has to be able to write to it" if cannot_open else ""


def _identity(path: str) -> tuple[int, int] | None:
    """Which file this is, None when there is none. One that was replaced stays open, and unseen by others."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
