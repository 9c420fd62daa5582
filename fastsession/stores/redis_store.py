"""Session data in Redis or Valkey, for a fleet of servers.

Two kinds of keys:

- `<prefix>session:<key>`, a hash of data, version and owner, with the session's expiry
- `<prefix>owner:<owner>`, a sorted set of the owner's keys by expiry, which expires with the last of them

One server has both, and every operation is one script there. On a cluster they may be anywhere, each is touched on
its own, and the index is written first: what fails or is cancelled in between leaves an index entry too many,
which `owned` looks through, and never a session that the index does not know.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from secrets import token_hex
from typing import TypeVar

from redis.exceptions import ResponseError

from fastsession.errors import StoreUnavailableError
from fastsession.stores.contract import Page, Record
from fastsession.stores.redis_checks import prepare
from fastsession.stores.redis_clients import RedisSource
from fastsession.stores.redis_connections import RedisConnections
from fastsession.stores.redis_faults import keys_are_apart
from fastsession.stores.redis_owners import FIRST, OwnedRecords
from fastsession.stores.redis_record_scripts import (
    CREATE,
    DELETE,
    HOLD,
    INDEX,
    REPLACE,
    SUPERSEDE,
    TOUCH,
)
from fastsession.stores.server_urls import SettingsUrl

T = TypeVar("T")

# What a script answers where a record has got another owner.
_OTHER_OWNER = 2
_TRIAL_SECONDS = 60

_logger = logging.getLogger("fastsession")


class RedisStore:
    """A `SessionStore` in Redis 6.2 or later, or Valkey.

    Takes a URL (`redis://`, `rediss://`, `redis+sentinel://h1,h2,h3/main`, `redis+cluster://h1,h2`), a function
    that makes a `redis.asyncio` client, called once in every event loop, or a client, with
    `decode_responses=False`. Every operation, or page of one, is answered within `timeout` seconds, whatever the
    client's own limits and retries are. At most `max_connections` operations run at a time; others wait.

    With `replicas=1`, a login, logout or change of id raises unless a replica has it, too.
    """

    def __init__(
        self,
        source: RedisSource | SettingsUrl,
        *,
        prefix: str = "fastsession:",
        timeout: float = 0.25,
        max_connections: int = 50,
        replicas: int = 0,
    ) -> None:
        self._redis = RedisConnections(source, timeout=timeout, connections=max_connections, replicas=replicas)
        self._session = f"{prefix}session:"
        self._owner = f"{prefix}owner:"
        self._replicas = replicas
        # Whether a server has said that it does not have all the keys: a cluster behind a proxy.
        self._apart = False
        self._owners = OwnedRecords(
            self._redis, session=self._session, owner=self._owner, replicas=replicas, together=self._are_together
        )

    async def start(self) -> None:
        """Make connections; raises `ConfigurationError` for a refused password, certificate or command.

        A server that cannot be reached is logged, and reached by later calls.
        """
        try:
            name = type(self).__name__
            trial = partial(self._wherever_keys_are, self._trial)
            await prepare(self._redis, name, self._session + "check", trial, evicted="signs users out")
        except StoreUnavailableError as error:
            _logger.warning("%s", error)

    async def stop(self) -> None:
        """Close the connections, unless the client was given."""
        await self._redis.close()

    async def read(self, key: str) -> Record | None:
        """The record."""
        command = partial(self._redis.command, "HMGET", self._session + key, "data", "version")
        data, version = await self._redis.answer(command, reads=True)
        return None if version is None else Record(data, int(version))

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record."""
        await self._answer(lambda: self._create(key, data, expires_at, owner))

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put a new record in place of the one with this version."""

        async def steps() -> bool:
            keys = [self._session + key, *await self._index(key, expires_at, owner)]
            values = data, expires_at, owner or "", key, version, version + 1, self._indexes
            done = await self._redis.run(REPLACE, keys, *values)
            if done == _OTHER_OWNER and self._replicas:
                # Somebody has signed in, or out, without a new id.
                return bool(await self._redis.run_confirmed(HOLD, keys[:1], version + 1, owner or "", expires_at))
            return bool(done)

        return await self._answer(steps)

    async def supersede(
        self,
        old: str,
        key: str,
        data: bytes,
        *,
        version: int,
        expires_at: int,
        owner: str | None,
        note: bytes,
        note_until: int,
    ) -> bool:
        """Let a new record take the place of the one with this version."""

        async def steps() -> bool:
            if self._are_together():
                keys = [self._session + old, self._session + key, *await self._index(key, expires_at, owner)]
                values = data, expires_at, owner or "", key, version, version + 1, note, note_until, old, self._owner
                return bool(await self._redis.run_confirmed(SUPERSEDE, keys, *values))
            # In this order: the old one goes when the new one is safe.
            await self._create(key, data, expires_at, owner)
            left = note, note_until, "", old, version, version + 1, ""
            if await self._redis.run_confirmed(REPLACE, [self._session + old], *left):
                return True
            await self._delete(key)
            return False

        return await self._answer(steps)

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry."""

        async def steps() -> bool:
            if not self._are_together():
                owner = await self._redis.command("HGET", self._session + key, "owner")
                await self._index(key, expires_at, owner and owner.decode())
            return bool(await self._redis.run(TOUCH, [self._session + key], expires_at, key, self._indexes))

        return await self._answer(steps)

    async def delete(self, key: str) -> bool:
        """End the record."""
        return await self._answer(lambda: self._delete(key))

    async def owned(self, owner: str, *, after: str | None = None) -> Page:
        """Some of the owner's live records."""
        return await self._answer(lambda: self._owners.page(owner, after or FIRST))

    async def end_owned(self, owner: str, *, keep: Collection[str] = ()) -> None:
        """End the owner's records, a page after the other."""
        cursor = FIRST
        while True:
            cursor = await self._answer(partial(self._owners.end_page, owner, cursor, keep))
            if cursor == FIRST:
                return

    def _are_together(self) -> bool:
        """Whether all keys are on one server."""
        return not (self._apart or self._redis.is_cluster)

    @property
    def _indexes(self) -> str:
        """The beginning of the indexes' names, for scripts that may touch them."""
        return self._owner if self._are_together() else ""

    async def _create(self, key: str, data: bytes, expires_at: int, owner: str | None) -> None:
        keys = [self._session + key, *await self._index(key, expires_at, owner)]
        await self._redis.run_confirmed(CREATE, keys, data, expires_at, owner or "", key)

    async def _index(self, key: str, expires_at: int, owner: str | None) -> list[str]:
        """The index to give to a script; on a cluster the index is written here."""
        if not owner:
            return []
        if self._are_together():
            return [self._owner + owner]
        await self._redis.run(INDEX, [self._owner + owner], key, expires_at)
        return []

    async def _delete(self, key: str) -> bool:
        values = key, self._indexes, int(self._replicas > 0)
        found, owner = await self._redis.run_confirmed(DELETE, [self._session + key], *values)
        if owner and not self._are_together():
            await self._redis.command("ZREM", self._owner + owner.decode(), key)
        return bool(found)

    async def _trial(self) -> None:
        """One record's life, to find out what Redis does not allow."""
        key, owner, until = token_hex(16), token_hex(16), int(time.time()) + _TRIAL_SECONDS
        keys = [self._session + key]
        await self._create(key, b"", until, owner)
        await self._redis.command("HMGET", *keys, "data", "version")
        index = await self._index(key, until, owner)
        await self._redis.run(REPLACE, [*keys, *index], b"", until, owner, key, 1, 2, self._indexes)
        await self._redis.run(TOUCH, keys, until, key, self._indexes)
        await self._owners.page(owner, FIRST)
        await self._redis.run(DELETE, keys, key, self._indexes, 0)
        await self._owners.end_page(owner, FIRST, ())

    async def _answer(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._redis.answer(partial(self._wherever_keys_are, operation))

    async def _wherever_keys_are(self, operation: Callable[[], Awaitable[T]]) -> T:
        """What the operation gives; it is done again once a server has said that it does not have all the keys."""
        known = self._apart
        try:
            return await operation()
        except ResponseError as error:
            if known or not keys_are_apart(error):
                raise
            self._apart = True
        return await operation()
