"""Revocations for the workers of one machine, in a SQLite file: no server to run."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from fastsession.stores.denials import Denials
from fastsession.stores.followed_revocations import FollowedRevocations
from fastsession.stores.on_lost import OnLost, check_on_lost, denials_for
from fastsession.stores.sqlite_database import SQLiteDatabase

_SCHEMA = (
    # AUTOINCREMENT: a number is never used twice, so numbers above the last one read are all there is to read.
    """
    CREATE TABLE IF NOT EXISTS denials (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        denial TEXT NOT NULL UNIQUE,
        until INTEGER NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS denials_by_expiry ON denials (until)",
    # One row, which says that denials have been kept here.
    "CREATE TABLE IF NOT EXISTS begun (number INTEGER PRIMARY KEY)",
)
# A denial that is made again gets a number of its own again, and so reaches every reader.
_DENY = """
    REPLACE INTO denials (denial, until)
    VALUES (:denial, max(:until, coalesce((SELECT until FROM denials WHERE denial = :denial), 0)))
"""
# As much of a denial as the file does not have.
_GIVE_BACK = """
    REPLACE INTO denials (denial, until)
    SELECT :denial, :until WHERE NOT EXISTS (SELECT 1 FROM denials WHERE denial = :denial AND until >= :until)
"""
_SWEEP = "DELETE FROM denials WHERE number IN (SELECT number FROM denials WHERE until <= ? LIMIT 100)"
_READ = "SELECT number, denial, until FROM denials WHERE number > ? ORDER BY number LIMIT ?"
# Rows at a time: the event loop is held up for about 3 ms.
_PAGE = 2000
_POLL_INTERVAL = 0.03


class SQLiteRevocations(FollowedRevocations):
    """`Revocations` in a file that the workers of one machine share (on a local disk: not over NFS).

    A worker asks SQLite every 30 ms whether somebody else has written, which touches no disk, and reads
    what is new. `max_staleness` is how many seconds it goes on with what it knows when that fails.

    `on_lost` says that this file has kept denials before, and what to do when it is a new one, and no worker
    remembers: `"sign_out"` ends every session that was created before now, `"accept"` lets in again who was denied.
    Both are told.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_staleness: float = 60.0,
        timeout: float = 2.0,
        on_lost: OnLost | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_staleness=max_staleness, timeout=timeout, clock=clock)
        check_on_lost(on_lost)
        self._on_lost: OnLost | None = on_lost
        self._database = SQLiteDatabase(path, _SCHEMA, timeout=timeout)
        # What was seen last: which opening of the file in which version, and the last number read from it.
        self._seen: tuple[int, int] | None = None
        self._number = 0

    async def _store(self, denial: str, until: int) -> None:
        now = self._clock()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_DENY, {"denial": denial, "until": until})
            connection.execute(_SWEEP, (now,))
            connection.execute("COMMIT")

        await self._database.run(work)

    async def _close(self) -> None:
        """Close the file and end the thread."""
        await self._database.close()

    async def _look(self) -> None:
        """Read what others have denied since the last time."""
        if self._seen is None:
            await self._database.open()
        version = await self._database.run(_version)
        seen = self._database.openings, version
        if seen != self._seen:
            if self._seen is not None and seen[0] == self._seen[0]:
                await self._read_on(self._denials)
            else:
                await self._read_everything()
            self._seen = seen
        self._denials.sweep(self._clock())

    async def _wait(self) -> None:
        await asyncio.sleep(_POLL_INTERVAL)

    async def _read_everything(self) -> None:
        """Read the file from its beginning, and give back what it lacks: it may have been put in another's place."""
        await self._begin(self._on_lost if self._seen is None else None)
        self._number = 0
        there = Denials()
        await self._read_on(there, self._denials)
        missing = self._denials.beyond(there, self._clock())
        given_back = 0
        while page := list(islice(missing, _PAGE)):
            given_back += await self._database.run(partial(_give_back, page))
        if given_back:
            self._tell(f"the file had lost denials; this worker has given {given_back} back")

    async def _begin(self, on_lost: OnLost | None) -> None:
        """Note that denials are kept here, where that is not noted, and make up for what was lost."""
        denials = denials_for(on_lost, self._clock())
        if await self._database.run(partial(_begin, denials)) and on_lost is not None:
            self._tell(f"the file has forgotten every denial; on_lost={on_lost!r} was carried out")

    async def _read_on(self, *kept: Denials) -> None:
        """Add every denial with a number above the last one read."""
        while True:
            rows = await self._database.run(self._page)
            for number, denial, until in rows:
                for denials in kept:
                    denials.add(denial, until)
                self._number = number
            if len(rows) < _PAGE:
                return

    def _page(self, connection: sqlite3.Connection) -> list[tuple[int, str, int]]:
        return connection.execute(_READ, (self._number, _PAGE)).fetchall()


def _begin(denials: Sequence[tuple[str, int]], connection: sqlite3.Connection) -> bool:
    """Whether this is the first to note it. One step: other workers may begin at the same time."""
    if connection.execute("SELECT 1 FROM begun").fetchone() is not None:
        return False
    connection.execute("BEGIN IMMEDIATE")
    is_first = connection.execute("INSERT OR IGNORE INTO begun VALUES (1)").rowcount > 0
    if is_first:
        connection.executemany(_GIVE_BACK, _values(denials))
    connection.execute("COMMIT")
    return is_first


def _give_back(denials: Sequence[tuple[str, int]], connection: sqlite3.Connection) -> int:
    """How many of them the file lacked: others may have given some back by now."""
    connection.execute("BEGIN IMMEDIATE")
    given_back = connection.executemany(_GIVE_BACK, _values(denials)).rowcount
    connection.execute("COMMIT")
    return given_back


def _values(denials: Sequence[tuple[str, int]]) -> list[dict[str, str | int]]:
    return [{"denial": denial, "until": until} for denial, until in denials]


def _version(connection: sqlite3.Connection) -> int:
    """A number that changes when another connection has written (SQLite, PRAGMA data_version)."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
