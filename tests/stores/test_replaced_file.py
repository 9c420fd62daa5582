"""SQLite files that others put in the place of those that are open, and who may read them."""

import asyncio
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
    # It may be the other worker that gives it back.
    await eventually(lambda: late.denied(token_hex(16), "aa", 49), within=PATIENCE)
    for worker in (first, second, late):
        await worker.stop()


@pytest.mark.parametrize("is_started", [True, False])
async def test_what_a_file_had_lost_is_told_with_the_number_that_it_lacked(tmp_path, is_started):
    """Also by a worker that has denied before it began to follow."""
    path, told = tmp_path / "revocations.db", []
    worker = SQLiteRevocations(path, timeout=PATIENCE)
    worker.tell_to(told.append)
    if is_started:
        await worker.start()
    sessions = [token_hex(16) for _ in range(5)]
    for session in sessions:
        await worker.deny_session(session, until=later())
    other = SQLiteRevocations(tmp_path / "other.db", timeout=PATIENCE)
    await other.start()
    for session in sessions[:2]:
        await other.deny_session(session, until=later())
    await other.stop()
    # While no one follows: whoever found no file would make one.
    await worker.stop()
    remove(path)
    (tmp_path / "other.db").replace(path)
    await worker.start()
    await eventually(lambda: told, within=PATIENCE)
    late = SQLiteRevocations(path, timeout=PATIENCE)
    late.tell_to(told.append)
    await late.start()
    assert all(late.denied(session, None, 0) for session in sessions)
    for each in (worker, late):
        await each.stop()
    assert told == ["the file had lost denials; this worker has given 3 back"]


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


async def told_at_a_start(path, workers=1, **options):
    """What some workers told that started at the same time, and whom one of them denies: old sessions, new ones."""
    made, told = [SQLiteRevocations(path, **options) for _ in range(workers)], []
    for worker in made:
        worker.tell_to(told.append)
    await asyncio.gather(*(worker.start() for worker in made))
    denied = {tuple(worker.denied(token_hex(16), None, at) for at in (1, int(time.time()) + 60)) for worker in made}
    for worker in made:
        await worker.stop()
    [answer] = denied
    return len(told), answer


async def test_a_file_that_was_lost_with_all_workers_signs_everyone_out_if_it_is_to(tmp_path):
    path = tmp_path / "revocations.db"
    assert await told_at_a_start(path) == (0, (False, False))
    assert await told_at_a_start(path, on_lost="sign_out") == (0, (False, False))
    remove(path)
    assert await told_at_a_start(path, workers=4, on_lost="sign_out") == (1, (True, False))
    assert await told_at_a_start(path, on_lost="sign_out") == (0, (True, False))
    remove(path)
    assert await told_at_a_start(path, on_lost="accept") == (1, (False, False))


async def test_a_file_that_was_lost_while_a_worker_runs_gets_its_denials_back(tmp_path):
    path, session, told = tmp_path / "revocations.db", token_hex(16), []
    worker = SQLiteRevocations(path, on_lost="sign_out")
    await worker.start()
    worker.tell_to(told.append)
    await worker.deny_session(session, until=later())
    remove(path)
    await eventually(lambda: told, within=PATIENCE)
    assert "has given 2 back" in told[0]
    assert not worker.denied(token_hex(16), None, int(time.time()) + 60)
    await worker.stop()
    assert await told_at_a_start(path, on_lost="sign_out") == (0, (True, False))
