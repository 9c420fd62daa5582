"""Session data in a SQL database that the application has anyway, by SQLAlchemy's asyncio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from secrets import token_hex
from typing import Any

from sqlalchemy import Executable, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from fastsession.errors import StoreUnavailableError
from fastsession.stores.contract import Page, Record
from fastsession.stores.server_urls import SettingsUrl
from fastsession.stores.sqlalchemy_checks import prepare
from fastsession.stores.sqlalchemy_connections import SQLAlchemyConnections, transaction
from fastsession.stores.sqlalchemy_engines import EngineSource
from fastsession.stores.sqlalchemy_statements import PAGE, PAGE_SIZE, SessionStatements, session_statements
from fastsession.stores.sqlalchemy_sweep import Sweep, changed
from fastsession.stores.sqlalchemy_tables import sessions_table

_TRIAL_SECONDS = 60
# No record's key: those are hex digits.
_SWEEPER = "sweeper"

_logger = logging.getLogger("fastsession")


class SQLAlchemyStore:
    """A `SessionStore` in PostgreSQL 13 or later, MariaDB, MySQL 8 or SQLite.

    Takes a URL with an asyncio driver (`postgresql+asyncpg://`), an `AsyncEngine` of your application, or a function
    that makes one, called once in every event loop. `create_tables` or `add_tables` makes the table. Every operation,
    or page of one, is answered within `timeout` seconds, whatever the engine's own limits are. With a URL, at most
    `max_connections` connections are open.
    """

    def __init__(
        self,
        source: EngineSource | SettingsUrl,
        *,
        timeout: float = 0.25,
        max_connections: int = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connections = SQLAlchemyConnections(source, timeout=timeout, connections=max_connections)
        self._clock = clock
        table = sessions_table(MetaData())
        lease = {"key": _SWEEPER, "data": b"", "version": 1}
        self._sweep = Sweep(self._connections, table, key=table.c.key, expiry=table.c.expires_at, lease=lease)

    async def start(self) -> None:
        """Try the table out; raises `ConfigurationError` for a refused password, a missing table or permission.

        A database that cannot be reached is logged, and reached by later calls.
        """
        try:
            await prepare(self._connections, type(self).__name__, self._trial)
        except StoreUnavailableError as error:
            _logger.warning("%s", error)

    async def stop(self) -> None:
        """Close the connections, unless the engine was given."""
        await self._sweep.stop()
        await self._connections.close()

    async def read(self, key: str) -> Record | None:
        """The record."""
        values = {"p_key": key, "p_now": self._now()}

        async def work(connection: AsyncConnection) -> Record | None:
            row = (await connection.execute(self._statements.read, values)).first()
            return None if row is None else Record(bytes(row.data), row.version)

        return await self._connections.run(work, reads=True)

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record."""
        statement = self._statements.create
        values = {"p_key": key, "p_data": data, "p_expires_at": expires_at, "p_owner": owner}
        await self._connections.run(lambda connection: connection.execute(statement, values))
        self._sweep.begin_if_due(self._now())

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put a new record in place of the one with this version."""
        return await self._changes(
            self._statements.replace, key=key, data=data, version=version, expires_at=expires_at, owner=owner
        )

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
        statements, new = self._statements, {"p_key": key, "p_data": data, "p_expires_at": expires_at, "p_owner": owner}
        noted = {"p_old": old, "p_version": version, "p_note": note, "p_note_until": note_until, "p_now": self._now()}

        async def work(connection: AsyncConnection) -> bool:
            if statements.supersede is not None:
                return (await connection.execute(statements.supersede, new | noted)).first() is not None
            async with transaction(connection):
                found = await changed(connection, statements.put_note, noted) > 0
                if found:
                    await connection.execute(statements.create, new)
            return found

        return await self._connections.run(work)

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry."""
        return await self._changes(self._statements.touch, key=key, expires_at=expires_at)

    async def delete(self, key: str) -> bool:
        """End the record."""
        return await self._changes(self._statements.delete, key=key)

    async def owned(self, owner: str, *, after: str | None = None) -> Page:
        """Some of the owner's live records, in the order of their keys."""
        values = {"p_owner": owner, "p_after": after or "", "p_now": self._now()}

        async def work(connection: AsyncConnection) -> Page:
            rows = (await connection.execute(self._statements.page, values)).all()
            records = {str(row.key): Record(bytes(row.data), row.version) for row in rows}
            is_full = len(records) == PAGE or sum(len(record.data) for record in records.values()) >= PAGE_SIZE
            return Page(records, rows[-1].key if is_full else None)

        return await self._connections.run(work, reads=True)

    async def end_owned(self, owner: str, *, keep: Collection[str] = ()) -> None:
        """End the owner's records, a page after the other."""
        after: str | None = ""
        while after is not None:
            after = await self._end_page({"p_owner": owner, "p_after": after, "p_keep": [*keep]})

    async def _end_page(self, values: Mapping[str, Any]) -> str | None:
        """End some of the owner's records, and return the key to go on after, if there are more."""

        async def work(connection: AsyncConnection) -> str | None:
            statements = self._statements
            asked = {name: value for name, value in values.items() if name != "p_keep"}
            last: str | None = (await connection.execute(statements.page_end, asked)).scalar()
            if last is None:
                await connection.execute(statements.end_rest, values)
            else:
                await connection.execute(statements.end_page, {**values, "p_last": last})
            return last

        return await self._connections.run(work)

    async def _changes(self, statement: Executable, **values: Any) -> bool:
        """Run a statement; return whether it changed a record."""
        named = {f"p_{name}": value for name, value in values.items()} | {"p_now": self._now()}
        return await self._connections.run(lambda connection: changed(connection, statement, named)) > 0

    async def _trial(self, connection: AsyncConnection) -> None:
        """One record's life, to find out what the database does not allow."""
        now, statements = self._now(), self._statements
        values = {
            "p_key": token_hex(16),
            "p_owner": token_hex(16),
            "p_data": b"",
            "p_version": 1,
            "p_expires_at": now + _TRIAL_SECONDS,
            "p_now": now,
        }
        for statement in (statements.create, statements.read, statements.replace, statements.delete):
            await connection.execute(statement, values)

    @property
    def _statements(self) -> SessionStatements:
        return session_statements(self._connections.dialect)

    def _now(self) -> int:
        """The second that has begun: a whole number is later than it if and only if it is later than now."""
        return int(self._clock())
