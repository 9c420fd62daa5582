"""URLs in the types that an application's settings have (pydantic-settings): `RedisDsn`, `PostgresDsn`, `SecretStr`."""

import time
from secrets import token_hex

import pytest
from pydantic import AnyUrl, PostgresDsn, RedisDsn, SecretStr

from fastsession import ConfigurationError
from fastsession.stores import (
    Record,
    RedisRevocations,
    RedisStore,
    SQLAlchemyRevocations,
    SQLAlchemyStore,
    create_tables,
)

pytestmark = pytest.mark.anyio

URLS = [str, SecretStr, AnyUrl]


async def keeps_a_record(store):
    key = token_hex(16)
    await store.start()
    try:
        await store.create(key, b"sealed", expires_at=int(time.time()) + 600, owner=None)
        return isinstance(await store.read(key), Record)
    finally:
        await store.stop()


@pytest.mark.parametrize("kind", [*URLS, RedisDsn])
async def test_a_redis_is_found_by_a_url_of_any_type(kind, redis_server, prefix):
    assert await keeps_a_record(RedisStore(kind(redis_server.url), prefix=prefix))
    revocations = RedisRevocations(kind(redis_server.url), prefix=prefix)
    await revocations.start()
    await revocations.stop()


@pytest.mark.parametrize("kind", URLS)
async def test_a_database_is_found_by_a_url_of_any_type(kind, tmp_path):
    url = kind(f"sqlite+aiosqlite:///{tmp_path}/sessions.db")
    await create_tables(url)
    assert await keeps_a_record(SQLAlchemyStore(url))


@pytest.mark.parametrize("kind", [SQLAlchemyStore, SQLAlchemyRevocations])
def test_a_postgres_dsn_is_taken_and_one_without_an_asyncio_driver_refused(kind):
    kind(PostgresDsn("postgresql+asyncpg://shop:password@localhost/shop"))
    with pytest.raises(ConfigurationError, match="asyncio driver"):
        kind(PostgresDsn("postgresql+pg8000://shop:password@localhost/shop"))
