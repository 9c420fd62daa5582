"""SQLAlchemyStore and SQLAlchemyRevocations while a real PostgreSQL is killed, stopped, restarted or refuses."""

import asyncio
import logging
import os
import time
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
from sqlalchemy import event
from sqlalchemy.exc import InvalidRequestError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import Record, SQLAlchemyRevocations, SQLAlchemyStore, create_tables, sqlalchemy_checks
from fastsession.stores.sqlalchemy_faults import cause
from fastsession.stores.sqlalchemy_tables import DENIALS, SESSIONS
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.stores import database_server
from tests.stores.waiting import eventually, until_it_works

pytestmark = pytest.mark.anyio

# Seconds for an answer, and what the machine may add.
ANSWER = 0.25 + 0.25
KINDS = [SQLAlchemyStore, SQLAlchemyRevocations]


def later():
    return int(time.time()) + 600


@pytest.fixture(scope="module")
def server():
    with database_server.running(database_server.PostgresServer) as server:
        server.create_tables()
        yield server


@asynccontextmanager
async def started(*backends):
    for backend in backends:
        await backend.start()
    try:
        yield backends
    finally:
        for backend in backends:
            await backend.stop()


def every_operation(store, key):
    return [
        store.read(key),
        store.create(token_hex(16), b"new", expires_at=later(), owner="aa"),
        store.replace(key, b"new", version=1, expires_at=later(), owner="aa"),
        store.touch(key, expires_at=later()),
        store.delete(key),
        store.owned("aa"),
        store.end_owned("bb"),
    ]


async def slowest_refusal(operations):
    """Run all at a time; each must be refused. Seconds of the slowest, in which this process could run."""
    with ProcessClock() as clock:
        outcomes = await asyncio.gather(*operations, return_exceptions=True)
        seconds = clock.seconds
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailableError}, outcomes
    return seconds


async def read_again(store, key):
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await store.read(key)
            except StoreUnavailableError:
                await asyncio.sleep(0.01)


async def longest_pause(stop):
    """Seconds for which the event loop did not come round, in which this process could run."""
    longest = 0.0
    with ProcessClock() as clock:
        while not stop.is_set():
            before = clock.seconds
            await asyncio.sleep(0.002)
            longest = max(longest, clock.seconds - before)
    return longest


@pytest.mark.parametrize("driver", database_server.PostgresServer.drivers)
async def test_killed_every_operation_says_so_in_time_and_a_restart_brings_everything_back(server, driver, figure):
    keys = [token_hex(16) for _ in range(20)]
    async with started(SQLAlchemyStore(server.url(driver)), SQLAlchemyRevocations(server.url(driver))) as (
        store,
        revocations,
    ):
        for key in keys:
            await store.create(key, key.encode(), expires_at=later(), owner=keys[0])
        await revocations.deny_session(keys[0], until=later())
        server.kill()
        slowest = await slowest_refusal([*every_operation(store, keys[0]), *every_operation(store, keys[1])])
        with pytest.raises(StoreUnavailableError):
            await revocations.deny_session(keys[1], until=later())
        assert revocations.denied(keys[0], None, 0)
        server.start()
        assert await read_again(store, keys[0]) == Record(keys[0].encode(), 1)
        assert (await store.owned(keys[0])).records == {key: Record(key.encode(), 1) for key in keys}
    figure(f"{driver}, killed: refused within {slowest * 1000:.0f} ms")
    assert slowest < ANSWER


