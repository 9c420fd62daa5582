"""A Redis that has forgotten denials it had confirmed: every worker, old or new, agrees again, and no one gets back in."""

import time
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex

import pytest
import redis

from fastsession import StoreUnavailableError
from fastsession.stores import RedisRevocations
from tests.stores.proxy import proxied
from tests.stores.redis_server import running
from tests.stores.replicas import MASTER, promote, replica_of
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

# Seconds within which all have to agree. It is two, and longer on a busy machine.
AGREED = 20


@asynccontextmanager
async def started(url, **options):
    """A worker's revocations, following."""
    revocations = RedisRevocations(url, **options)
    await revocations.start()
    try:
        yield revocations
    finally:
        await revocations.stop()


async def deny(revocations, count=1):
    sessions = [token_hex(16) for _ in range(count)]
    for session in sessions:
        await revocations.deny_session(session, until=int(time.time()) + 600)
    return sessions


def denied(revocations, sessions):
    """Whether all of them are; a worker that is not up to date lets no one in."""
    try:
        return all(revocations.denied(session, None, int(time.time())) for session in sessions)
    except StoreUnavailableError:
        return False


def known_to_redis(server):
    """How many denials the set has."""
    with redis.Redis(port=server.port) as client:
        return client.zcard("fastsession:{revocations}:denied")


async def agreed(workers, sessions):
    return await eventually(lambda: all(denied(worker, sessions) for worker in workers), within=AGREED)


class Failover:
    """Two workers behind networks of their own, a master, and its replica."""

    def __init__(self, master, replica, networks, workers):
        self.master, self.replica, self.networks, self.workers = master, replica, networks, workers

    def reconnect(self):
        """Let the workers find the promoted replica in the master's place."""
        for network in self.networks:
            network.target_port = self.replica.port
            network.cut()


@pytest.fixture
async def failover(tmp_path):
    with (
        running(tmp_path / "master", *MASTER) as master,
        replica_of(master, tmp_path / "replica") as replica,
    ):
        async with AsyncExitStack() as stack:
            networks = [await stack.enter_async_context(proxied(master.port)) for _ in range(2)]
            workers = [await stack.enter_async_context(started(network.url)) for network in networks]
            yield Failover(master, replica, networks, workers)


async def known_to_all(failover):
    """Some denials that master, replica and workers know."""
    sessions = await deny(failover.workers[0], 5)
    await agreed(failover.workers, sessions)
    with redis.Redis(port=failover.master.port) as client:
        assert client.wait(1, 5000) == 1
    return sessions


@pytest.mark.parametrize("who", ["all know it", "only the one that denied it knows it"])
@pytest.mark.parametrize("order", ["denied first", "reconnected first"])
async def test_a_denial_that_a_promoted_replica_never_had_is_in_force_everywhere(failover, order, who, figure):
    before = await known_to_all(failover)
    promote(failover.replica)
    first, second = failover.workers
    if who != "all know it":
        failover.networks[1].cut()
        failover.networks[1].target_port = failover.replica.port
    [lost] = await deny(first)
    if who == "all know it":
        await agreed(failover.workers, [lost])
    failover.master.kill()
    async with started(failover.replica.url) as stranger:
        # It knows nothing of the lost one, and is given the number that the lost one had.
        if order == "denied first":
            [after] = await deny(stranger)
            failover.reconnect()
        else:
            failover.reconnect()
            await agreed([first], [lost])
            [after] = await deny(stranger)
        seconds = await agreed([first, second, stranger], [*before, lost, after])
        async with started(failover.replica.url) as late:
            assert denied(late, [*before, lost, after])
    figure(f"{order}, {who}: agreed after {seconds * 1000:.0f} ms")


async def test_a_failover_is_noticed_though_as_much_was_denied_after_it_as_was_lost(failover):
    await known_to_all(failover)
    promote(failover.replica)
    first, second = failover.workers
    lost = await deny(first, 3)
    await agreed(failover.workers, lost)
    failover.master.kill()
    async with started(failover.replica.url) as stranger:
        for extra in (3, 1, 2):
            after = await deny(stranger, extra)
        failover.reconnect()
        await agreed([first, second, stranger], [*lost, *after])


async def test_a_denial_made_by_a_worker_that_does_not_follow_is_not_missed_by_it_later(failover):
    await known_to_all(failover)
    promote(failover.replica)
    aside = RedisRevocations(failover.networks[0].url)
    [lost] = await deny(aside)
    failover.master.kill()
    failover.reconnect()
    await aside.start()
    async with started(failover.replica.url) as late:
        await agreed([aside, late, *failover.workers], [lost])
    await aside.stop()


async def test_a_restart_from_an_old_snapshot_loses_nothing_that_workers_know(tmp_path, figure):
    with running(tmp_path / "redis", "--save", "") as server:
        async with started(server.url) as first, started(server.url) as second:
            before = await deny(first, 3)
            with redis.Redis(port=server.port) as client:
                client.save()
            lost = await deny(second, 3)
            await deny(second, 2)
            await agreed([first, second], lost)
            server.kill()
            server.start()
            seconds = await agreed([first, second], [*before, *lost])
            [after] = await deny_when_possible(first)
            await agreed([second], [after])
            async with started(server.url) as late:
                await agreed([late], [*before, *lost, after])
    figure(f"old snapshot: agreed after {seconds * 1000:.0f} ms")


async def deny_when_possible(revocations):
    ends = time.monotonic() + AGREED
    while True:
        try:
            return await deny(revocations)
        except StoreUnavailableError:
            assert time.monotonic() < ends


LOST = {"the set": ["denied"], "set and mark": ["denied", "mark"], "set and stream": ["denied", "changes"]}


@pytest.fixture
def forgetful(tmp_path):
    """A Redis, and what makes it lose some of its keys."""
    with running(tmp_path / "redis", "--save", "") as server, redis.Redis(port=server.port) as client:

        def lose(names):
            client.delete(*(f"fastsession:{{revocations}}:{name}" for name in names))

        yield server, lose


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
async def test_a_denial_right_after_the_loss_does_not_hide_it(forgetful, lost):
    server, lose = forgetful
    async with started(server.url) as first, started(server.url) as second:
        sessions = await deny(first, 5)
        await agreed([first, second], sessions)
        lose(lost)
        sessions += await deny(second)
        await agreed([first, second], sessions)
        # Also those that begin now, once what is known has been given back.
        await eventually(lambda: known_to_redis(server) == len(sessions), within=AGREED)
        async with started(server.url) as late:
            await agreed([late], sessions)


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
async def test_a_worker_that_begins_right_after_the_loss_does_not_hide_it(forgetful, lost):
    server, lose = forgetful
    async with started(server.url) as first:
        sessions = await deny(first, 5)
        lose(lost)
        async with started(server.url) as late:
            await agreed([first, late], sessions)


async def test_one_key_that_is_gone_is_noticed_and_given_back(tmp_path):
    with running(tmp_path / "redis", "--save", "") as server, redis.Redis(port=server.port) as client:
        async with started(server.url) as first:
            sessions = await deny(first, 5)
            for name in ("denied", "changes", "mark"):
                client.delete(f"fastsession:{{revocations}}:{name}")
                await eventually(lambda: client.zcard("fastsession:{revocations}:denied") == 5, within=AGREED)
                await eventually(lambda: client.exists("fastsession:{revocations}:mark") == 1, within=AGREED)
                async with started(server.url) as late:
                    await agreed([first, late], sessions)
