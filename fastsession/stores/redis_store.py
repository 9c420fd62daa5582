"""Session data in Redis or Valkey, for a fleet of servers.

Two kinds of keys, each touched on its own, so that a cluster may keep them anywhere:

- `<prefix>session:<key>`, a hash of data, version and owner, with the session's expiry
- `<prefix>owner:<owner>`, a sorted set of the owner's keys by expiry, which expires with the last of them

The index is written first. What fails or is cancelled in between leaves an index entry too many, which
`owned` looks through, and never a session that the index does not know.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastsession.stores.contract import Record
from fastsession.stores.redis_clients import RedisSource
from fastsession.stores.redis_connections import RedisConnections

T = TypeVar("T")

# Scripts are sent whole: no server has to know them first, after a restart or a failover neither.
_CREATE = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', 1, 'owner', ARGV[3])
redis.call('EXPIREAT', KEYS[1], ARGV[2])
"""
_REPLACE = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then
    return 0
end
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', ARGV[3], 'owner', ARGV[5])
redis.call('EXPIREAT', KEYS[1], ARGV[4])
return 1
"""
_DELETE = """
local owner = redis.call('HGET', KEYS[1], 'owner')
return {redis.call('DEL', KEYS[1]), owner}
"""
# An index lives as long as the longest of its sessions may. GT: an expiry that was written for a
# `replace` which then did not happen may be too late, not too early.
_INDEX = """
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('EXPIREAT', KEYS[1], redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
"""
# The server's own time decides what has expired, as it does for the sessions themselves.
_OWNED = """
return {redis.call('TIME')[1], redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}
"""


class RedisStore:
    """A `SessionStore` in Redis 6.2 or later, or Valkey.

    Takes a URL, or any `redis.asyncio` client (single, Sentinel, cluster) with `decode_responses=False`.
    Every operation is answered within `timeout` seconds, whatever the client's own timeouts and retries are.
    """

    def __init__(
        self,
        url_or_client: RedisSource,
        *,
        prefix: str = "fastsession:",
        timeout: float = 0.25,
        max_connections: int = 50,
    ) -> None:
        self._redis = RedisConnections(url_or_client, timeout=timeout, connections=max_connections)
        self._session = f"{prefix}session:"
        self._owner = f"{prefix}owner:"

    async def start(self) -> None:
        """Nothing to make ready: connections are made when they are needed."""

    async def stop(self) -> None:
        """Close the connections, unless the client was given."""
        await self._redis.close()

    async def read(self, key: str) -> Record | None:
        """The record."""
        data, version = await self._answer(lambda: self._command("HMGET", self._session + key, "data", "version"))
        return None if version is None else Record(data, int(version))

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record."""

        async def steps() -> None:
            await self._index(key, expires_at, owner)
            await self._script(_CREATE, self._session + key, data, expires_at, owner or "")

        await self._answer(steps)

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put a new record in place of the one with this version."""

        async def steps() -> bool:
            await self._index(key, expires_at, owner)
            values = (data, version, version + 1, expires_at, owner or "")
            return bool(await self._script(_REPLACE, self._session + key, *values))

        return await self._answer(steps)

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry."""

        async def steps() -> bool:
            owner = await self._command("HGET", self._session + key, "owner")
            if owner is None:
                return False
            await self._index(key, expires_at, owner.decode())
            return bool(await self._command("EXPIREAT", self._session + key, expires_at))

        return await self._answer(steps)

    async def delete(self, key: str) -> bool:
        """End the record."""

        async def steps() -> bool:
            found, owner = await self._script(_DELETE, self._session + key)
            if owner:
                await self._command("ZREM", self._owner + owner.decode(), key)
            return bool(found)

        return await self._answer(steps)

    async def owned(self, owner: str) -> dict[str, Record]:
        """The owner's live records."""

        async def steps() -> dict[str, Record]:
            now, index = await self._script(_OWNED, self._owner + owner)
            expiries = {key.decode(): float(expiry) for key, expiry in zip(index[::2], index[1::2], strict=True)}
            found = await self._read_all(list(expiries))
            # A key that is not there and has not expired may be on its way: the index is written first.
            gone = [key for key, expiry in expiries.items() if key not in found and expiry <= float(now)]
            if gone:
                await self._command("ZREM", self._owner + owner, *gone)
            return {key: record for key, (record, its_owner) in found.items() if its_owner == owner}

        return await self._answer(steps)

    async def _read_all(self, keys: list[str]) -> dict[str, tuple[Record, str]]:
        """Those of the records that are there, with their owners."""
        if not keys:
            return {}
        pipeline = self._redis.client.pipeline(transaction=False)
        for key in keys:
            pipeline.execute_command("HMGET", self._session + key, "data", "version", "owner")
        return {
            key: (Record(data, int(version)), owner.decode())
            for key, (data, version, owner) in zip(keys, await pipeline.execute(), strict=True)
            if version is not None
        }

    async def _index(self, key: str, expires_at: int, owner: str | None) -> None:
        if owner:
            await self._script(_INDEX, self._owner + owner, key, expires_at)

    def _script(self, script: str, key: str, *values: Any) -> Awaitable[Any]:
        return self._command("EVAL", script, 1, key, *values)

    def _command(self, *args: Any) -> Awaitable[Any]:
        return self._redis.client.execute_command(*args)

    async def _answer(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._redis.answer(operation)
