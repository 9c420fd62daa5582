"""Every store passes the suite that is there for stores of others."""

from functools import partial

import pytest

from fastsession.stores import MemoryStore, RedisStore, SQLAlchemyStore, SQLiteStore
from fastsession.testing.stores import StoreContract
from tests.processes import PATIENCE
from tests.stores.conftest import KINDS_OF_REDIS
from tests.stores.homes import SQL_HOMES, in_database, in_redis


class TestMemoryStore(StoreContract):
    is_shared = False

    @pytest.fixture
    def make(self):
        return MemoryStore


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SQLiteStore(tmp_path / "sessions.db", timeout=PATIENCE)


class TestRedisStore(StoreContract):
    @pytest.fixture(params=KINDS_OF_REDIS)
    def make(self, request):
        return in_redis(request.param, request.getfixturevalue, partial(RedisStore, timeout=PATIENCE))


class TestSQLAlchemyStore(StoreContract):
    @pytest.fixture(params=SQL_HOMES)
    def make(self, request):
        return in_database(request.param, request.getfixturevalue, partial(SQLAlchemyStore, timeout=PATIENCE))
