"""Several processes on one home of data."""

import asyncio
import multiprocessing
import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from secrets import token_hex

import pytest

from tests.stores import workers
from tests.stores.redis_server import running

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", ["redis", "sqlite"])]

WORKERS = 4
processes = multiprocessing.get_context("spawn")


@pytest.fixture
def place(kind, tmp_path):
    if kind == "sqlite":
        yield str(tmp_path / "shared.db")
    else:
        with running(tmp_path / "redis", "--save", "") as server:
            yield server.url


@pytest.fixture
def pool():
    with ProcessPoolExecutor(WORKERS, mp_context=processes) as executor:
        yield executor


async def in_each(pool, work, *arguments):
    """Run the work in every process at a time, the last argument being each one's own."""
    loop = asyncio.get_running_loop()
    *same, own = arguments
    return await asyncio.gather(*(loop.run_in_executor(pool, work, *same, each) for each in own))


async def test_no_update_of_another_process_is_lost(kind, place, pool, later):
    store, key, each = workers.store_at(kind, place), token_hex(16), 50
    await store.create(key, b"0", expires_at=later, owner=None)
    conflicts = await in_each(pool, workers.add_ones, kind, place, key, [each] * WORKERS)
    record = await store.read(key)
    await store.stop()
    assert (int(record.data), record.version) == (WORKERS * each, WORKERS * each + 1)
    # Otherwise they have not been at it at the same time, and nothing has been shown.
    assert sum(conflicts) > 0


async def test_processes_may_make_and_fill_a_home_of_data_at_the_same_time(kind, place, pool):
    keys = [[token_hex(16) for _ in range(50)] for _ in range(WORKERS)]
    await in_each(pool, workers.create_many, kind, place, keys)
    store = workers.store_at(kind, place)
    assert set(await store.owned("aa")) == {key for own in keys for key in own}
    await store.stop()


async def test_a_denial_is_in_force_in_every_process_within_100_ms(kind, place, figure, later):
    sessions = [token_hex(16) for _ in range(300)]
    with processes.Manager() as manager, ProcessPoolExecutor(WORKERS, mp_context=processes) as pool:
        ready = manager.Semaphore(0)
        loop = asyncio.get_running_loop()
        watching = [
            loop.run_in_executor(pool, workers.see_denials, kind, place, sessions, ready) for _ in range(WORKERS)
        ]
        for _ in range(WORKERS):
            await asyncio.to_thread(ready.acquire)
        revocations, begun = workers.revocations_at(kind, place), []
        await revocations.start()
        for session in sessions:
            # Not in step with anybody's polls.
            await asyncio.sleep(random.uniform(0, 0.02))
            begun.append(time.monotonic())
            await revocations.deny_session(session, until=later)
            assert revocations.denied(session, None, 0)
        seen = await asyncio.gather(*watching)
        await revocations.stop()
    delays = [at - start for worker in seen for start, at in zip(begun, worker, strict=True)]
    p50, p99 = (statistics.quantiles(delays, n=100)[rank - 1] for rank in (50, 99))
    figure(
        f"{kind}: from the call to force in {WORKERS} processes "
        f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, most {max(delays) * 1000:.1f} ms"
    )
    assert p99 < 0.1


async def test_what_was_confirmed_before_the_process_was_killed_is_denied(kind, place):
    sessions = [token_hex(16) for _ in range(5000)]
    receiver, sender = processes.Pipe(duplex=False)
    killed = processes.Process(target=workers.deny_for_ever, args=(kind, place, sessions, sender))
    killed.start()
    confirmed = [await asyncio.to_thread(receiver.recv) for _ in range(100)]
    killed.kill()
    killed.join()
    while receiver.poll():
        confirmed.append(receiver.recv())
    revocations = workers.revocations_at(kind, place)
    await revocations.start()
    missing = [session for session in confirmed if not revocations.denied(session, None, 0)]
    await revocations.stop()
    assert missing == []
