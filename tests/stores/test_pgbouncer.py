"""SQLAlchemyStore and SQLAlchemyRevocations through a real PgBouncer in transaction mode, set up as docs/stores.md says."""

import asyncio
import time
from secrets import token_hex

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from fastsession.stores import SQLAlchemyRevocations, SQLAlchemyStore
from tests.processes import PATIENCE
from tests.stores.pgbouncer import SHARED, pooled
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

SETTINGS = {"asyncpg": {"statement_cache_size": 0}, "psycopg": {"prepare_threshold": None}}
CLIENTS = 6 * SHARED


@pytest.fixture(scope="module")
def pgbouncer(postgres):
    with pooled(postgres) as port:
        yield port


@pytest.fixture(params=SETTINGS)
def engine(request, postgres, pgbouncer):
    """What makes an engine for this driver."""
    url = postgres.url(request.param, port=pgbouncer)
    return lambda: create_async_engine(url, connect_args=SETTINGS[request.param])


def later():
    return int(time.time()) + 600


async def live(store):
    """A session's whole life, with every statement of the store."""
    key, successor, owner = (token_hex(16) for _ in range(3))
    await store.create(key, b"0", expires_at=later(), owner=owner)
    for version in range(1, 5):
        data, owned = b"%d" % version, owner if version % 2 else None
        assert await store.replace(key, data, version=version, expires_at=later(), owner=owned)
        record = await store.read(key)
        assert (record.data, record.version) == (data, version + 1)
        assert await store.touch(key, expires_at=later())
    new = {"expires_at": later(), "owner": owner, "note": b"note", "note_until": later()}
    assert await store.supersede(key, successor, b"new", version=5, **new)
    assert list((await store.owned(owner)).records) == [successor]
    await store.end_owned(owner)
    assert await store.read(successor) is None
    assert not await store.delete(successor)


async def test_many_sessions_live_over_few_connections(engine):
    stores = [SQLAlchemyStore(engine, timeout=PATIENCE) for _ in range(2)]
    for store in stores:
        await store.start()
    for _ in range(3):
        await asyncio.gather(*(live(store) for store in stores for _ in range(CLIENTS)))
    for store in stores:
        await store.stop()


async def test_denials_reach_every_worker_over_few_connections(engine):
    workers, told = [SQLAlchemyRevocations(engine, timeout=PATIENCE) for _ in range(3)], []
    for worker in workers:
        worker.tell_to(told.append)
        await worker.start()
    sessions = [token_hex(16) for _ in range(60)]
    await asyncio.gather(
        *(workers[number % 3].deny_session(name, until=later()) for number, name in enumerate(sessions))
    )
    await eventually(lambda: all(worker.denied(name, None, 0) for worker in workers for name in sessions))
    for worker in workers:
        await worker.stop()
    assert told == []
