"""What a million denied sessions cost, and how soon a denial is in force everywhere.

`python -m tests.stores.measure_revocations [count]`; with `delays` in place of a number the latter only.
"""

import asyncio
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from redis.asyncio import Redis

from fastsession.stores import RedisRevocations, SQLiteRevocations, create_tables
from fastsession.stores.denials import Denials
from tests.stores import database_server, workers
from tests.stores.database_server import MariaDBServer, PostgresServer
from tests.stores.denial_delays import delays_of_denials
from tests.stores.pool import Pool
from tests.stores.redis_server import running

BATCH = 10_000
# Seconds in which a denial has reached every process, at the 99th percentile.
MOST_DELAY = 0.1


def later():
    """The deadline of a session that lasts half a day."""
    return int(time.time()) + 12 * 3600


def names(count, seed):
    made = random.Random(seed)
    return (f"{made.getrandbits(128):032x}" for _ in range(count))


def resident():
    """Bytes of memory this process has."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


def nanoseconds(look_up, sessions):
    """Of one look-up: the processor's time, median of nine rounds, less the loop's own."""
    rounds, until = [], later()
    for _ in range(9):
        begun = time.process_time_ns()
        for session in sessions:
            look_up(session, "somebody", until)
        middle = time.process_time_ns()
        for _ in sessions:
            pass
        rounds.append((middle - begun - (time.process_time_ns() - middle)) / len(sessions))
    return statistics.median(rounds)


def in_memory(count):
    until, before, begun = later(), resident(), time.process_time()
    denials = Denials()
    for name in names(count, 1):
        denials.add(f"s{name[:16]}", until)
    filled = time.process_time() - begun
    print(f"{count:,} denials in memory: {(resident() - before) / 1e6:.1f} MB, added in {filled:.2f} s")
    hits, misses = list(names(20_000, 1)), list(names(20_000, 2))
    print(
        f"look-up: {nanoseconds(denials.denied, misses):.0f} ns not denied, {nanoseconds(denials.denied, hits):.0f} ns denied"
    )
    empty = Denials()
    print(f"look-up among none: {nanoseconds(empty.denied, misses):.0f} ns")
    begun = time.process_time()
    for _ in range(64):
        denials.sweep(until - 1)
    print(f"a sweep over all shelves: {(time.process_time() - begun) * 1000:.1f} ms in 64 parts")


async def fill_redis(client, count):
    batch, until, wanted = {}, later(), names(count, 1)
    for name in wanted:
        batch[f"s{name[:16]}"] = until
        if len(batch) == BATCH:
            await client.zadd("fastsession:{revocations}:denied", batch)
            batch = {}


def fill_sqlite(path, count):
    until = later()
    with sqlite3.connect(path) as connection:
        rows = ((f"s{name[:16]}", until) for name in names(count, 1))
        connection.executemany("INSERT INTO denials (denial, until) VALUES (?, ?)", rows)
    connection.close()


async def longest_pause(stop):
    """Seconds for which the event loop was held up at most."""
    longest, last = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    return longest


async def start_of(revocations, label):
    before, begun, worked, stop = resident(), time.perf_counter(), time.process_time(), asyncio.Event()
    pauses = asyncio.ensure_future(longest_pause(stop))
    await revocations.start()
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    stop.set()
    print(
        f"{label}: snapshot in {seconds:.2f} s ({worked:.2f} s of processor, the probe's included), "
        f"event loop held up for at most {await pauses * 1000:.1f} ms, "
        f"{(resident() - before) / 1e6:.1f} MB more"
    )
    name = next(names(1, 1))
    assert revocations.denied(name, None, later())
    print(f"{label}: look-up {nanoseconds(revocations.denied, list(names(20_000, 2))):.0f} ns not denied")
    await revocations.stop()


async def snapshots(directory, count):
    with running(directory / "redis", "--save", "") as server:
        async with Redis(port=server.port) as client:
            before = (await client.info("memory"))["used_memory"]
            await fill_redis(client, count)
            used = (await client.info("memory"))["used_memory"] - before
        print(f"Redis: {used / 1e6:.0f} MB")
        await start_of(RedisRevocations(server.url), "Redis")
    path = directory / "revocations.db"
    made = SQLiteRevocations(path)
    await made.start()
    await made.stop()
    fill_sqlite(path, count)
    print(f"SQLite: {path.stat().st_size / 1e6:.0f} MB")
    await start_of(SQLiteRevocations(path), "SQLite")


def delays(directory):
    """How soon denials are in force in other processes; False if that is later than the documentation says."""
    held = True
    with ExitStack() as stack:
        server = stack.enter_context(running(directory / "redis", "--save", ""))
        file = directory / "sqlalchemy.db"
        asyncio.run(create_tables(f"sqlite+aiosqlite:///{file}"))
        places = {
            "redis": server.url,
            "sqlite": str(directory / "delays.db"),
            "SQLite by SQLAlchemy": f"sqlite+aiosqlite:///{file}",
        }
        for kind in (PostgresServer, MariaDBServer):
            database = stack.enter_context(database_server.running(kind))
            database.create_tables()
            places |= {f"{kind.name} by {driver}": database.url(driver) for driver in kind.drivers}
        for name, place in places.items():
            kind = name if name in workers.REVOCATIONS else "sql"
            with Pool() as pool:
                found = asyncio.run(delays_of_denials(kind, place, pool))
            p50, p99 = (statistics.quantiles(found, n=100)[rank - 1] for rank in (50, 99))
            held = held and p99 < MOST_DELAY
            print(
                f"{name}: in force in {pool.size} processes after p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms "
                f"(limit {MOST_DELAY * 1000:.0f} ms), most {max(found) * 1000:.1f} ms",
                flush=True,
            )
    return held


def main():
    if sys.argv[1:2] == ["memory"]:
        in_memory(int(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as directory:
        if sys.argv[1:2] != ["delays"]:
            count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
            # In a process of its own, whose memory is that of the denials alone.
            subprocess.run([sys.executable, "-m", "tests.stores.measure_revocations", "memory", str(count)], check=True)
            asyncio.run(snapshots(Path(directory), count))
        if not delays(Path(directory)):
            sys.exit(1)


if __name__ == "__main__":
    main()
