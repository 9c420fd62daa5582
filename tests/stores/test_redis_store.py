import asyncio
from secrets import token_hex

import pytest
import redis
from redis.asyncio import Redis

from fastsession import ConfigurationError
from fastsession.stores import Record, RedisRevocations, RedisStore
from tests.processes import PATIENCE
from tests.stores.everything import owned_by
from tests.stores.proxy import proxied
from tests.stores.waiting import until_it_works

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(redis_server):
    async with Redis(port=redis_server.port) as client:
        yield client


@pytest.fixture
def store(client, prefix):
    return RedisStore(client, prefix=prefix, timeout=PATIENCE)


async def test_everything_it_keeps_has_the_prefix_and_an_expiry(store, client, prefix, later):
    before = set(await client.keys("*"))
    await store.create("aa", b"sealed", expires_at=later, owner="somebody")
    await store.create("bb", b"sealed", expires_at=later + 60, owner="somebody")
    keys = set(await client.keys("*")) - before
    assert keys == {f"{prefix}{name}".encode() for name in ("session:aa", "session:bb", "owner:somebody")}
    expiries = {key.decode().removeprefix(prefix): await client.expiretime(key) for key in keys}
    assert expiries == {"session:aa": later, "session:bb": later + 60, "owner:somebody": later + 60}


async def test_renewing_a_session_keeps_it_in_its_owners_index(store, client, prefix, later):
    await store.create("aa", b"sealed", expires_at=later, owner="somebody")
    await store.touch("aa", expires_at=later + 600)
    assert await client.expiretime(f"{prefix}session:aa") == later + 600
    assert await client.expiretime(f"{prefix}owner:somebody") == later + 600
    assert set(await owned_by(store, "somebody")) == {"aa"}


async def test_index_entries_of_expired_and_of_deleted_records_disappear(store, client, prefix, now, later):
    for key, expires_at in (("live", later), ("ended", later), ("expired", now - 1)):
        await store.create(key, b"sealed", expires_at=expires_at, owner="somebody")
    await store.delete("ended")
    await owned_by(store, "somebody")
    assert await client.zrange(f"{prefix}owner:somebody", 0, -1) == [b"live"]


async def test_an_index_entry_whose_record_is_on_its_way_is_left_alone(store, client, prefix, later):
    await client.zadd(f"{prefix}owner:somebody", {"coming": later})
    assert await owned_by(store, "somebody") == {}
    assert await client.zrange(f"{prefix}owner:somebody", 0, -1) == [b"coming"]


async def test_a_server_that_has_forgotten_its_scripts_is_no_matter(store, client, later):
    key = token_hex(16)
    await client.script_flush()
    await store.create(key, b"sealed", expires_at=later, owner=None)
    await client.script_flush()
    assert await store.replace(key, b"new", version=1, expires_at=later, owner=None) is True
    assert await store.read(key) == Record(b"new", 2)


async def test_a_client_that_was_given_is_not_closed(store, client):
    await store.stop()
    assert await client.ping()


async def test_a_client_that_decodes_answers_is_refused(redis_server):
    async with Redis(port=redis_server.port, decode_responses=True) as client:
        with pytest.raises(ConfigurationError, match="decode_responses=False"):
            RedisStore(client)


@pytest.mark.parametrize("kind", [RedisStore, RedisRevocations])
async def test_a_client_that_is_not_asynchronous_is_refused(kind, redis_server):
    with redis.Redis(port=redis_server.port) as client, pytest.raises(ConfigurationError, match=r"redis\.asyncio"):
        kind(client)


async def test_a_cluster_that_has_forgotten_its_scripts_is_no_matter(redis_cluster, prefix, later):
    store = RedisStore(f"redis+cluster://127.0.0.1:{redis_cluster.port}", prefix=prefix, timeout=PATIENCE)
    keys = [token_hex(16) for _ in range(5)]
    for key in keys:
        await store.create(key, b"sealed", expires_at=later, owner="somebody")
    async with Redis(port=redis_cluster.port) as client:
        await client.script_flush()
    await store.end_owned("somebody")
    assert [await store.read(key) for key in keys] == [None] * 5
    await store.stop()


async def test_a_cluster_behind_one_address_is_used_key_by_key(redis_cluster, prefix, later, caplog):
    """As behind a proxy: it takes commands for every key, but no script for keys of several slots."""
    store = RedisStore(redis_cluster.url, prefix=prefix, timeout=PATIENCE)
    await store.start()
    try:
        # On a busy machine the start may take too long, and say so.
        assert "CrossSlot" not in caplog.text
        keys = [token_hex(16) for _ in range(5)]
        for key in keys:
            await store.create(key, b"sealed", expires_at=later, owner="somebody")
        moved = {"version": 1, "expires_at": later, "owner": "somebody", "note": b"note", "note_until": later}
        assert await store.supersede(keys[0], "successor", b"signed in", **moved) is True
        assert await store.replace(keys[1], b"new", version=1, expires_at=later, owner="somebody") is True
        assert await store.touch(keys[2], expires_at=later + 60) is True
        assert await store.delete(keys[3]) is True
        assert set(await owned_by(store, "somebody")) == {*keys[1:3], keys[4], "successor"}
        await store.end_owned("somebody", keep=["successor"])
        assert set(await owned_by(store, "somebody")) == {"successor"}
    finally:
        await store.stop()


async def test_a_cluster_that_is_put_behind_the_address_of_a_running_store_is_found_out(
    redis_server, redis_cluster, prefix, later
):
    async with proxied(redis_server.port) as proxy:
        store = RedisStore(proxy.url, prefix=prefix, timeout=PATIENCE)
        await store.start()
        await store.create("before", b"sealed", expires_at=later, owner="somebody")
        proxy.target_port = redis_cluster.port
        proxy.cut()
        await until_it_works(lambda: store.read("before"))
        keys = [token_hex(16) for _ in range(5)]
        await asyncio.gather(*(store.create(key, b"sealed", expires_at=later, owner="somebody") for key in keys))
        assert set(await owned_by(store, "somebody")) == set(keys)
        await store.stop()
