"""What is special about SQLAlchemyStore: its table, the database's clock, sweeping, durability, many records."""

import asyncio
import sqlite3
import time
from contextlib import closing
from secrets import token_hex

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from fastsession.stores import (
    Record,
    SQLAlchemyRevocations,
    SQLAlchemyStore,
    add_tables,
    create_tables,
    sqlalchemy_sweep,
)
from fastsession.stores.sqlalchemy_engines import _set_up_sqlite, engine_at
from fastsession.stores.sqlalchemy_sweep import BATCH, LEASE, MARGIN
from fastsession.stores.sqlalchemy_tables import DENIALS, SESSIONS
from fastsession.testing import Clock
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

SERVERS = ["postgres", "mariadb"]
# MariaDB needs ten times as long for as many.
MANY = {"postgresql": 100_000, "mariadb": 20_000}


def later():
    return int(time.time()) + 600


@pytest.fixture(params=SERVERS)
def server(request):
    server = request.getfixturevalue(request.param)
    server.empty()
    return server


@pytest.fixture
def recorded():
    """Statements that engines have sent, by engine."""
    sent = {}

    def engine_at(url):
        engine = create_async_engine(url)
        statements = sent.setdefault(engine, [])
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        return engine

    return engine_at, sent


@pytest.fixture(scope="module")
def witness(postgres):
    """A database that writes down at every commit whether PostgreSQL is going to wait for its disk."""
    postgres.sql("CREATE DATABASE witness", database="postgres")
    postgres.create_tables("witness")
    postgres.sql(
        "CREATE TABLE seen (setting text)",
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END$$",
        f"CREATE CONSTRAINT TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON {SESSIONS} "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see()",
        database="witness",
    )
    return postgres


async def test_the_tables_of_add_tables_are_those_of_create_tables_for_alembic(server):
    driver = "postgresql+psycopg" if server.name == "postgresql" else "mysql+pymysql"
    engine = create_engine(driver + server.url()[server.url().index("://") :])
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, add_tables(MetaData())) == []
        missing = compare_metadata(MigrationContext.configure(connection), MetaData())
    engine.dispose()
    assert {entry[1].name for entry in missing if entry[0] == "remove_table"} == {SESSIONS, DENIALS}


def test_the_tables_may_be_added_to_the_metadata_of_the_application_again():
    metadata = MetaData()
    assert add_tables(add_tables(metadata)) is metadata
    assert set(metadata.tables) == {SESSIONS, DENIALS}


async def test_making_the_tables_again_keeps_what_is_in_them(server):
    store, key = SQLAlchemyStore(server.url(), timeout=PATIENCE), token_hex(16)
    await store.create(key, b"sealed", expires_at=later(), owner=None)
    engine = create_async_engine(server.url())
    await create_tables(engine)
    await create_tables(lambda: create_async_engine(server.url()))
    await engine.dispose()
    assert await store.read(key) is not None
    await store.stop()


@pytest.mark.parametrize("years", [-10, 10])
async def test_the_clock_of_the_database_decides_nothing(server, years):
    clock = Clock(time.time() + years * 365 * 86400)
    store, key = SQLAlchemyStore(server.url(), timeout=PATIENCE, clock=clock), token_hex(16)
    await store.create(key, b"sealed", expires_at=int(clock()) + 60, owner="aa")
    clock.advance(59)
    assert await store.read(key) is not None
    assert (await store.owned("aa")).records
    assert await store.touch(key, expires_at=int(clock()) + 60) is True
    clock.advance(60.5)
    assert await store.read(key) is None
    assert await store.delete(key) is False
    assert not (await store.owned("aa")).records
    await store.stop()


async def test_an_operation_is_one_statement(server, recorded):
    engine_at, sent = recorded
    engine = engine_at(server.url())
    store, keys = SQLAlchemyStore(engine, timeout=PATIENCE), [token_hex(16) for _ in range(2)]
    await store.create(keys[0], b"sealed", expires_at=later(), owner="aa")
    await eventually(store._sweep._task.done)
    counts = {}
    for name, operation in {
        "read": lambda: store.read(keys[0]),
        "replace": lambda: store.replace(keys[0], b"new", version=1, expires_at=later(), owner="aa"),
        "touch": lambda: store.touch(keys[0], expires_at=later()),
        "owned": lambda: store.owned("aa"),
        "supersede": lambda: store.supersede(
            keys[0], keys[1], b"new", version=2, expires_at=later(), owner="aa", note=b"", note_until=later()
        ),
        "delete": lambda: store.delete(keys[1]),
    }.items():
        sent[engine].clear()
        await operation()
        counts[name] = len(sent[engine])
    await store.stop()
    await engine.dispose()
    # MariaDB has no statement that writes to two rows in the way that is needed: a transaction of four.
    several = {"supersede": 4} if server.name == "mariadb" else {}
    assert counts == {name: several.get(name, 1) for name in counts}


