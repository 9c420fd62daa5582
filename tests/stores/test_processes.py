"""Several processes on one home of data."""

import asyncio
import statistics
from contextlib import suppress
from secrets import token_hex

import pytest

from tests.processes import PATIENCE
from tests.stores import workers
from tests.stores.denial_delays import delays_of_denials
from tests.stores.everything import owned_by
from tests.stores.pool import Pool, processes
from tests.stores.redis_server import running

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", ["redis", "sqlite", "postgres", "mariadb"])]


@pytest.fixture
def place(kind, tmp_path, request):
    if kind in ("postgres", "mariadb"):
        server = request.getfixturevalue(kind)
        server.empty()
        yield server.url()
    elif kind == "sqlite":
        yield str(tmp_path / "shared.db")
    else:
        with running(tmp_path / "redis", "--save", "") as server:
            yield server.url


@pytest.fixture
def pool():
    with Pool() as running:
        yield running


async def test_no_update_of_another_process_is_lost(kind, place, pool, later):
    store, key, each = workers.store_at(kind, place), token_hex(16), 50
    await store.create(key, b"0", expires_at=later, owner=None)
    conflicts = await (await pool.begin(workers.add_ones, kind, place, key, [each] * pool.size))
    record = await store.read(key)
    await store.stop()
    assert (int(record.data), record.version) == (pool.size * each, pool.size * each + 1)
    # Otherwise they have not been at it at the same time, and nothing has been shown.
    assert sum(conflicts) > 0


async def test_processes_may_make_and_fill_a_home_of_data_at_the_same_time(kind, place, pool):
    keys = [[token_hex(16) for _ in range(50)] for _ in range(pool.size)]
    await (await pool.begin(workers.create_many, kind, place, keys))
    store = workers.store_at(kind, place)
    assert set(await owned_by(store, "aa")) == {key for own in keys for key in own}
    await store.stop()


async def test_a_denial_comes_into_force_in_every_process(kind, place, pool, figure):
    delays = await delays_of_denials(kind, place, pool)
    p50, p99 = (statistics.quantiles(delays, n=100)[rank - 1] for rank in (50, 99))
    figure(
        f"{kind}: from the call to force in {pool.size} processes "
        f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, most {max(delays) * 1000:.1f} ms"
    )
    # On a machine with time for it p99 is below 0.1 s, as tests/stores/measure_revocations.py insists. Here a poll
    # that comes only every few seconds fails.
    assert p50 < 1


def received(receiver):
    assert receiver.poll(PATIENCE), "the other process sends nothing"
    return receiver.recv()


async def test_what_was_confirmed_before_the_process_was_killed_is_denied(kind, place):
    sessions = [token_hex(16) for _ in range(5000)]
    receiver, sender = processes.Pipe(duplex=False)
    killed = processes.Process(target=workers.deny_for_ever, args=(kind, place, sessions, sender))
    killed.start()
    sender.close()
    try:
        confirmed = [await asyncio.to_thread(received, receiver) for _ in range(100)]
    finally:
        killed.kill()
        killed.join(PATIENCE)
    # What it had sent when it was killed; then the pipe has no other end.
    with suppress(EOFError):
        while True:
            confirmed.append(received(receiver))
    revocations = workers.revocations_at(kind, place)
    await revocations.start()
    missing = [session for session in confirmed if not revocations.denied(session, None, 0)]
    await revocations.stop()
    assert missing == []
