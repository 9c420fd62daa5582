"""What the processes of test_processes.py do. Importable, so that a fresh interpreter finds it."""

import asyncio
import time

from fastsession import StoreUnavailableError
from fastsession.stores import (
    RedisRevocations,
    RedisStore,
    SQLAlchemyRevocations,
    SQLAlchemyStore,
    SQLiteRevocations,
    SQLiteStore,
)
from tests.processes import PATIENCE, die_with_parent
from tests.stores import moments

_all_there = None


def begin(all_there):
    """Begin a process of a pool. Its work waits at the barrier until the other processes are as far."""
    global _all_there  # noqa: PLW0603  (a barrier can be handed to a process only when that begins)
    _all_there = all_there
    die_with_parent()


def wait_for_the_others():
    _all_there.wait(PATIENCE)


# All other kinds are URLs of SQLAlchemy.
STORES = {"redis": RedisStore, "sqlite": SQLiteStore}
REVOCATIONS = {"redis": RedisRevocations, "sqlite": SQLiteRevocations}


def store_at(kind, place):
    return STORES.get(kind, SQLAlchemyStore)(place, timeout=PATIENCE)


def revocations_at(kind, place):
    return REVOCATIONS.get(kind, SQLAlchemyRevocations)(place, timeout=PATIENCE)


def add_ones(kind, place, key, count):
    """Raise the number in the record that often, each time on top of the version read."""
    return asyncio.run(_add_ones(kind, place, key, count))


async def _add_ones(kind, place, key, count):
    store = store_at(kind, place)
    await store.start()
    wait_for_the_others()
    added = conflicts = 0
    async with asyncio.timeout(PATIENCE):
        while added < count:
            record = await store.read(key)
            data = b"%d" % (int(record.data) + 1)
            if await store.replace(key, data, version=record.version, expires_at=moments.later(), owner="aa"):
                added += 1
            else:
                conflicts += 1
    await store.stop()
    return conflicts


def create_many(kind, place, keys):
    """Open a home of data that others open at the same time, and create records there."""
    return asyncio.run(_create_many(kind, place, keys))


async def _create_many(kind, place, keys):
    store = store_at(kind, place)
    wait_for_the_others()
    await store.start()
    for key in keys:
        await store.create(key, key.encode(), expires_at=moments.later(), owner="aa")
    await store.stop()


def see_denials(kind, place, sessions):
    """When each session was first seen to be denied, on the clock that all processes share."""
    return asyncio.run(_see_denials(kind, place, sessions))


async def _see_denials(kind, place, sessions):
    revocations = revocations_at(kind, place)
    await revocations.start()
    wait_for_the_others()
    seen = []
    async with asyncio.timeout(PATIENCE):
        for session in sessions:
            while not revocations.denied(session, None, 0):  # noqa: ASYNC110  (a look-up gives no event)
                await asyncio.sleep(0.001)
            seen.append(time.monotonic())
    await revocations.stop()
    return seen


def deny_for_ever(kind, place, sessions, confirmed):
    """Deny one session after the other until killed, and tell which denials were confirmed."""
    die_with_parent()
    asyncio.run(_deny_for_ever(kind, place, sessions, confirmed))


async def _deny_for_ever(kind, place, sessions, confirmed):
    revocations = revocations_at(kind, place)
    for session in sessions:
        try:
            await revocations.deny_session(session, until=moments.later())
        except StoreUnavailableError:
            continue
        confirmed.send(session)
