"""FastSession with its data on the server, and with revocations: what they add to the cookie alone."""

import os
import time
from typing import Any

from redis.asyncio import Redis

from fastsession.stores import MemoryRevocations, MemoryStore, OnDemand, RedisStore
from tests.benchmarks import cases, product
from tests.benchmarks.asgi import exchange
from tests.benchmarks.cases import Case, case
from tests.benchmarks.contender import Contender

DENIALS = 1_000_000


def contenders(redis: Redis | None) -> list[Contender]:
    """The modes; a Redis store only when there is a server."""
    found = [
        product.contender("FastSession, MemoryStore", store=MemoryStore()),
        product.contender("FastSession, MemoryStore on demand", store=OnDemand(MemoryStore())),
        product.contender(f"FastSession, {DENIALS:,} revocations", revocations=full_revocations()),
    ]
    if redis is not None:
        found.append(product.contender("FastSession, RedisStore", store=RedisStore(redis)))
    return found


def full_revocations() -> MemoryRevocations:
    """Revocations that hold a million denied sessions."""
    revocations, until = MemoryRevocations(), int(time.time()) + 24 * 3_600
    for _ in range(DENIALS):
        revocations._denials.add(f"s{os.urandom(8).hex()}", until)
    return revocations


class _Counting(MemoryStore):
    """Counts how often it is asked for a record."""

    asked = 0

    async def read(self, key: str) -> Any:
        self.asked += 1
        return await super().read(key)


async def round_trips() -> int:
    """How often a store is asked in a request that brings a session and does not look at it."""
    store = _Counting()
    contender = product.contender("FastSession, a store that counts", store=OnDemand(store))
    found = await case(contender, cases.UNTOUCHED, "120 B")
    store.asked = 0
    await exchange(found.app, found.requests[0])
    return store.asked


async def server_side_cases(redis: Redis | None) -> list[Case]:
    """Each mode in the main scenarios at the smallest size."""
    scenarios = [cases.NO_COOKIE, cases.UNTOUCHED, cases.READ, cases.WRITE, *cases.REJECTED]
    return [await case(contender, scenario, "120 B") for contender in contenders(redis) for scenario in scenarios]