def fill(server, count, *, owner, expires_at):
    """Records made by the database, which is quicker."""
    numbers = {"postgresql": f"generate_series(1, {count}) AS seq", "mariadb": f"seq_1_to_{count}"}[server.name]
    server.sql(
        f"INSERT INTO {SESSIONS} SELECT md5(concat('{owner}', seq)), '', 1, {expires_at}, '{owner}' FROM {numbers}"
    )


def count(server, table=SESSIONS):
    return int(server.sql(f"SELECT count(*) FROM {table}"))


async def test_expired_rows_are_deleted_in_batches_by_one_worker(server, recorded):
    engine_at, sent = recorded
    now = int(time.time())
    fill(server, 2300, owner="expired", expires_at=now - MARGIN)
    fill(server, 100, owner="just", expires_at=now - 1)
    stores = [SQLAlchemyStore(engine_at(server.url()), timeout=PATIENCE) for _ in range(4)]
    await asyncio.gather(*(store.create(token_hex(16), b"", expires_at=later(), owner=None) for store in stores))
    await eventually(lambda: all(store._sweep._task.done() for store in stores))
    deletes = [sum(statement.startswith("DELETE") for statement in statements) for statements in sent.values()]
    for store in stores:
        await store.stop()
    for engine in sent:
        await engine.dispose()
    assert sorted(deletes) == [0, 0, 0, 5]
    # Theirs, those that other clocks may not have expired, and the lease.
    assert count(server) == 4 + 100 + 1


async def test_the_next_sweep_is_whoevers_turn_comes_first(server):
    clock = Clock()
    stores = [SQLAlchemyStore(server.url(), timeout=PATIENCE, clock=clock) for _ in range(2)]
    for store in stores:
        fill(server, 10, owner=token_hex(4), expires_at=int(clock()) - MARGIN)
        await store.create(token_hex(16), b"", expires_at=int(clock()) + 6000, owner=None)
        await eventually(lambda store=store: store._sweep._task.done())
        clock.advance(2 * LEASE)
    assert count(server) == 2 + 1
    # A worker whose clock was far ahead has taken the lease for too long: nobody waits for it.
    clock.advance(-2 * LEASE - 86400)
    fill(server, 10, owner=token_hex(4), expires_at=int(clock()) - MARGIN)
    behind = SQLAlchemyStore(server.url(), timeout=PATIENCE, clock=clock)
    await behind.create(token_hex(16), b"", expires_at=later(), owner=None)
    await eventually(behind._sweep._task.done)
    assert count(server) == 3 + 1
    for store in (*stores, behind):
        await store.stop()


async def test_a_sweep_ends_after_so_many_batches_and_the_next_one_goes_on(server, monkeypatch):
    monkeypatch.setattr(sqlalchemy_sweep, "_MOST_BATCHES", 2)
    clock = Clock()
    store = SQLAlchemyStore(server.url(), timeout=PATIENCE, clock=clock)
    fill(server, 2 * BATCH + 7, owner="expired", expires_at=int(clock()) - MARGIN)
    for left in (7, 0):
        await store.create(token_hex(16), b"", expires_at=int(clock()) + 6000, owner="live")
        await eventually(store._sweep._task.done)
        assert int(server.sql(f"SELECT count(*) FROM {SESSIONS} WHERE owner = 'expired'")) == left
        clock.advance(2 * LEASE)
    await store.stop()


async def test_a_worker_sweeps_once_at_a_time(server):
    store, now = SQLAlchemyStore(server.url(), timeout=PATIENCE), int(time.time())
    sweep = store._sweep
    sweep.begin_if_due(now)
    first = sweep._task
    # The clock has jumped, or the first one takes so long.
    sweep.begin_if_due(now + 2 * LEASE)
    assert sweep._task is first
    await eventually(first.done)
    sweep.begin_if_due(now + 4 * LEASE)
    assert sweep._task is not first
    await eventually(sweep._task.done)
    await store.stop()