@pytest.mark.parametrize("driver", database_server.PostgresServer.drivers)
async def test_stopped_every_operation_says_so_in_time_and_the_loop_goes_on(server, driver, figure):
    key, over = token_hex(16), asyncio.Event()
    async with started(SQLAlchemyStore(server.url(driver))) as (store,):
        await store.create(key, b"sealed", expires_at=later(), owner=None)
        pause = asyncio.ensure_future(longest_pause(over))
        server.pause()
        try:
            # Reads only: what a stopped server was sent, it still does when it goes on.
            slowest = max([await slowest_refusal([store.read(key) for _ in range(20)]) for _ in range(6)])
        finally:
            server.resume()
        assert await read_again(store, key) == Record(b"sealed", 1)
        over.set()
        held = await pause
    figure(f"{driver}, stopped: refused within {slowest * 1000:.0f} ms, event loop held for {held * 1000:.0f} ms")
    assert slowest < ANSWER
    assert held < ANSWER / 2


async def test_a_confirmed_denial_or_logout_outlives_the_server_that_was_killed_at_once(server):
    key, session = token_hex(16), token_hex(16)
    async with started(SQLAlchemyStore(server.url()), SQLAlchemyRevocations(server.url())) as (store, revocations):
        await store.create(key, b"sealed", expires_at=later(), owner="aa")
        await store.delete(key)
        await revocations.deny_session(session, until=later())
        server.kill()
    server.start()
    async with started(SQLAlchemyStore(server.url()), SQLAlchemyRevocations(server.url())) as (store, revocations):
        assert await store.read(key) is None
        assert revocations.denied(session, None, 0)


async def test_what_was_denied_while_a_worker_was_cut_off_is_known_when_it_is_back(server):
    session = token_hex(16)
    async with started(SQLAlchemyRevocations(server.url())) as (revocations,):
        server.kill()
        server.start()
        async with started(SQLAlchemyRevocations(server.url())) as (other,):
            await other.deny_session(session, until=later())
        await eventually(lambda: revocations.denied(session, None, 0))


async def test_a_pool_that_the_application_has_used_up_is_told(postgres):
    engine = create_async_engine(postgres.url(), pool_size=1, max_overflow=0)
    async with started(SQLAlchemyStore(engine)) as (store,):
        async with engine.connect():
            with pytest.raises(StoreUnavailableError, match="No connection to the database was free"):
                await store.read(token_hex(16))
        assert await store.read(token_hex(16)) is None
    await engine.dispose()


async def test_given_up_before_a_connection_was_free_a_write_is_never_sent(postgres):
    engine, key = create_async_engine(postgres.url(), pool_size=1, max_overflow=0), token_hex(16)
    async with started(SQLAlchemyStore(engine)) as (store,), engine.connect():
        with pytest.raises(StoreUnavailableError):
            await store.create(key, b"late", expires_at=later(), owner=None)
    await engine.dispose()
    assert postgres.sql(f"SELECT count(*) FROM {SESSIONS} WHERE key = '{key}'") == "0"


async def test_more_requests_than_connections_all_get_their_turn(postgres):
    async with started(SQLAlchemyStore(postgres.url(), max_connections=2, timeout=PATIENCE)) as (store,):
        assert await asyncio.gather(*(store.read(token_hex(16)) for _ in range(200))) == [None] * 200


async def test_a_read_only_database_is_read_and_every_write_refused(postgres, caplog):
    key, owner = token_hex(16), token_hex(16)
    async with started(SQLAlchemyStore(postgres.url(), timeout=PATIENCE)) as (store,):
        await store.create(key, b"sealed", expires_at=later(), owner=owner)
    postgres.sql("ALTER DATABASE shop SET default_transaction_read_only = on")
    try:
        async with started(SQLAlchemyStore(postgres.url(), timeout=PATIENCE)) as (store,):
            assert "read-only transaction" in caplog.text
            assert await store.read(key) == Record(b"sealed", 1)
            with pytest.raises(StoreUnavailableError, match="read-only"):
                await store.delete(key)
    finally:
        postgres.sql("ALTER DATABASE shop RESET default_transaction_read_only", database="postgres")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("server", "driver"),
    [("postgres", "asyncpg"), ("postgres", "psycopg"), ("mariadb", "asyncmy")],
)
async def test_a_wrong_password_is_refused_at_the_start_and_not_repeated(kind, server, driver, request, caplog):
    url = request.getfixturevalue(server).url(driver, password="wrong-horse")
    backend = kind(url)
    with pytest.raises(ConfigurationError, match="refused by the database") as raised:
        await backend.start()
    await backend.stop()
    told = str(raised.value) + caplog.text
    assert "shop" in told
    assert "horse" not in told
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("server", ["postgres", "mariadb"])
async def test_a_database_that_does_not_exist_is_refused_at_the_start(kind, server, request):
    backend = kind(request.getfixturevalue(server).url(database="shopp"))
    with pytest.raises(ConfigurationError, match="shopp"):
        await backend.start()
    await backend.stop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("server", ["postgres", "mariadb", "sqlite"])
