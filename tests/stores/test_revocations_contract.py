"""All revocations pass the suite that is there for those of others."""

from functools import partial

import pytest

from fastsession.stores import MemoryRevocations, RedisRevocations, SQLAlchemyRevocations, SQLiteRevocations
from fastsession.testing.stores import RevocationsContract
from tests.processes import PATIENCE
from tests.stores.conftest import KINDS_OF_REDIS
from tests.stores.homes import SQL_HOMES, in_database, in_redis


class TestMemoryRevocations(RevocationsContract):
    is_shared = False

    @pytest.fixture
    def make(self):
        return MemoryRevocations


class TestSQLiteRevocations(RevocationsContract):
    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SQLiteRevocations(tmp_path / "revocations.db", timeout=PATIENCE)


class TestRedisRevocations(RevocationsContract):
    @pytest.fixture(params=KINDS_OF_REDIS)
    def make(self, request):
        return in_redis(request.param, request.getfixturevalue, partial(RedisRevocations, timeout=PATIENCE))


class TestSQLAlchemyRevocations(RevocationsContract):
    @pytest.fixture(params=SQL_HOMES)
    def make(self, request):
        return in_database(request.param, request.getfixturevalue, partial(SQLAlchemyRevocations, timeout=PATIENCE))
