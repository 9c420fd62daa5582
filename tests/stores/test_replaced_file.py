"""SQLite files that others put in the place of those that are open, and who may read them."""

import os
import shutil
import stat
import time
from secrets import token_hex

import pytest

from fastsession.stores import Record, SQLiteRevocations, SQLiteStore
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

PATIENCE = 20


def later():
    return int(time.time()) + 600


def remove(path):
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def replace_by_an_empty_one(path):
    other = path.with_name("other.db")
    other.touch()
    other.replace(path)


def restore_a_backup(path):
    shutil.copy(path, path.with_name("backup.db"))
    path.with_name("backup.db").replace(path)


@pytest.mark.parametrize("how", [remove, replace_by_an_empty_one, restore_a_backup])
async def test_denials_of_a_file_that_was_replaced_are_given_back_and_workers_go_on_together(tmp_path, how):
    path = tmp_path / "revocations.db"
    first, second = SQLiteRevocations(path), SQLiteRevocations(path)
    await first.start()
    await second.start()
    before = [token_hex(16) for _ in range(5)]
    for session in before:
        await first.deny_session(session, until=later())
    await first.deny_owner("aa", before=50, until=later())
    await eventually(lambda: all(second.denied(session, None, 0) for session in before), within=PATIENCE)
    how(path)
    after = [token_hex(16) for _ in range(2)]
    await first.deny_session(after[0], until=later())
    await second.deny_session(after[1], until=later())
    for worker in (first, second):
        await eventually(
            lambda worker=worker: all(worker.denied(session, None, 0) for session in after), within=PATIENCE
        )
    late = SQLiteRevocations(path)
    await late.start()
    await eventually(lambda: all(late.denied(each, None, 0) for each in [*before, *after]), within=PATIENCE)
    assert late.denied(token_hex(16), "aa", 49)
    for worker in (first, second, late):
        await worker.stop()


async def test_a_store_goes_on_with_the_file_that_is_there(tmp_path):
    path = tmp_path / "sessions.db"
    first, second = SQLiteStore(path), SQLiteStore(path)
    await first.create("aa", b"sealed", expires_at=later(), owner=None)
    assert await second.read("aa") == Record(b"sealed", 1)
    replace_by_an_empty_one(path)
    await first.create("bb", b"new", expires_at=later(), owner=None)
    assert await second.read("bb") == Record(b"new", 1)
    assert await second.read("aa") is None
    await first.stop()
    await second.stop()


@pytest.mark.parametrize("kind", [SQLiteStore, SQLiteRevocations])
async def test_only_its_owner_may_read_a_file_that_was_made_and_another_is_left_as_it_is(tmp_path, kind):
    umask = os.umask(0)
    try:
        made, given = tmp_path / "made.db", tmp_path / "given.db"
        given.touch(mode=0o640)
        for path in (made, given):
            opened = kind(path)
            await opened.start()
            mode = 0o600 if path is made else 0o640
            for file in tmp_path.glob(f"{path.name}*"):
                assert stat.S_IMODE(file.stat().st_mode) == mode, file
            await opened.stop()
    finally:
        os.umask(umask)