async def test_a_missing_table_is_refused_at_the_start_with_the_function_that_makes_it(kind, server, request, tmp_path):
    if server == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    else:
        running = request.getfixturevalue(server)
        database = "postgres" if server == "postgres" else "mysql"
        url = running.url(database=database)
        if server == "mariadb":
            running.sql("GRANT ALL ON mysql.* TO shop@'127.0.0.1'")
    backend = kind(url)
    with pytest.raises(ConfigurationError, match=r"has no table: .*create_tables\(url\)"):
        await backend.start()
    await backend.stop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", ["SELECT", "INSERT", "UPDATE", "DELETE"])
async def test_a_missing_permission_is_refused_at_the_start(kind, missing, postgres):
    user = f"user_{token_hex(4)}"
    granted = ", ".join({"SELECT", "INSERT", "UPDATE", "DELETE"} - {missing})
    postgres.sql(
        f"CREATE ROLE {user} LOGIN PASSWORD '{database_server.PASSWORD}'",
        f"GRANT {granted} ON {SESSIONS}, {DENIALS} TO {user}",
    )
    backend = kind(postgres.url(user=user))
    with pytest.raises(ConfigurationError, match="permission denied for table"):
        await backend.start()
    await backend.stop()


async def test_the_permissions_of_the_page_are_enough(postgres):
    user = f"user_{token_hex(4)}"
    postgres.sql(
        f"CREATE ROLE {user} LOGIN PASSWORD '{database_server.PASSWORD}'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SESSIONS}, {DENIALS} TO {user}",
    )
    url, key = postgres.url(user=user), token_hex(16)
    backends = [kind(url, timeout=PATIENCE) for kind in KINDS]
    async with started(*backends) as (store, revocations):
        await store.create(key, b"sealed", expires_at=later(), owner="aa")
        await revocations.deny_session(key, until=later())
        assert await store.delete(key)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_that_is_away_at_the_start_is_told_and_reached_later(kind, postgres, caplog):
    backend = kind(postgres.url(port=1))
    with caplog.at_level(logging.WARNING, "fastsession"):
        await backend.start()
    await backend.stop()
    assert "cannot use the database yet" in caplog.text
    assert "horse" not in caplog.text


async def test_an_error_never_shows_what_was_to_be_stored(postgres):
    postgres.sql("CREATE DATABASE strict", database="postgres")
    postgres.create_tables("strict")
    postgres.sql(f"ALTER TABLE {SESSIONS} ADD CHECK (owner <> 'aa')", database="strict")
    key, data = token_hex(16), b"sealed-data-of-somebody"
    async with started(SQLAlchemyStore(postgres.url(database="strict"), timeout=PATIENCE)) as (store,):
        with pytest.raises(StoreUnavailableError) as raised:
            await store.create(key, data, expires_at=later(), owner="aa")
    assert "23514" in str(raised.value)
    assert key not in str(raised.value)
    assert "sealed" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_serializable_transactions_that_fail_are_tried_again(postgres):
    postgres.sql("ALTER DATABASE shop SET default_transaction_isolation = serializable")
    key = token_hex(16)
    try:
        async with started(SQLAlchemyStore(postgres.url(), timeout=PATIENCE)) as (store,):
            await store.create(key, b"0", expires_at=later(), owner="aa")
            for version in range(1, 11):
                attempts = [
                    store.replace(key, b"%d" % n, version=version, expires_at=later(), owner="aa") for n in range(10)
                ]
                assert sum(await asyncio.gather(*attempts)) == 1
    finally:
        postgres.sql("ALTER DATABASE shop RESET default_transaction_isolation")