async def test_very_many_records_are_listed_and_ended_without_holding_the_loop(server, figure):
    fill(server, MANY[server.name], owner="aa", expires_at=later())
    store, over = SQLAlchemyStore(server.url(), timeout=PATIENCE), asyncio.Event()
    pause = asyncio.ensure_future(longest_pause(over))
    page = await store.owned("aa")
    seen, kept = len(page.records), next(iter(page.records))
    while page.after is not None:
        page = await store.owned("aa", after=page.after)
        seen += len(page.records)
    await store.end_owned("aa", keep={kept})
    assert (await store.owned("aa")).records.keys() == {kept}
    over.set()
    held = await pause
    await store.stop()
    figure(f"{server.name}: event loop held for {held * 1000:.0f} ms at most")
    assert seen == MANY[server.name]
    assert held < 0.25


async def longest_pause(over):
    longest = 0.0
    with ProcessClock() as clock:
        while not over.is_set():
            before = clock.seconds
            await asyncio.sleep(0.002)
            longest = max(longest, clock.seconds - before)
    return longest


@pytest.mark.parametrize(
    ("operation", "waits"),
    [
        ("visitor", True),
        ("touch", False),
        ("write", False),
        ("sign in without a new id", True),
        ("sign in", True),
        ("supersede", True),
        ("log out", True),
        ("end all", True),
    ],
)
async def test_postgresql_answers_before_it_has_written_where_nobody_is_signed_in_or_out(witness, operation, waits):
    store, key, new = SQLAlchemyStore(witness.url(database="witness"), timeout=PATIENCE), token_hex(16), token_hex(16)
    await store.create(key, b"", expires_at=later(), owner="aa")
    await eventually(store._sweep._task.done)
    witness.sql("TRUNCATE seen", database="witness")
    await {
        "visitor": lambda: store.create(new, b"", expires_at=later(), owner=None),
        "touch": lambda: store.touch(key, expires_at=later() + 1),
        "write": lambda: store.replace(key, b"new", version=1, expires_at=later(), owner="aa"),
        "sign in without a new id": lambda: store.replace(key, b"new", version=1, expires_at=later(), owner="bb"),
        "sign in": lambda: store.create(new, b"", expires_at=later(), owner="aa"),
        "supersede": lambda: store.supersede(
            key, new, b"", version=1, expires_at=later(), owner="aa", note=b"", note_until=later()
        ),
        "log out": lambda: store.delete(key),
        "end all": lambda: store.end_owned("aa"),
    }[operation]()
    await store.stop()
    seen = witness.sql("SELECT DISTINCT setting FROM seen", database="witness")
    assert seen == ("on" if waits else "off")


def test_revocations_and_store_may_share_an_engine():
    engine = create_async_engine("sqlite+aiosqlite://")
    SQLAlchemyStore(engine)
    SQLAlchemyRevocations(engine)


PRAGMAS = {"busy_timeout": 200, "journal_mode": "wal", "synchronous": 2}


async def test_sqlite_waits_for_another_process_as_long_as_the_answer_may_take(tmp_path):
    path = tmp_path / "shop.db"
    await create_tables(f"sqlite+aiosqlite:///{path}")
    store, key = SQLAlchemyStore(f"sqlite+aiosqlite:///{path}", timeout=PATIENCE), token_hex(16)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(store.create(key, b"sealed", expires_at=later(), owner=None))
        await asyncio.sleep(0.5)
        other.execute("COMMIT")
    await writing
    assert await store.read(key) == Record(b"sealed", 1)
    await store.stop()


@pytest.mark.parametrize("seconds", [0.25, 5.0, 60.0])
def test_a_connection_of_the_pool_is_waited_for_as_long_as_the_answer_may_take(seconds):
    engine = engine_at("postgresql+asyncpg://localhost/shop", 5, timeout=seconds)
    assert engine.pool.timeout() > seconds


async def test_sqlite_confirms_what_survives_a_power_failure_and_lets_readers_go_on(tmp_path):
    engine = engine_at(f"sqlite+aiosqlite:///{tmp_path}/shop.db", 5, timeout=0.25)
    async with engine.connect() as connection:
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in PRAGMAS}
    await engine.dispose()
    assert found == PRAGMAS


def test_a_connection_of_sqlite_is_set_up_so(tmp_path):
    """As above, where coverage sees it: SQLAlchemy's asyncio runs it in a greenlet."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        _set_up_sqlite(200, connection, None)
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    assert found == PRAGMAS
