"""Session data in a SQLite file: one machine, several workers, kept over restarts, no server to run."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Collection
from functools import partial

from fastsession.stores.contract import Page, Record
from fastsession.stores.sqlite_database import SQLiteDatabase

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS sessions (
        key TEXT PRIMARY KEY,
        data BLOB NOT NULL,
        version INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        owner TEXT
    )
    """,
    "CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at)",
    "CREATE INDEX IF NOT EXISTS sessions_by_owner_and_key ON sessions (owner, key) WHERE owner IS NOT NULL",
    # Of an earlier version.
    "DROP INDEX IF EXISTS sessions_by_owner",
)
_READ = "SELECT data, version FROM sessions WHERE key = ? AND expires_at > ?"
_CREATE = "REPLACE INTO sessions (key, data, version, expires_at, owner) VALUES (?, ?, 1, ?, ?)"
_REPLACE = """
    UPDATE sessions SET data = ?, version = version + 1, expires_at = ?, owner = ?
    WHERE key = ? AND version = ? AND expires_at > ?
"""
_TOUCH = "UPDATE sessions SET expires_at = ? WHERE key = ? AND expires_at > ?"
_DELETE = "DELETE FROM sessions WHERE key = ? AND expires_at > ?"
_OWNED = """
    SELECT key, data, version FROM sessions WHERE owner = ? AND key > ? AND expires_at > ? ORDER BY key LIMIT ?
"""
_KEYS = "SELECT key FROM sessions WHERE owner = ? AND key > ? ORDER BY key LIMIT ?"
_END_OWNED = "DELETE FROM sessions WHERE key = ? AND owner = ?"
# Records at a time: the event loop is held up for some milliseconds.
_PAGE = 200
# With every new record some expired ones go: more than come, few enough not to be felt.
_SWEEP = "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE expires_at <= ? LIMIT 20)"


class SQLiteStore:
    """A `SessionStore` in a file that the workers of one machine share (on a local disk: not over NFS).

    `timeout` is how long a request waits, for another process's lock too.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = SQLiteDatabase(path, _SCHEMA, timeout=timeout)
        self._clock = clock

    async def start(self) -> None:
        """Open the file, and make it if there is none; raises `StoreUnavailableError` when that fails."""
        await self._database.open()

    async def stop(self) -> None:
        """Close the file and end the thread."""
        await self._database.close()

    async def read(self, key: str) -> Record | None:
        """The record."""
        found = await self._database.run(lambda connection: connection.execute(_READ, (key, self._clock())).fetchone())
        return Record(*found) if found else None

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SWEEP, (self._clock(),))
            connection.execute(_CREATE, (key, data, expires_at, owner))
            connection.execute("COMMIT")

        await self._database.run(work)

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put a new record in place of the one with this version."""
        return await self._write(_REPLACE, (data, expires_at, owner, key, version, self._clock()))

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry."""
        return await self._write(_TOUCH, (expires_at, key, self._clock()))

    async def delete(self, key: str) -> bool:
        """End the record."""
        return await self._write(_DELETE, (key, self._clock()))

    async def supersede(
        self,
        old: str,
        key: str,
        data: bytes,
        *,
        version: int,
        expires_at: int,
        owner: str | None,
        note: bytes,
        note_until: int,
    ) -> bool:
        """Let a new record take the place of the one with this version."""

        def work(connection: sqlite3.Connection) -> bool:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute(_REPLACE, (note, note_until, None, old, version, self._clock())).rowcount > 0
            if found:
                connection.execute(_CREATE, (key, data, expires_at, owner))
            connection.execute("COMMIT")
            return found

        return await self._database.run(work)

    async def owned(self, owner: str, *, after: str | None = None) -> Page:
        """Some of the owner's live records, in the order of their keys."""
        values = owner, after or "", self._clock(), _PAGE
        rows = await self._database.run(lambda connection: connection.execute(_OWNED, values).fetchall())
        records = {key: Record(data, version) for key, data, version in rows}
        return Page(records, rows[-1][0] if len(rows) == _PAGE else None)

    async def end_owned(self, owner: str, *, keep: Collection[str] = ()) -> None:
        """End the owner's records, a page after the other."""
        after: str | None = ""
        while after is not None:
            after = await self._database.run(partial(_end_page, owner, frozenset(keep), after))

    async def _write(self, statement: str, values: tuple[object, ...]) -> bool:
        """Run a statement; return whether it changed a record."""
        return await self._database.run(lambda connection: connection.execute(statement, values).rowcount > 0)


def _end_page(owner: str, keep: frozenset[str], after: str, connection: sqlite3.Connection) -> str | None:
    """End some of the owner's records, and return the key to go on after, if there are more."""
    connection.execute("BEGIN IMMEDIATE")
    keys = [key for (key,) in connection.execute(_KEYS, (owner, after, _PAGE))]
    connection.executemany(_END_OWNED, [(key, owner) for key in keys if key not in keep])
    connection.execute("COMMIT")
    return keys[-1] if len(keys) == _PAGE else None
