"""`replicas=1`: what ends or begins a session is confirmed when a replica has it, and refused when none has."""

import time
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest
import redis

from fastsession import StoreUnavailableError
from fastsession.stores import Record, RedisRevocations, RedisStore
from tests.server_side.site import browser, site
from tests.stores.everything import owned_by
from tests.stores.fleets import cluster
from tests.stores.redis_server import running
from tests.stores.replicas import MASTER, promote, replica_of
from tests.stores.waiting import until_it_works

pytestmark = pytest.mark.anyio

# Longer than the default, so that a busy machine confirms in time.
PATIENCE = 5.0


def later():
    return int(time.time()) + 600


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    with running(folder / "master", *MASTER) as master, replica_of(master, folder / "replica") as replica:
        yield master, replica


@asynccontextmanager
async def store_at(url, prefix, *, replicas=1, patience=PATIENCE):
    store = RedisStore(url, prefix=prefix, replicas=replicas, timeout=patience)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def has(server, key):
    with redis.Redis(port=server.port) as client:
        return client.exists(key) == 1


async def test_what_returned_is_on_the_replica(pair, prefix):
    master, replica = pair
    old, key, other = (token_hex(16) for _ in range(3))
    async with store_at(master.url, prefix) as store:
        await store.create(old, b"visitor", expires_at=later(), owner=None)
        assert has(replica, f"{prefix}session:{old}")
        moved = {"version": 1, "expires_at": later(), "owner": "aa", "note": b"", "note_until": later()}
        assert await store.supersede(old, key, b"signed in", **moved) is True
        assert has(replica, f"{prefix}session:{key}")
        assert await store.delete(key) is True
        assert not has(replica, f"{prefix}session:{key}")
        await store.create(other, b"signed in", expires_at=later(), owner="aa")
        assert await store.replace(other, b"someone else", version=1, expires_at=later(), owner="bb") is True
        with redis.Redis(port=replica.port) as client:
            assert client.hget(f"{prefix}session:{other}", "owner") == b"bb"
        await store.end_owned("bb")
        assert not has(replica, f"{prefix}session:{other}")


async def test_with_a_lagging_replica_logins_and_logouts_are_refused_and_reads_and_writes_go_on(pair, prefix):
    master, replica = pair
    key, ended = token_hex(16), token_hex(16)
    async with store_at(master.url, prefix) as careful:
        for each in (key, ended):
            await careful.create(each, b"signed in", expires_at=later(), owner="aa")
    replica.pause()
    try:
        async with store_at(master.url, prefix, patience=1) as store, store_at(master.url, prefix, replicas=0) as plain:
            unconfirmed = [
                lambda: store.create(token_hex(16), b"new", expires_at=later(), owner="aa"),
                lambda: store.delete(ended),
                # Again, when there is nothing left to delete: it has still not been confirmed.
                lambda: store.delete(ended),
                lambda: store.replace(key, b"x", version=1, expires_at=later(), owner="bb"),
                lambda: store.end_owned("cc"),
            ]
            for operation in unconfirmed:
                with pytest.raises(StoreUnavailableError, match=r"0 of 1 replicas|No answer"):
                    await operation()
            assert await store.read(key) == Record(b"x", 2)
            assert await store.replace(key, b"y", version=2, expires_at=later(), owner="bb") is True
            assert await store.touch(key, expires_at=later()) is True
            # Without the option nobody is refused.
            assert await plain.delete(key) is True
            await plain.create(key, b"new", expires_at=later(), owner="aa")
    finally:
        replica.resume()


async def test_a_denial_that_no_replica_has_is_refused_however_often_it_is_made(pair, prefix):
    master, replica = pair
    revocations = RedisRevocations(master.url, prefix=prefix, replicas=1, timeout=1)
    plain = RedisRevocations(master.url, prefix=prefix)
    await revocations.start()
    session = token_hex(16)
    replica.pause()
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match=r"0 of 1 replicas|No answer"):
                await revocations.deny_session(session, until=later())
        await plain.deny_session(session, until=later())
    finally:
        replica.resume()
    await revocations.deny_session(session, until=later())
    with redis.Redis(port=replica.port) as client:
        assert client.zscore(f"{prefix}{{revocations}}:denied", f"s{session[:16]}")
    await revocations.stop()
    await plain.stop()


async def test_a_logout_that_no_replica_has_is_answered_503(pair, prefix):
    master, replica = pair
    store = RedisStore(master.url, prefix=prefix, replicas=1, timeout=1)
    async with site(store=store) as app:
        clients = {path: browser(app) for path in ("/logout", "/login/7", "/who", "/cart/tea")}
        for client in clients.values():
            assert (await client.post("/login/42")).status_code == 200
        replica.pause()
        try:
            for path in ("/logout", "/login/7"):
                response = await clients[path].post(path)
                assert (response.status_code, "set-cookie" in response.headers) == (503, False)
            assert (await clients["/who"].get("/who")).json() == [42, "valid"]
            assert (await clients["/cart/tea"].post("/cart/tea")).status_code == 200
        finally:
            replica.resume()


