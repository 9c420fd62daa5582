"""What every store must do while workers come and go."""

from __future__ import annotations

import asyncio
import random
from functools import partial

from fastsession.stores.contract import Record, SessionStore
from fastsession.testing.stores.samples import all_owned, later, new_key
from fastsession.testing.stores.workers import Suite, Workers, alone, together

_STORM = 400
_AT_A_TIME = 20


class WorkerTests(Suite):
    """Start and stop, several workers at a time, requests that are cancelled."""

    @alone
    async def test_starting_and_stopping_again_and_again_loses_nothing(self, workers: Workers[SessionStore]) -> None:
        """In any order, and a stopped store still answers."""
        store, key = await workers.start(), new_key()
        await store.start()
        await store.create(key, b"sealed", expires_at=later(), owner=None)
        for _ in range(2):
            await store.stop()
            await store.stop()
            await store.start()
            await store.start()
            assert await store.read(key) == Record(b"sealed", 1)
        await store.stop()
        assert await store.read(key) == Record(b"sealed", 1)

    @alone
    async def test_it_answers_before_it_is_started(self, workers: Workers[SessionStore]) -> None:
        """Not every server tells an application that it starts."""
        store, key = await workers.make(), new_key()
        await store.create(key, b"sealed", expires_at=later(), owner=None)
        assert await store.read(key) == Record(b"sealed", 1)

    @alone
    async def test_cancelled_operations_give_nobody_a_wrong_answer(self, workers: Workers[SessionStore]) -> None:
        """Many requests end before their answer comes: it must not be another's."""
        store, choose = await workers.start(), random.Random(1)  # noqa: S311  (not a secret)
        keys = [new_key() for _ in range(40)]
        for key in keys:
            await store.create(key, key.encode(), expires_at=later(), owner=key)

        async def ask() -> None:
            key = choose.choice(keys)
            reading = asyncio.ensure_future(store.read(key))
            if choose.random() < 0.5:  # noqa: PLR2004  (half of them)
                asyncio.get_running_loop().call_later(choose.uniform(0, 0.005), reading.cancel)
            await asyncio.wait([reading])
            assert reading.cancelled() or reading.result() == Record(key.encode(), 1)

        for _ in range(_STORM // _AT_A_TIME):
            await asyncio.gather(*(ask() for _ in range(_AT_A_TIME)))
        for key in keys:
            assert await all_owned(store, key) == {key: Record(key.encode(), 1)}

    @alone
    async def test_a_cancelled_write_is_done_whole_or_not_at_all(self, workers: Workers[SessionStore]) -> None:
        """Whatever has been written, its owner's records include it."""
        store, owner, keys = await workers.start(), new_key(), [new_key() for _ in range(50)]
        for number, key in enumerate(keys):
            creating = asyncio.ensure_future(store.create(key, b"sealed", expires_at=later(), owner=owner))
            asyncio.get_running_loop().call_later(number / 10_000, creating.cancel)
            await asyncio.wait([creating])
        # What was cancelled may be under way still; what is written later is whole, too.
        there = await all_owned(store, owner)
        for key in there:
            assert await store.read(key) == Record(b"sealed", 1)

    @together
    async def test_what_one_worker_writes_another_reads(self, workers: Workers[SessionStore]) -> None:
        """At once."""
        first, second, key, owner = await workers.start(), await workers.start(), new_key(), new_key()
        await first.create(key, b"sealed", expires_at=later(), owner=owner)
        assert await second.replace(key, b"new", version=1, expires_at=later(), owner=owner) is True
        assert await first.read(key) == Record(b"new", 2)
        assert await all_owned(first, owner) == {key: Record(b"new", 2)}
        assert await first.delete(key) is True
        assert await second.read(key) is None
        assert await second.replace(key, b"back", version=2, expires_at=later(), owner=owner) is False

    @together
    async def test_no_update_of_another_worker_is_lost(self, workers: Workers[SessionStore]) -> None:
        """Each adds one to the version that it read, until it has done so often enough."""
        stores, key = [await workers.start() for _ in range(3)], new_key()
        await stores[0].create(key, b"0", expires_at=later(), owner=None)

        async def add_ones(store: SessionStore, left: int) -> None:
            while left:
                record = await store.read(key)
                assert record is not None
                more = b"%d" % (int(record.data) + 1)
                left -= await store.replace(key, more, version=record.version, expires_at=later(), owner=None)

        await asyncio.gather(*map(partial(add_ones, left=20), stores))
        assert await stores[0].read(key) == Record(b"60", 61)
