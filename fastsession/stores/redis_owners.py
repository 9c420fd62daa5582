"""All records of an owner in Redis, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from fastsession.stores.contract import Page, Record
from fastsession.stores.redis_connections import RedisConnections
from fastsession.stores.redis_record_scripts import END, END_PAGE, PAGE

# Records at a time: the event loop, and Redis, are held up for some milliseconds. Fewer where each of them waits
# for replicas.
_PAGE, _CONFIRMED_PAGE = 200, 10
# Where a scan begins, and what it gives in the end.
FIRST = "0"
# What a script answers for a record that it has ended. Others may be about to become this owner's.
_ENDED = 1


class OwnedRecords:
    """Reads and ends what the owners' indexes know. `together` says whether one server has all keys."""

    def __init__(
        self, redis: RedisConnections, *, session: str, owner: str, replicas: int, together: Callable[[], bool]
    ) -> None:
        self._redis = redis
        self._session = session
        self._owner = owner
        self._replicas = replicas
        self._together = together

    async def page(self, owner: str, cursor: str) -> Page:
        """Some of the owner's live records."""
        now, cursor, expiries = await self._scan(owner, cursor, _PAGE)
        names = [(self._session + key, "data", "version", "owner") for key in expiries]
        answers = await self._redis.send([("HMGET", *name) for name in names])
        found = {key: answer for key, answer in zip(expiries, answers, strict=True) if answer[1] is not None}
        # A key that is not there and has not expired may be on its way: on a cluster the index is written first.
        await self._unlist(owner, [key for key, expiry in expiries.items() if key not in found and expiry <= now])
        records = {
            key: Record(data, int(version))
            for key, (data, version, its_owner) in found.items()
            if its_owner.decode() == owner
        }
        return Page(records, None if cursor == FIRST else cursor)

    async def end_page(self, owner: str, cursor: str, keep: Collection[str]) -> str:
        """End some of the owner's records, and return where to go on."""
        if self._together():
            values = cursor, _PAGE, self._session, owner, *keep
            following = await self._redis.run_confirmed(END_PAGE, [self._owner + owner], *values)
            return str(following.decode())
        now, following, expiries = await self._scan(owner, cursor, _CONFIRMED_PAGE if self._replicas else _PAGE)
        keys = [key for key in expiries if key not in keep]
        if self._replicas:
            ended = [await self._redis.run_confirmed(END, [self._session + key], owner, 1) for key in keys]
        else:
            ended = await self._redis.run_each(END, [([self._session + key], [owner, 0]) for key in keys])
        await self._unlist(
            owner, [key for key, end in zip(keys, ended, strict=True) if end == _ENDED or expiries[key] <= now]
        )
        return str(following)

    async def _scan(self, owner: str, cursor: str, count: int) -> tuple[float, str, dict[str, float]]:
        """The server's time, which decides what has expired, where to go on, and keys with their expiries."""
        now, following, flat = await self._redis.run(PAGE, [self._owner + owner], cursor, count)
        expiries = {key.decode(): float(expiry) for key, expiry in zip(flat[::2], flat[1::2], strict=True)}
        return float(now), following.decode(), expiries

    async def _unlist(self, owner: str, keys: Sequence[str]) -> None:
        if keys:
            await self._redis.command("ZREM", self._owner + owner, *keys)
