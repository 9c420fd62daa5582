"""T-14: each role of a Cluster and of a Sentinel fleet killed and stopped under load, with a ledger of what was confirmed."""

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from fastsession import StoreUnavailableError
from fastsession.stores import MemoryStore, RedisRevocations, RedisStore
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.soak import checks
from tests.soak.checks import Check
from tests.stores.fleets import cluster, watched
from tests.stores.redis_server import running

USERS = 12
# Seconds of load before and after a fault, how long it lasts at least, and after which a fleet has to serve everyone.
BEFORE, AFTER, FAULT, RECOVERY = 1.0, 3.0, 12.0, 15.0
# One subject with as many sessions, and how long the event loop may be held up by ending them.
MANY = 100_000


def later():
    return int(time.time()) + 3600


class Ledger:
    """What users were told has happened, and when somebody was last refused."""

    def __init__(self):
        self.ended, self.denied = [], []
        self.confirmed = self.refused = 0
        self.last_refusal = 0.0

    async def tried(self, operation, *, reads=False):
        """Whether it was confirmed. Reads tell whether everyone is served.

        Writes do not: after a failover there is no replica until the old master is back, so nothing is confirmed.
        """
        try:
            await operation
        except StoreUnavailableError:
            self.refused += 1
            if reads:
                self.last_refusal = time.monotonic()
            return False
        self.confirmed += 1
        return True


async def users(store, revocations, ledger, ends):
    async def user():
        own = token_hex(16)
        await ledger.tried(store.create(own, b"sealed", expires_at=later(), owner=None))
        while time.monotonic() < ends():
            key, session = token_hex(16), token_hex(16)
            await ledger.tried(store.read(own), reads=True)
            if await ledger.tried(store.create(key, b"sealed", expires_at=later(), owner="aa")):
                await ledger.tried(store.read(key))
                if await ledger.tried(store.delete(key)):
                    ledger.ended.append(key)
            if await ledger.tried(revocations.deny_session(session, until=later())):
                ledger.denied.append(session)
            await asyncio.sleep(random.uniform(0, 0.02))

    await asyncio.gather(*(user() for _ in range(USERS)))


async def faults(title, url, victims):
    """One fault: its victims hang or die under load, and come back; then the ledger is compared with what is there."""
    ledger, over = Ledger(), []
    async with AsyncExitStack() as stack:
        store = RedisStore(url, replicas=1, timeout=1)
        revocations, follower = (RedisRevocations(url, replicas=1, timeout=1) for _ in range(2))
        for each in (store, revocations, follower):
            await each.start()
            stack.push_async_callback(each.stop)
        load = asyncio.ensure_future(users(store, revocations, ledger, lambda: over[0] if over else float("inf")))
        await asyncio.sleep(BEFORE)
        begun = time.monotonic()
        for end, _ in victims:
            end()
        await asyncio.sleep(FAULT)
        # Where others have the processors, a fleet may fail over again.
        while time.monotonic() < min(begun + 2 * RECOVERY, ledger.last_refusal + AFTER):  # noqa: ASYNC110  (time gives no event)
            await asyncio.sleep(0.1)
        recovery = max(0.0, ledger.last_refusal - begun)
        for _, begin in victims:
            await asyncio.to_thread(begin)
        over.append(time.monotonic() + AFTER)
        await load
        back = [key for key in ledger.ended if await _is_there(store, key)]
        late = RedisRevocations(url)
        await late.start()
        stack.push_async_callback(late.stop)
        forgotten = [
            session
            for session in ledger.denied
            if not all(worker.denied(session, None, 0) for worker in (revocations, follower, late))
        ]
    return [
        Check(f"{title}: confirmed, refused", f"{ledger.confirmed:,}, {ledger.refused:,}"),
        checks.at_most(f"{title}: the last one refused, after the fault", recovery, RECOVERY),
        checks.none(f"{title}: confirmed ends that came back", len(back)),
        checks.none(f"{title}: confirmed denials that some worker does not know", len(forgotten)),
    ]


async def _is_there(store, key):
    while True:
        try:
            return await store.read(key) is not None
        except StoreUnavailableError:
            await asyncio.sleep(0.1)


def victim(server, how):
    if how == "stopped":
        return server.pause, server.resume
    ready = "+monitor master main" if "--sentinel" in server.options else "Ready to accept connections"
    return server.kill, lambda: server.start(ready)


async def _fleets(folder, seconds):
    found, ends = [], time.monotonic() + seconds
    with ExitStack() as stack:
        of_six = stack.enter_context(cluster(folder / "cluster"))
        for how in ("stopped", "killed"):
            master = of_six.master_of("fastsession:{revocations}:denied")
            found += await faults(f"cluster, a master {how}", of_six.url, [victim(master, how)])
    for how in ("stopped", "killed"):
        for roles in (("master", "first sentinel"), ("replica",)):
            if roles == ("replica",) and time.monotonic() > ends:
                continue
            with watched(folder / f"{how}-{roles[0]}") as fleet:
                servers = {"master": fleet.master, "replica": fleet.replica, "first sentinel": fleet.sentinels[0]}
                title = f"sentinel, {' and '.join(roles)} {how}"
                found += await faults(title, fleet.url, [victim(servers[role], how) for role in roles])
    return found


async def _held(work):
    """The longest time, of that in which this process could run, for which the event loop was held up meanwhile."""
    longest, task = 0.0, asyncio.ensure_future(work)
    with ProcessClock() as clock:
        while not task.done():
            begun = clock.seconds
            await asyncio.sleep(0.005)
            longest = max(longest, clock.seconds - begun - 0.005)
    await task
    return longest


async def _many(server_url):
    """All sessions of one subject, ended."""
    found = []
    for name, store in (("Redis", RedisStore(server_url, timeout=PATIENCE)), ("memory", MemoryStore())):
        for _ in range(MANY // 100):
            batch = (store.create(token_hex(16), b"sealed" * 40, expires_at=later(), owner="many") for _ in range(100))
            await asyncio.gather(*batch)
        begun = time.monotonic()
        held = await _held(store.end_owned("many"))
        seconds = time.monotonic() - begun
        left = len((await store.owned("many")).records)
        await store.stop()
        found += [
            checks.none(f"{MANY:,} sessions of one subject in {name}: left after {seconds:.1f} s", left),
            checks.at_most(f"{MANY:,} sessions of one subject in {name}: event loop held up", held, 0.25),
        ]
    return found


def measure(seconds):
    with TemporaryDirectory() as folder:
        found = asyncio.run(_fleets(Path(folder), seconds))
        with running(Path(folder) / "many", "--save", "") as server:
            return found + asyncio.run(_many(server.url))


if __name__ == "__main__":
    sys.exit(checks.main(measure, __doc__))
