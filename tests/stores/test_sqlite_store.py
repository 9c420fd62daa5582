import asyncio
import gc
import sqlite3
from contextlib import closing
from secrets import token_hex

import pytest

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import Record, SQLiteRevocations, SQLiteStore
from fastsession.testing import Clock
from tests.processes import PATIENCE
from tests.stores.waiting import slowest_refusal

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
async def store(path):
    store = SQLiteStore(path, timeout=0.25)
    await store.start()
    yield store
    await store.stop()


async def test_a_store_that_nobody_stops_closes_its_file_when_it_is_dropped(path):
    store = SQLiteStore(path, timeout=PATIENCE)
    await store.read(token_hex(16))
    connection = store._database._connection
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM sessions").fetchone()[0]


async def test_while_another_process_writes_reads_are_answered_and_writes_refused_in_time(store, path, figure, later):
    key = token_hex(16)
    await store.create(key, b"sealed", expires_at=later, owner=None)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert await store.read(key) == Record(b"sealed", 1)
    slowest = await slowest_refusal([store.replace(key, b"new", version=1, expires_at=later, owner=None)])
    figure(f"locked: refused within {slowest * 1000:.0f} ms")
    assert slowest < 0.3
    holder.execute("COMMIT")
    holder.close()
    # What was refused has not happened, and does not happen later.
    assert await store.read(key) == Record(b"sealed", 1)
    assert await store.replace(key, b"new", version=1, expires_at=later, owner=None) is True


@pytest.fixture
def writing(path):
    """Another program that writes to the file, in SQLite's first journal mode."""
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE others (name)")
        holder.execute("BEGIN IMMEDIATE")
        yield holder


async def test_a_file_that_another_program_is_writing_is_opened_when_it_is_done(path, writing):
    store = SQLiteStore(path)
    started = asyncio.create_task(store.start())
    # SQLite refuses at once to switch the journal mode of such a file: the store has tried more than once by then.
    await asyncio.sleep(0.1)
    assert not started.done()
    writing.execute("COMMIT")
    await started
    assert await store.read("aa") is None
    await store.stop()


async def test_a_file_that_another_program_does_not_let_go_is_a_fault_of_the_system(path, writing):
    store = SQLiteStore(path)
    with pytest.raises(StoreUnavailableError):
        await store.start()
    await store.stop()


async def test_what_could_not_begin_in_time_is_not_done_when_the_file_is_open(path, writing, later):
    store, key = SQLiteStore(path, timeout=0.25), token_hex(16)
    with pytest.raises(StoreUnavailableError):
        await store.create(key, b"sealed", expires_at=later, owner=None)
    writing.execute("COMMIT")
    await store.start()
    assert await store.read(key) is None
    await store.stop()


async def test_new_records_push_expired_ones_out_of_the_file(path):
    clock = Clock(1_800_000_000)
    store = SQLiteStore(path, timeout=PATIENCE, clock=clock)
    for _ in range(50):
        await store.create(token_hex(16), b"old", expires_at=1_800_000_010, owner=None)
    clock.advance(11)
    for _ in range(10):
        await store.create(token_hex(16), b"new", expires_at=1_800_000_100, owner=None)
    assert rows(path) == 10
    await store.stop()


async def test_a_record_expires_at_its_second(path):
    clock = Clock(1_800_000_000)
    store = SQLiteStore(path, timeout=PATIENCE, clock=clock)
    await store.create("aa", b"sealed", expires_at=1_800_000_010, owner=None)
    clock.advance(9.9)
    assert await store.read("aa") is not None
    clock.advance(0.1)
    assert await store.read("aa") is None
    await store.stop()


async def test_a_file_that_is_no_database_is_a_fault_of_the_system(path):
    path.write_bytes(b"something else" * 100)
    store = SQLiteStore(path)
    with pytest.raises(StoreUnavailableError):
        await store.start()
    with pytest.raises(StoreUnavailableError):
        await store.read("aa")
    path.unlink()
    assert await store.read("aa") is None
    await store.stop()


async def test_nothing_of_the_data_shows_in_an_error(store, path, later):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE sessions")
    with pytest.raises(StoreUnavailableError) as caught:
        await store.create("a-secret-key", b"some data", expires_at=later, owner="somebody")
    assert not {"secret", "data", "somebody"} & set(str(caught.value).replace("-", " ").split())


@pytest.mark.parametrize("kind", [SQLiteStore, SQLiteRevocations])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        # Another database in each worker: a logout in one would be unknown to the others.
        (":memory:", r"MemoryStore\(\) or MemoryRevocations\(\)"),
        ("", r"MemoryStore\(\) or MemoryRevocations\(\)"),
        ("sqlite:///sessions.db", "path of a file"),
        ("file:sessions.db?mode=memory", "path of a file"),
        ("postgresql://shop:password@db.internal/shop", "path of a file"),
    ],
)
async def test_what_is_no_path_of_a_file_is_refused(kind, path, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        kind(path)
    assert "password" not in str(caught.value)


async def test_a_file_that_cannot_be_made_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "missing" / "sessions.db"
    with pytest.raises(StoreUnavailableError) as caught:
        await SQLiteStore(path).start()
    assert str(path) in str(caught.value)
    assert "its folder has to exist" in str(caught.value)
