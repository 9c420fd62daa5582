"""Where stores and revocations of every kind are kept in the tests of their contract."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import create_async_engine

from fastsession.stores import create_tables
from tests.stores.conftest import client_of

SQL_HOMES = ["sqlite", "asyncpg", "psycopg", "function", "engine", "mariadb"]


def in_redis(kind, fixture, make):
    """What makes a backend on a client of this kind, which ends with it."""

    @asynccontextmanager
    async def made():
        async with client_of(kind, fixture) as client:
            backend = make(client, prefix=fixture("prefix"))
            yield backend
            await backend.stop()

    return made


def in_database(kind, fixture, make):
    """What makes a backend on a database of this kind, which is empty."""
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{fixture('tmp_path')}/shop.db"
        asyncio.run(create_tables(url))
        return lambda: make(url)
    server = fixture("mariadb" if kind == "mariadb" else "postgres")
    server.empty()
    if kind == "function":
        return lambda: make(lambda: create_async_engine(server.url()))
    if kind == "engine":
        return lambda: on_own_engine(server.url(), make)
    return lambda: make(server.url(kind) if kind in server.drivers else server.url())


@asynccontextmanager
async def on_own_engine(url, make):
    """On an engine as an application has it, with transactions, which is its own to end."""
    engine = create_async_engine(url)
    backend = make(engine)
    yield backend
    await backend.stop()
    await engine.dispose()