async def test_no_acknowledged_logout_comes_back_after_a_failover(tmp_path):
    with running(tmp_path / "master", *MASTER) as master, replica_of(master, tmp_path / "replica") as replica:
        keys, ended = [token_hex(16) for _ in range(40)], []
        async with store_at(master.url, "", patience=1) as store:
            for key in keys:
                await store.create(key, key.encode(), expires_at=later(), owner="aa")
            for number, key in enumerate(keys):
                if number == 20:
                    # From here on the replica goes its own way.
                    promote(replica)
                try:
                    await store.delete(key)
                    ended.append(key)
                except StoreUnavailableError:
                    break
        master.kill()
        async with store_at(replica.url, "", replicas=0) as store:
            assert [key for key in ended if await store.read(key)] == []
            assert len(ended) == 20
            assert set(await owned_by(store, "aa")) == set(keys) - set(ended)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as fleet:
        yield fleet


async def test_on_a_cluster_what_returned_is_on_a_replica(fleet, prefix):
    keys = [token_hex(16) for _ in range(20)]
    async with store_at(fleet.url, prefix) as store:
        for key in keys:
            await store.create(key, b"sealed", expires_at=later(), owner="aa")
            assert copies(fleet, f"{prefix}session:{key}") == 2
        for key in keys[:5]:
            assert await store.delete(key) is True
            assert copies(fleet, f"{prefix}session:{key}") == 0
        await store.end_owned("aa")
        assert [copies(fleet, f"{prefix}session:{key}") for key in keys] == [0] * len(keys)
    revocations = RedisRevocations(fleet.url, prefix=prefix, replicas=1, timeout=PATIENCE)
    await revocations.start()
    await revocations.deny_session(token_hex(16), until=later())
    assert copies(fleet, f"{prefix}{{revocations}}:denied") == 2
    await revocations.stop()


async def test_where_a_slot_has_moved_the_replicas_of_its_new_master_have_to_confirm(fleet, prefix):
    key = token_hex(16)
    async with store_at(fleet.url, prefix, patience=1) as store:
        await store.create(key, b"sealed", expires_at=later(), owner=None)
        move = fleet.moving(f"{prefix}session:{key}")
        move.begin()
        move.end()
        move.targets_replica.pause()
        try:
            # The old master's replica has everything.
            with pytest.raises(StoreUnavailableError, match=r"0 of 1 replicas|No answer"):
                await store.delete(key)
        finally:
            move.targets_replica.resume()
    async with store_at(fleet.url, prefix) as store:
        await store.create(key, b"sealed", expires_at=later(), owner=None)
        assert copies(fleet, f"{prefix}session:{key}") == 2


async def test_while_a_slot_is_moving_what_returned_is_on_a_replica(fleet, prefix):
    there, new = (f"{{moving}}{token_hex(16)}" for _ in range(2))
    async with store_at(fleet.url, prefix) as store:
        await store.create(there, b"sealed", expires_at=later(), owner=None)
        move = fleet.moving(f"{prefix}session:{there}")
        move.begin()
        await store.create(new, b"sealed", expires_at=later(), owner=None)
        assert await store.delete(there) is True
        move.end()
        assert copies(fleet, f"{prefix}session:{new}") == 2
        assert copies(fleet, f"{prefix}session:{there}") == 0
        assert await store.read(new) == Record(b"sealed", 1)
        assert await store.delete(new) is True


async def test_a_denial_is_refused_while_half_of_its_keys_have_moved(fleet, prefix):
    revocations = RedisRevocations(fleet.url, prefix=prefix, replicas=1, timeout=PATIENCE)
    session, key = token_hex(16), f"{prefix}{{revocations}}:denied"
    await revocations.start()
    try:
        await revocations.deny_session(token_hex(16), until=later())
        move = fleet.moving(key)
        move.begin()
        move.migrate(key)
        with pytest.raises(StoreUnavailableError, match=r"being moved|No answer"):
            await revocations.deny_session(session, until=later())
        move.end()
        await until_it_works(lambda: revocations.deny_session(session, until=later()))
        assert copies(fleet, key) == 2
    finally:
        await revocations.stop()


@pytest.mark.parametrize("replicas", [0, 1])
async def test_a_record_that_cannot_be_ended_is_no_ended_one(fleet, prefix, replicas):
    """Something else of this Redis has the record's name."""
    async with store_at(fleet.url, prefix, replicas=replicas) as store:
        await store.create("aa", b"sealed", expires_at=later(), owner="somebody")
        await store.create("bb", b"sealed", expires_at=later(), owner="somebody")
        await store.delete("bb")
        await store._redis.command("ZADD", f"{prefix}owner:somebody", later(), "bb")
        await store._redis.command("SET", f"{prefix}session:bb", "a text")
        with pytest.raises(StoreUnavailableError):
            await store.end_owned("somebody")
        assert await store.read("aa") is None
        await store._redis.command("DEL", f"{prefix}session:bb")
        await store.end_owned("somebody")


def copies(fleet, key):
    """How many servers have a key."""
    count = 0
    for server in fleet.servers:
        with redis.Redis(port=server.port) as client:
            client.readonly()
            try:
                count += client.exists(key)
            except redis.exceptions.ResponseError:
                # Moved: up to redis-py 5 without a class of its own.
                continue
    return count
