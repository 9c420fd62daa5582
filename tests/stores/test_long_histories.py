"""A worker that starts late reads everything that was denied before, however much that is."""

import sqlite3

import pytest

from fastsession.stores import SQLiteRevocations
from tests.processes import PATIENCE

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
