"""A worker that starts late reads everything that was denied before, however much that is."""

import sqlite3

import pytest

from fastsession.stores import RedisRevocations, SQLiteRevocations
from fastsession.stores.redis_denial_scripts import DENY
from fastsession.stores.redis_revocations import _values
from tests.processes import PATIENCE
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("count", [1999, 2000, 2001, 4000])
async def test_every_denial_in_a_file_is_known_after_the_start(tmp_path, count, later):
    path = tmp_path / "revocations.db"
    first, late = (SQLiteRevocations(path, timeout=PATIENCE) for _ in range(2))
    await first.start()
    await first.stop()
    with sqlite3.connect(path) as connection:
        rows = [(f"s{number:016x}", later) for number in range(count)]
        connection.executemany("INSERT INTO denials (denial, until) VALUES (?, ?)", rows)
    connection.close()
    await late.start()
    denied = [late.denied(f"{number:016x}{0:016x}", None, 0) for number in range(count)]
    await late.stop()
    assert all(denied)


@pytest.mark.parametrize("count", [998, 999, 1000, 2500])
async def test_every_denial_that_others_have_made_at_once_is_known(redis_server, prefix, count, later):
    """As many as another worker gives back to a server that has lost them."""
    first, second = (RedisRevocations(redis_server.url, prefix=prefix, timeout=PATIENCE) for _ in range(2))
    told = []
    for worker in (first, second):
        worker.tell_to(told.append)
        await worker.start()
    await first.deny_session("0" * 32, until=later)
    await eventually(lambda: second.denied("0" * 32, None, 0))
    denials = [(f"s{number:016x}", later) for number in range(1, count + 1)]
    await first._redis.run(DENY, first._keys, *_values(denials))
    sessions = [f"{number:016x}{0:016x}" for number in range(1, count + 1)]
    for worker in (first, second):
        await eventually(lambda worker=worker: all(worker.denied(session, None, 0) for session in sessions))
        await worker.stop()
    assert told == []