def database_in_conflict(postgres, table, conflicts):
    """A new database that undoes the first inserts into a table, as for another transaction's sake."""
    name = f"conflicts_{token_hex(4)}"
    postgres.sql(f"CREATE DATABASE {name}", database="postgres")
    postgres.create_tables(name)
    postgres.sql(
        # What was taken from a sequence stays so, whatever is undone.
        "CREATE SEQUENCE attempts",
        "CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF nextval('attempts') <= {conflicts} THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; "
        "RETURN NEW; END $$",
        f"CREATE TRIGGER conflict BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION conflict()",
        database=name,
    )
    return name


@pytest.mark.parametrize(("conflicts", "is_done"), [(4, True), (5, False)])
async def test_a_statement_that_is_undone_is_sent_five_times_at_most(postgres, conflicts, is_done):
    name = database_in_conflict(postgres, SESSIONS, conflicts)
    store, key = SQLAlchemyStore(postgres.url(database=name), timeout=PATIENCE), token_hex(16)
    try:
        if is_done:
            await store.create(key, b"sealed", expires_at=later(), owner="aa")
        else:
            with pytest.raises(StoreUnavailableError, match="40001"):
                await store.create(key, b"sealed", expires_at=later(), owner="aa")
            assert postgres.sql("SELECT last_value FROM attempts", database=name) == "5"
        assert (await store.read(key) is not None) is is_done
    finally:
        await store.stop()


@pytest.mark.parametrize(("kind", "table"), [(SQLAlchemyStore, SESSIONS), (SQLAlchemyRevocations, DENIALS)])
async def test_a_trial_at_the_start_that_is_undone_is_tried_again(kind, table, postgres, caplog, monkeypatch):
    monkeypatch.setattr(sqlalchemy_checks, "_STARTING", PATIENCE)
    name = database_in_conflict(postgres, table, 4)
    with caplog.at_level(logging.WARNING, "fastsession"):
        async with started(kind(postgres.url(database=name), timeout=PATIENCE)):
            pass
    assert caplog.text == ""
    assert int(postgres.sql("SELECT last_value FROM attempts", database=name)) >= 5


async def test_a_read_that_is_late_ends_by_itself_and_its_connection_serves_the_next(server):
    engine, made, key = create_async_engine(server.url(), pool_size=1, max_overflow=0), [], token_hex(16)
    event.listen(engine.sync_engine, "connect", lambda *_: made.append(1))
    store = SQLAlchemyStore(engine)
    await until_it_works(lambda: store.create(key, b"sealed", expires_at=later(), owner=None))
    await eventually(store._sweep._task.done)
    made.clear()
    server.pause()
    try:
        with pytest.raises(StoreUnavailableError, match="No answer within"):
            await store.read(key)
    finally:
        server.resume()
    assert await read_again(store, key) == Record(b"sealed", 1)
    assert made == []
    await store.stop()
    await engine.dispose()


@pytest.mark.parametrize("kind", ["url", "function"])
def test_every_event_loop_has_connections_of_its_own(kind, postgres):
    source = postgres.url() if kind == "url" else lambda: create_async_engine(postgres.url())
    store = SQLAlchemyStore(source, timeout=PATIENCE)
    key = token_hex(16)

    async def use():
        async with started(store):
            await asyncio.gather(*(store.read(key) for _ in range(10)))
            return await store.read(key)

    for _ in range(3):
        assert asyncio.run(use()) is None


