"""The two tables of sessions and denials in a SQL database, for Alembic or made directly."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import URL, BigInteger, Column, Identity, Index, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARCHAR
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeEngine

from fastsession.stores.server_urls import SettingsUrl, url_in
from fastsession.stores.sqlalchemy_engines import EngineSource, engine_at

SESSIONS = "fastsession_sessions"
DENIALS = "fastsession_denials"
OWNER_INDEX = f"{SESSIONS}_owner"
# Names are at most 32 hex digits, denials a letter, a time and a name.
_NAME_LENGTH = 64
_MOST_TRIES = 3
# Seconds that they may take.
_CREATING = 5.0


def add_tables(metadata: MetaData) -> MetaData:
    """Declare the tables in your application's metadata, where Alembic's `--autogenerate` finds them."""
    sessions_table(metadata)
    denials_table(metadata)
    return metadata


async def create_tables(source: EngineSource | SettingsUrl) -> None:
    """Make the tables that are missing, as a user that may: once, when the application is deployed.

    Workers that do so at the same time do not get into each other's way. Raises what the driver raises.
    """
    metadata = add_tables(MetaData())
    given: EngineSource = url_in(source)
    if isinstance(given, AsyncEngine):
        await _create(given, metadata)
        return
    engine = engine_at(given, 1, timeout=_CREATING) if isinstance(given, str | URL) else given()
    try:
        await _create(engine, metadata)
    finally:
        await engine.dispose()


async def _create(engine: AsyncEngine, metadata: MetaData) -> None:
    for _ in range(_MOST_TRIES - 1):
        # Another worker may have made them since they were looked for.
        with suppress(DBAPIError):
            await _make_missing(engine, metadata)
            return
    await _make_missing(engine, metadata)


async def _make_missing(engine: AsyncEngine, metadata: MetaData) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


def sessions_table(metadata: MetaData) -> Table:
    """The table of `SQLAlchemyStore`."""
    if SESSIONS in metadata.tables:
        return metadata.tables[SESSIONS]
    table = Table(
        SESSIONS,
        metadata,
        Column("key", _text(), primary_key=True),
        # Of up to 16 MB: a record is at most some 4 MB.
        Column("data", LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("owner", _text(), nullable=True),
    )
    has_owner = table.c.owner.is_not(None)
    # Sessions of visitors, who are the most, are not in this index where the database can leave them out.
    Index(OWNER_INDEX, table.c.owner, table.c.key, postgresql_where=has_owner, sqlite_where=has_owner)
    Index(f"{SESSIONS}_expiry", table.c.expires_at)
    return table


def denials_table(metadata: MetaData) -> Table:
    """The table of `SQLAlchemyRevocations`, to which denials are only ever added until they have expired."""
    if DENIALS in metadata.tables:
        return metadata.tables[DENIALS]
    table = Table(
        DENIALS,
        metadata,
        # An identity needs no permission besides the table's own; AUTOINCREMENT: SQLite never gives a number twice.
        Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
        Column("denial", _text(), nullable=False),
        Column("until", BigInteger, nullable=False),
        # Random. A number can be given twice: by a database that was restored, or by a replica that took over.
        Column("mark", BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    Index(f"{DENIALS}_expiry", table.c.until)
    return table


def _text() -> TypeEngine[str]:
    """Compared byte by byte, also where the database's default is to ignore case."""
    exact = VARCHAR(_NAME_LENGTH, charset="ascii", collation="ascii_bin")
    return String(_NAME_LENGTH).with_variant(exact, "mysql", "mariadb")
