"""Revocations in a SQL database that the application has anyway, by SQLAlchemy's asyncio."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Executable, MetaData, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastsession.errors import StoreUnavailableError
from fastsession.stores.denials import SHELVES, Denials
from fastsession.stores.followed_revocations import FollowedRevocations
from fastsession.stores.numbered_history import NumberedHistory, Row
from fastsession.stores.on_lost import OnLost, check_on_lost, denials_for
from fastsession.stores.server_urls import SettingsUrl
from fastsession.stores.sqlalchemy_checks import prepare
from fastsession.stores.sqlalchemy_connections import SQLAlchemyConnections, transaction
from fastsession.stores.sqlalchemy_engines import EngineSource
from fastsession.stores.sqlalchemy_sweep import Sweep
from fastsession.stores.sqlalchemy_tables import denials_table

# A cut-off that denies no one.
_TRIAL = "a0"
_TRIAL_SECONDS = 60
# The rows that tell which worker deletes what has expired, and that denials have been kept here. Denials have numbers
# from 1 on.
_SWEEPER, _BEGUN = -1, -2
_FOR_EVER = 2**62
_POLL_INTERVAL = 0.03
# Rows at a time: the event loop is held up for some milliseconds.
_PAGE = 1000
_GIVEN_BACK = 200
# Seconds that a missing number is looked for, and no less than twice the time in which a denial is confirmed or not.
_LOOKED_FOR = 60.0
# Numbers are asked for this many at a time, so that there are few different statements to prepare.
_ASKED = 32
_CONNECTIONS = 5
_MARK_BITS = 63

_logger = logging.getLogger("fastsession")
_table = denials_table(MetaData())
_columns = _table.c
_INSERT = insert(_table).inline()


@cache
def _reading(watched: int) -> Executable:
    """The rows with so many numbers, and those after the last one."""
    # In place of an expanding parameter, whose text SQLAlchemy writes anew for each look.
    numbers = [bindparam(f"watched_{place}", None, BigInteger()) for place in range(watched)]
    return (
        select(_columns.number, _columns.denial, _columns.until, _columns.mark)
        .where(
            _columns.until > bindparam("now", None, BigInteger()),
            or_(_columns.number > bindparam("last", None, BigInteger()), _columns.number.in_(numbers)),
        )
        .order_by(_columns.number)
        .limit(bindparam("most", None, BigInteger()))
    )


class SQLAlchemyRevocations(FollowedRevocations):
    """`Revocations` in PostgreSQL 13 or later, MariaDB, MySQL 8 or SQLite.

    Takes a URL with an asyncio driver (`postgresql+asyncpg://`), an `AsyncEngine` of your application, or a function
    that makes one, called once in every event loop. `create_tables` or `add_tables` makes the table. A worker asks
    every 30 ms for what is new, which is one look into an index.

    `max_staleness` is how many seconds a worker goes on with what it knows while the database is away. A denial is
    stored within `timeout` seconds, or raises.

    `on_lost` says that this database has kept denials before, and what to do when its table has forgotten that, and
    no worker remembers: `"sign_out"` ends every session that was created before now, `"accept"` lets in again who was
    denied. Both are told.
    """

    def __init__(
        self,
        source: EngineSource | SettingsUrl,
        *,
        max_staleness: float = 60.0,
        timeout: float = 0.25,
        on_lost: OnLost | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_staleness=max_staleness, timeout=timeout, clock=clock)
        check_on_lost(on_lost)
        self._on_lost: OnLost | None = on_lost
        self._connections = SQLAlchemyConnections(source, timeout=timeout, connections=_CONNECTIONS)
        self._patience = max(_LOOKED_FOR, 2 * timeout)
        self._history: NumberedHistory | None = None
        lease = {"number": _SWEEPER, "denial": "sweeper", "mark": 0}
        self._sweep = Sweep(self._connections, _table, key=_columns.number, expiry=_columns.until, lease=lease)

    async def _prepare(self) -> None:
        """Try the table out; raises `ConfigurationError` for a refused password, a missing table or permission."""
        try:
            await prepare(self._connections, type(self).__name__, self._trial)
        except StoreUnavailableError as error:
            _logger.warning("%s", error)

    async def _look(self) -> None:
        """Take in the rows since the last time, or everything where that is not enough."""
        if self._history is None or not await self._read_on(self._history, self._denials):
            await self._read_everything(self._history)
        self._denials.sweep(self._clock())

    async def _wait(self) -> None:
        await asyncio.sleep(_POLL_INTERVAL)

    async def _store(self, denial: str, until: int) -> None:
        row = _row(denial, until)
        await self._connections.run(lambda connection: connection.execute(_INSERT, row))
        if self._history is not None:
            self._history.made(row["mark"], until)
        self._sweep.begin_if_due(int(self._clock()))

    async def _close(self) -> None:
        """Close the connections, unless the engine was given."""
        await self._sweep.stop()
        await self._connections.close()

    async def _read_on(self, history: NumberedHistory, *known: Denials) -> bool:
        """Add every row that has come; whether the database still knows all that this worker knows."""
        while True:
            now = int(self._clock())
            made, watched = history.unread(now), history.watched()
            rows = await self._ask(history.last, watched, now)
            if not history.is_whole(rows, made=made if len(rows) < _PAGE else (), now=now):
                return False
            for row in history.read(rows, now=now, at=time.monotonic()):
                for denials in known:
                    denials.add(row.denial, row.until)
            if len(rows) < _PAGE:
                return True

    async def _read_everything(self, earlier: NumberedHistory | None) -> None:
        """Read all that the database knows, and give back what it does not."""
        await self._begin(self._on_lost if earlier is None else None)
        history, there = NumberedHistory(patience=self._patience), Denials()
        settled = {} if earlier is None else earlier.unread(self._clock())
        if not await self._read_on(history, there, self._denials):
            message = "The database has lost denials while they were read."
            raise StoreUnavailableError(message)
        given_back = await self._give_back(history, there)
        if earlier is not None:
            for mark, until in earlier.unread(self._clock()).items():
                if mark not in settled:
                    history.made(mark, until)
        if given_back:
            self._tell(f"The database has lost denials; this worker has given {given_back} back")
        self._history = history

    async def _begin(self, on_lost: OnLost | None) -> None:
        """Make the row that says that denials are kept here, if it is missing, and make up for what was lost."""

        async def look(connection: AsyncConnection) -> bool:
            return (await connection.execute(select(_columns.mark).where(_columns.number == _BEGUN))).first() is None

        if not await self._connections.run(look, reads=True):
            return
        begun = {"number": _BEGUN, "denial": "begun", "until": _FOR_EVER, "mark": 0}
        rows = [_row(*denial) for denial in denials_for(on_lost, self._clock())]

        async def begin(connection: AsyncConnection) -> bool:
            try:
                async with transaction(connection):
                    for row in (begun, *rows):
                        await connection.execute(insert(_table).inline(), row)
            except IntegrityError:
                # Another worker was faster, and what it denied with it is read now.
                return False
            return True

        if await self._connections.run(begin) and on_lost is not None:
            self._tell(f"The database has forgotten every denial; on_lost={on_lost!r} was carried out")

    async def _give_back(self, history: NumberedHistory, there: Denials) -> int:
        """Tell the database what it does not know; how many that was."""
        first = random.randrange(SHELVES)  # noqa: S311  (so that workers begin at different ends)
        count, left = 0, iter(self._denials.beyond(there, self._clock(), first_shelf=first))
        while page := list(islice(left, _GIVEN_BACK)):
            # What other workers have given back by now need not be there twice, and what they deny is new here too.
            await self._read_on(history, there, self._denials)
            lacking = Denials()
            for denial, until in page:
                lacking.add(denial, until)
            rows = [_row(denial, until) for denial, until in lacking.beyond(there, self._clock())]
            if rows:
                statement = insert(_table).values(rows)
                await self._connections.run(partial(_execute, statement))
                count += len(rows)
        return count

    async def _ask(self, last: int, watched: Sequence[int], now: int) -> list[Row]:
        """The rows that count with these numbers, and those after the last one: as many as a page has."""
        asked = [*watched, *[last + 1] * (-len(watched) % _ASKED or (0 if watched else _ASKED))]
        values = {f"watched_{place}": number for place, number in enumerate(asked)}
        values |= {"last": last, "now": now, "most": _PAGE}

        async def work(connection: AsyncConnection) -> list[Row]:
            return [Row(*row) for row in (await connection.execute(_reading(len(asked)), values)).all()]

        return await self._connections.run(work, reads=True)

    async def _trial(self, connection: AsyncConnection) -> None:
        """One row's life, to find out what the database does not allow."""
        # Never kept: other workers would hold it for a denial that was lost.
        async with transaction(connection, keep=False):
            row = _row(_TRIAL, int(self._clock()) + _TRIAL_SECONDS)
            await connection.execute(_INSERT, row)
            await connection.execute(select(_columns.number).where(_columns.number == 0))
            await connection.execute(update(_table).values(until=0).where(_columns.mark == row["mark"]))
            await connection.execute(delete(_table).where(_columns.mark == row["mark"]))


async def _execute(statement: Executable, connection: AsyncConnection) -> None:
    await connection.execute(statement)


def _row(denial: str, until: int) -> dict[str, Any]:
    return {"denial": denial, "until": until, "mark": secrets.randbits(_MARK_BITS)}
