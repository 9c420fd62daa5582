"""Deletes expired rows of a table, a batch at a time, in one worker at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Executable, Table, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastsession.errors import StoreUnavailableError
from fastsession.stores.sqlalchemy_connections import SQLAlchemyConnections

# Seconds: how long the lease of the worker that sweeps is, which is how often somebody does.
LEASE = 60
# Seconds after its expiry for which a row stays: the clocks of workers may differ.
MARGIN = 60
BATCH = 500
# Between two batches, for others; and as many as end long before the lease does.
_PAUSE = 0.05
_MOST_BATCHES = 300


class Sweep:
    """The worker that sweeps has a lease, which is a row of the table under a key that no other row has."""

    def __init__(
        self,
        connections: SQLAlchemyConnections,
        table: Table,
        *,
        key: Column[Any],
        expiry: Column[Any],
        lease: Mapping[str, Any],
    ) -> None:
        self._connections = connections
        self._table = table
        self._key = key
        self._expiry = expiry
        self._lease = lease
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None

    def begin_if_due(self, now: int) -> None:
        """Sweep in the background, if this worker has not tried for a while."""
        if now < self._next:
            return
        self._next = now + LEASE * random.uniform(1, 1.5)  # noqa: S311  (so that workers do not come together)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(now))

    async def stop(self) -> None:
        """End it; the rest is for another time."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self, now: int) -> None:
        try:
            if not await self._take_lease(now):
                return
            for _ in range(_MOST_BATCHES):
                if await self._connections.run(lambda connection: self._delete_batch(connection, now)) < BATCH:
                    return
                await asyncio.sleep(_PAUSE)
        except StoreUnavailableError:
            # Somebody sweeps later.
            return

    async def _take_lease(self, now: int) -> bool:
        """Whether no other worker has it."""
        mine = self._key == self._lease[self._key.name]
        # One that ends later was taken by a clock that is wrong.
        is_free = or_(self._expiry <= now, self._expiry > now + 2 * LEASE)
        until = {self._expiry.name: now + LEASE}
        taken = update(self._table).values(until).where(mine, is_free)
        made = insert(self._table).values({**self._lease, **until})

        async def take(connection: AsyncConnection) -> bool:
            if await changed(connection, taken):
                return True
            if (await connection.execute(select(self._key).where(mine))).first() is not None:
                return False
            try:
                return await changed(connection, made) > 0
            except IntegrityError:
                # Another worker was faster.
                return False

        return await self._connections.run(take)

    async def _delete_batch(self, connection: AsyncConnection, now: int) -> int:
        is_over = and_(self._expiry <= now - MARGIN, self._key != self._lease[self._key.name])
        # In a query of its own: MySQL has no LIMIT in the one that names the rows.
        batch = select(self._key).where(is_over).order_by(self._expiry).limit(BATCH).subquery()
        return await changed(connection, delete(self._table).where(self._key.in_(select(batch.c[self._key.name]))))


async def changed(connection: AsyncConnection, statement: Executable, values: Mapping[str, Any] | None = None) -> int:
    """How many rows the statement has changed."""
    result = await connection.execute(statement, values)
    return cast("CursorResult[Any]", result).rowcount
