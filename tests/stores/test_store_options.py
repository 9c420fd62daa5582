"""What a store or revocations are told in numbers."""

from datetime import timedelta

import pytest

from fastsession import ConfigurationError
from fastsession.stores import (
    RedisRevocations,
    RedisStore,
    SQLAlchemyRevocations,
    SQLAlchemyStore,
    SQLiteRevocations,
    SQLiteStore,
)

REDIS, FILE, SQL = "redis://localhost", "sessions.db", "sqlite+aiosqlite:///sessions.db"
STORES = {RedisStore: REDIS, SQLiteStore: FILE, SQLAlchemyStore: SQL}
REVOCATIONS = {RedisRevocations: REDIS, SQLiteRevocations: FILE, SQLAlchemyRevocations: SQL}
NO_SECONDS = [0, -1, None, "2", True, timedelta(seconds=2), float("nan"), float("inf")]


def named(given):
    return given.__name__ if isinstance(given, type) else repr(given)


@pytest.mark.parametrize("seconds", NO_SECONDS, ids=repr)
@pytest.mark.parametrize(("kind", "place"), [*STORES.items(), *REVOCATIONS.items()], ids=named)
def test_a_time_limit_is_a_number_of_seconds(kind, place, seconds):
    with pytest.raises(ConfigurationError, match="timeout takes a number of seconds"):
        kind(place, timeout=seconds)


@pytest.mark.parametrize("seconds", NO_SECONDS, ids=repr)
@pytest.mark.parametrize(("kind", "place"), REVOCATIONS.items(), ids=named)
def test_the_age_of_what_is_known_is_a_number_of_seconds(kind, place, seconds):
    with pytest.raises(ConfigurationError, match="max_staleness takes a number of seconds"):
        kind(place, max_staleness=seconds)


@pytest.mark.parametrize("number", [-1, None, "1", True, 1.5], ids=repr)
@pytest.mark.parametrize(
    ("kind", "option"),
    [
        *((kind, "max_connections") for kind in (RedisStore, SQLAlchemyStore)),
        *((kind, "replicas") for kind in (RedisStore, RedisRevocations)),
    ],
    ids=named,
)
def test_how_many_there_are_is_a_whole_number(kind, option, number):
    with pytest.raises(ConfigurationError, match=f"{option} takes a whole number"):
        kind(REDIS if kind in (RedisStore, RedisRevocations) else SQL, **{option: number})
