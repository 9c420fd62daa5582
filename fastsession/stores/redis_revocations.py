"""Revocations for a fleet, in Redis or Valkey.

Two keys, in one slot of a cluster:

- `<prefix>{revocations}:denied`, a sorted set of denials by expiry: what a worker reads when it starts
- `<prefix>{revocations}:changes`, a stream of denials, kept short: what it follows from then on

Both expire with the last denial in them. The stream's entries are numbered without gaps, so a worker
sees that it has missed some, and then reads the whole set again. A stream that begins anew begins at
the time in microseconds, far above any number that was used before.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any, cast

from fastsession.stores.followed_revocations import FollowedRevocations
from fastsession.stores.redis_connections import RedisClient, RedisConnections

# ARGV: how many entries the stream keeps, then denials and their expiries in turn. What is known
# already changes nothing. Some of what has expired goes with every call.
_DENY = """
local now = tonumber(redis.call('TIME')[1])
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local number = last and tonumber(string.match(last[1], '^%d+')) or now * 1000000
for i = 2, #ARGV, 2 do
    if redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[i + 1], ARGV[i]) == 1 then
        number = number + 1
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], string.format('%.0f-0', number),
            'denial', ARGV[i], 'until', ARGV[i + 1])
    end
end
local expired = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)
if #expired > 0 then
    redis.call('ZREM', KEYS[1], unpack(expired))
end
local longest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if longest then
    redis.call('EXPIREAT', KEYS[1], longest)
    redis.call('EXPIREAT', KEYS[2], longest)
end
"""
# As one text: taking a thousand answers apart would cost the client more than all the rest.
_READ = """
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {page[1], table.concat(page[2], ' ')}
"""
_STREAM_LENGTH = 10_000
# Denials at a time, in each direction: the event loop, and Redis, are held up for 2 or 3 ms.
_PAGE = 1000
# How long Redis may hold a question for changes, and what the network may add before it counts as lost.
_BLOCK, _GRACE = 1.0, 0.25
_CONNECTIONS = 8


class RedisRevocations(FollowedRevocations):
    """`Revocations` in Redis 6.2 or later, or Valkey.

    Takes a URL, or any `redis.asyncio` client (single, Sentinel, cluster) with `decode_responses=False`,
    and keeps one of its connections busy. `max_staleness` is how many seconds a worker goes on with what
    it knows while Redis is away. A denial is stored within `timeout` seconds, or raises.
    """

    def __init__(
        self,
        url_or_client: str | RedisClient,
        *,
        prefix: str = "fastsession:",
        max_staleness: float = 60.0,
        timeout: float = 0.25,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_staleness=max_staleness, clock=clock)
        self._redis = RedisConnections(
            url_or_client, connect_timeout=timeout, read_timeout=_BLOCK + _GRACE, connections=_CONNECTIONS
        )
        self._denied = f"{prefix}{{revocations}}:denied"
        self._changes = f"{prefix}{{revocations}}:changes"
        self._timeout = timeout
        # The number of the last change read; None until everything has been read once.
        self._number: int | None = None

    async def _advance(self) -> None:
        """Take in the changes since the last time, or everything where that is not enough."""
        last = await self._last_number()
        if self._number is None or last < self._number:
            await self._read_everything(last)
        else:
            await self._read_changes(self._number)
        self._denials.sweep(self._clock())

    async def _read_changes(self, number: int) -> None:
        """Wait for changes after this number."""
        block = self._block()
        waiting = self._command(
            "XREAD", "COUNT", _PAGE, "BLOCK", int(block * 1000), "STREAMS", self._changes, f"{number}-0"
        )
        entries = _entries(await self._redis.attend(block + _GRACE, waiting))
        if entries and _number(entries[0]) != number + 1:
            # Trimmed away, or lost with Redis's memory.
            await self._read_everything(_number(entries[0]) - 1)
            return
        for entry in entries:
            fields = entry[1]
            self._denials.add(fields[b"denial"].decode(), int(fields[b"until"]))
            self._number = _number(entry)

    async def _read_everything(self, number: int) -> None:
        """Read all that Redis knows, which includes changes up to this number, and tell it what it does not."""
        cursor = b"0"
        while True:
            cursor, page = await self._ask(self._command("EVAL", _READ, 1, self._denied, cursor, _PAGE))
            words = page.decode().split()
            for denial, until in zip(words[::2], words[1::2], strict=True):
                self._denials.add(denial, int(until))
            if cursor == b"0":
                break
        if self._number is not None:
            # Redis may have lost what was known here before; it passes over what it has.
            known = self._denials.texts(self._clock())
            while page := list(islice(known, _PAGE)):
                await self._store_all(page)
        self._number = number

    async def _store(self, denial: str, until: int) -> None:
        await self._store_all([(denial, until)])

    async def _store_all(self, denials: list[tuple[str, int]]) -> None:
        values = [value for denial in denials for value in denial]
        command = self._command("EVAL", _DENY, 2, self._denied, self._changes, _STREAM_LENGTH, *values)
        await self._redis.answer(self._timeout, command)

    async def _close(self) -> None:
        """Close the connections, unless the client was given."""
        await self._redis.close()

    async def _last_number(self) -> int:
        """The number of the last change, 0 when there is none."""
        entries = await self._ask(self._command("XREVRANGE", self._changes, "+", "-", "COUNT", 1))
        return _number(entries[0]) if entries else 0

    def _block(self) -> float:
        """How long a question may be held: less than the client waits for an answer."""
        waits: float | None = self._redis.client.get_connection_kwargs().get("socket_timeout")
        return _BLOCK if waits is None else min(_BLOCK, waits / 2)

    def _command(self, *args: Any) -> Awaitable[Any]:
        return self._redis.client.execute_command(*args)

    async def _ask(self, question: Awaitable[Any]) -> Any:
        return await self._redis.attend(self._timeout, question)


def _entries(reply: Any) -> list[Any]:
    """The entries of the one stream asked for: redis-py gives a list, or with RESP3 a dictionary of lists."""
    if not reply:
        return []
    streams = list(cast("dict[bytes, Any]", reply).values()) if isinstance(reply, dict) else [reply[0][1:]]
    entries: list[Any] = streams[0][0]
    return entries


def _number(entry: Any) -> int:
    return int(entry[0].partition(b"-")[0])
