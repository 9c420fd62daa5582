"""Revocations for a fleet, in Redis or Valkey.

Three keys, in one slot of a cluster:

- `<prefix>{revocations}:denied`, a sorted set of denials by expiry: what a worker reads when it starts
- `<prefix>{revocations}:changes`, a stream of denials, kept short: what it follows from then on
- `<prefix>{revocations}:mark`, a hash that says that denials have been kept here, and until when there are some

The former two expire with the last denial in them. The ids of the stream's entries end with a random number, so
none is ever given twice. A worker asks for its last entry together with those that follow it: where that is gone,
the server has been restored or replaced by one that knows less, and the worker reads everything and gives back
what the server lacks. Where the mark is gone, or the set before its time, the server has lost its memory; whoever
writes then removes the stream, so that every worker notices.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, cast

from fastsession.errors import StoreUnavailableError
from fastsession.stores.denials import Denials, all_text
from fastsession.stores.followed_revocations import FollowedRevocations
from fastsession.stores.on_lost import OnLost, check_on_lost, denials_for
from fastsession.stores.redis_checks import prepare
from fastsession.stores.redis_clients import RedisSource
from fastsession.stores.redis_connections import RedisConnections
from fastsession.stores.redis_denial_scripts import BEGIN, CHANGES, DENY, READ, STATE
from fastsession.stores.redis_history import NOTHING, SeenHistory
from fastsession.stores.redis_scripts import RedisScript
from fastsession.stores.server_urls import SettingsUrl

_TRIAL_SECONDS = 60
_STREAM_LENGTH = 10_000
# Denials at a time, in each direction: the event loop, and Redis, are held up for 2 or 3 ms.
_PAGE = 1000
# How long Redis may hold a question for changes, and what the network may add before it counts as lost.
_BLOCK, _GRACE = 1.0, 0.25
_CONNECTIONS = 7


class RedisRevocations(FollowedRevocations):
    """`Revocations` in Redis 6.2 or later, or Valkey.

    Takes a URL (`redis://`, `rediss://`, `redis+sentinel://h1,h2,h3/main`, `redis+cluster://h1,h2`), a function
    that makes a `redis.asyncio` client, called once in every event loop, or a client, with
    `decode_responses=False`. Keeps one connection busy.

    `max_staleness` is how many seconds a worker goes on with what it knows while Redis is away. A denial is
    stored within `timeout` seconds, or raises; with `replicas=1`, a replica must have it, too.

    `on_lost` says that this Redis has kept denials before, and what to do when it has forgotten that, and no
    worker remembers: `"sign_out"` ends every session that was created before now, `"accept"` lets in again who
    was denied. Both are told.
    """

    def __init__(
        self,
        source: RedisSource | SettingsUrl,
        *,
        prefix: str = "fastsession:",
        max_staleness: float = 60.0,
        timeout: float = 0.25,
        replicas: int = 0,
        on_lost: OnLost | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_staleness=max_staleness, timeout=timeout, clock=clock)
        check_on_lost(on_lost)
        self._redis = RedisConnections(source, timeout=timeout, connections=_CONNECTIONS, replicas=replicas)
        self._keys = [f"{prefix}{{revocations}}:{name}" for name in ("denied", "changes", "mark")]
        self._on_lost: OnLost | None = on_lost
        # With a write in every call, also for what is known: WAIT asks for the writes of its own connection.
        self._always = int(replicas > 0)
        self._history = SeenHistory()

    async def _look(self) -> None:
        """Take in the changes since the last time, or everything where that is not enough."""
        made = self._history.unread()
        if self._history.last is None or not await self._read_changes(self._history.last, made):
            await self._read_everything()
        self._denials.sweep(self._clock())

    async def _wait(self) -> None:
        """Wait for an entry after the last one."""
        block = self._block()
        words = "XREAD", "COUNT", 1, "BLOCK", int(block * 1000), "STREAMS", self._keys[1], self._history.last
        await self._redis.attend(block + _GRACE, self._redis.command(*words))

    async def _read_changes(self, last: str, made: set[str]) -> bool:
        """Read the entries after the last one; whether the server still knows all that this worker knows."""
        while True:
            whole, entries = cast("tuple[int, list[Any]]", await self._ask(CHANGES, last, _PAGE))
            if last != NOTHING and entries and entries[0][0].decode() == last:
                following = entries[1:]
            elif last == NOTHING and not entries:
                following = []
            else:
                return False
            for _, (_, denial, _, until) in following:
                self._denials.add(denial.decode(), int(until))
            self._history.read(change.decode() for change, _ in following)
            if len(entries) < _PAGE:
                return bool(whole) and not made & self._history.unread()
            last = self._history.last or NOTHING

    async def _read_everything(self) -> None:
        """Read all that Redis knows, and give back what it does not."""
        made = self._history.unread()
        whole, last = await self._ask(STATE)
        there = await self._read_set()
        given_back = await self._give_back(self._denials.beyond(there, self._clock()))
        if not whole and not await self._begin():
            # Another worker did, and may have denied something with it.
            await self._read_everything()
            return
        if self._history.last is not None and (given_back or not whole):
            self._tell(f"Redis has lost denials; this worker has given {given_back} back")
        self._history.read_everything(last.decode(), made)

    async def _read_set(self) -> Denials:
        """What Redis knows, which is known here from then on."""
        there, cursor = Denials(), b"0"
        while True:
            cursor, page = await self._ask(READ, cursor, _PAGE)
            words = page.decode().split()
            for denial, until in zip(words[::2], words[1::2], strict=True):
                there.add(denial, int(until))
                self._denials.add(denial, int(until))
            if cursor == b"0":
                return there

    async def _give_back(self, denials: Iterable[tuple[str, int]]) -> int:
        """Tell Redis what it may not know; how many it did not know. Some were stored while it was read."""
        count, left = 0, iter(denials)
        while page := list(islice(left, _PAGE)):
            _, added = await self._redis.answer(partial(self._redis.run, DENY, self._keys, *_values(page)))
            count += added
        return count

    async def _begin(self) -> bool:
        """Set the mark that was missing; False when another worker has done it."""
        denials = denials_for(self._on_lost if self._history.last is None else None, self._clock())
        begun = await self._redis.answer(partial(self._redis.run, BEGIN, self._keys, *_values(denials)))
        if begun is None:
            return False
        for denial, until in denials:
            self._denials.add(denial, until)
        if self._history.last is None and self._on_lost is not None:
            self._tell(f"Redis has forgotten every denial; on_lost={self._on_lost!r} was carried out")
        return True

    async def _store(self, denial: str, until: int) -> None:
        async def steps() -> None:
            values = _values([(denial, until)], always=self._always)
            change, _ = await self._redis.run_confirmed(DENY, self._keys, *values)
            self._history.made(change.decode())

        await self._redis.answer(steps)

    async def _prepare(self) -> None:
        """Make connections; raises `ConfigurationError` for a refused password, certificate or command."""
        keys = [f"{key}:check-{secrets.token_hex(8)}" for key in self._keys]
        # One that lasts, and one that is over.
        denials = [(all_text(0), int(self._clock()) + _TRIAL_SECONDS), (all_text(1), 1)]

        async def trial() -> None:
            await self._redis.run(BEGIN, keys, *_values(denials))
            for script, values in ((CHANGES, (NOTHING, 1)), (STATE, ()), (READ, (0, 1))):
                await self._redis.run(script, keys, *values)
            await self._redis.command("XREAD", "COUNT", 1, "STREAMS", keys[1], NOTHING)
            await self._redis.send([("EXPIRE", key, 1) for key in keys])
            await self._redis.run_confirmed(DENY, keys, *_values(denials, always=self._always))

        # Where it cannot be reached now, following it says so.
        with suppress(StoreUnavailableError):
            await prepare(self._redis, type(self).__name__, keys[0], trial, evicted="lets in again who was denied")

    async def _close(self) -> None:
        """Close the connections, unless the client was given."""
        await self._redis.close()

    def _block(self) -> float:
        """How long a question may be held: less than the client waits for an answer."""
        waits: float | None = self._redis.client.get_connection_kwargs().get("socket_timeout")
        return _BLOCK if waits is None else min(_BLOCK, waits / 2)

    async def _ask(self, script: RedisScript, *values: Any) -> Any:
        return await self._redis.answer(partial(self._redis.run, script, self._keys, *values), reads=True)


def _values(denials: Iterable[tuple[str, int]], *, always: int = 0) -> list[Any]:
    """What the scripts that add denials take: every call has random digits of its own."""
    return [_STREAM_LENGTH, secrets.randbits(63), always, *(value for denial in denials for value in denial)]