def test_a_given_engine_that_is_used_in_two_event_loops_is_refused_with_what_to_write(postgres):
    engine = create_async_engine(postgres.url())
    store, loops = SQLAlchemyStore(engine, timeout=PATIENCE), [asyncio.new_event_loop() for _ in range(2)]
    loops[0].run_until_complete(store.read("aa"))
    with pytest.raises(ConfigurationError, match="called once in every event loop"):
        loops[1].run_until_complete(store.read("aa"))
    loops[0].run_until_complete(engine.dispose())
    for loop in loops:
        loop.close()


def test_a_process_and_its_fork_do_not_share_connections(postgres):
    store, key = SQLAlchemyStore(postgres.url(), timeout=PATIENCE), token_hex(16)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(store.create(key, b"sealed", expires_at=later(), owner=None))

    async def read_often():
        return {record.data for record in await asyncio.gather(*(store.read(key) for _ in range(50)))}

    child = os.fork()
    if not child:
        # Whatever happens, this copy of the tests ends here.
        right = False
        try:
            right = asyncio.run(read_often()) == {b"sealed"}
        finally:
            os._exit(0 if right else 1)
    try:
        assert loop.run_until_complete(read_often()) == {b"sealed"}
        assert os.waitpid(child, 0)[1] == 0
        assert loop.run_until_complete(read_often()) == {b"sealed"}
    finally:
        loop.run_until_complete(store.stop())
        loop.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg2://shop:secret-horse@db/shop", "asyncio driver"),
        ("sqlite:////secret-horse/shop.db", "asyncio driver"),
        ("postgresql+nothing://shop:secret-horse@db/shop", "asyncio driver"),
        ("shop:secret-horse@db/shop", "That is no database URL"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_url_that_cannot_work_is_refused_when_it_is_given(kind, url, told):
    with pytest.raises(ConfigurationError, match=told) as raised:
        kind(url)
    assert "horse" not in str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_of_the_function_that_makes_the_engine_is_its_own(kind):
    def broken():
        raise RuntimeError("no settings")

    with pytest.raises(RuntimeError, match="no settings"):
        await kind(broken).start()


def test_a_pool_without_a_free_connection_is_named_as_the_cause():
    assert cause(PoolTimeoutError("QueuePool limit of size 1")) == "no connection of the pool was free"


def test_an_error_of_sqlalchemy_itself_is_named_without_what_it_says():
    assert cause(InvalidRequestError("Can't operate on 'secret-horse'")) == "InvalidRequestError"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["", "/", "/:memory:"])
def test_a_database_in_memory_is_refused_for_it_would_be_another_one_for_each_engine(kind, place):
    with pytest.raises(ConfigurationError, match="MemoryStore"):
        kind(f"sqlite+aiosqlite://{place}")


def test_something_else_than_an_engine_is_refused():
    with pytest.raises(ConfigurationError, match="Give a URL, an AsyncEngine"):
        SQLAlchemyStore(42)


async def test_workers_may_make_the_tables_at_the_same_time(tmp_path, postgres):
    postgres.sql("CREATE DATABASE together", database="postgres")
    await asyncio.gather(*(create_tables(postgres.url(database="together")) for _ in range(4)))
    async with started(SQLAlchemyStore(postgres.url(database="together"), timeout=PATIENCE)) as (store,):
        assert await store.read("aa") is None


async def test_tables_that_the_user_may_not_make_are_told_by_the_database(postgres):
    user, database = f"user_{token_hex(4)}", f"forbidden_{token_hex(4)}"
    postgres.sql(f"CREATE DATABASE {database}", database="postgres")
    postgres.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{database_server.PASSWORD}'")
    postgres.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=database)
    with pytest.raises(ProgrammingError, match="permission denied for schema"):
        await create_tables(postgres.url(user=user, database=database))
