"""Asks all sentinels at once which server is the master: one that hangs costs no time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.exceptions import RedisError

# Seconds that later answers are waited for after the first one: it may be of a sentinel that has missed a failover.
_GRACE = 0.05


# The epoch of the last failover that a sentinel knows, and the master's address.
_Answer = tuple[int, tuple[str, int]]


class Sentinels(Sentinel):
    """redis-py's, but side by side. Of different answers, that of the latest failover counts."""

    def __init__(self, clients: Sequence[Redis], settings: Sentinel | None = None) -> None:
        super().__init__(())  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        self.sentinels = list(clients)
        self._settings: Any = settings or self
        self._epoch = 0

    @classmethod
    def in_place_of(cls, own: Sentinel) -> Sentinel:
        """With the sentinels and the settings of the application's own, unless that has another way to ask them."""
        return cls(own.sentinels, own) if type(own).discover_master is Sentinel.discover_master else own

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """The master's address; raises `MasterNotFoundError`."""
        asked = [asyncio.ensure_future(self._master_by(client, service_name)) for client in self.sentinels]
        try:
            waiting: set[asyncio.Future[_Answer | None]] = set(asked)
            while waiting and not self._believed(asked):
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting:
                await asyncio.wait(waiting, timeout=_GRACE)
        finally:
            for task in asked:
                task.cancel()
        believed = self._believed(asked)
        if not believed:
            message = f"None of {len(asked)} sentinels knows a master of the name {service_name!r}."
            raise MasterNotFoundError(message)
        self._epoch, address = max(believed)
        return address

    def _believed(self, asked: Sequence[asyncio.Future[_Answer | None]]) -> list[_Answer]:
        """The answers so far, without those from before the last failover that was seen here.

        A sentinel that hung during a failover names the old master for some seconds, which may have come back with
        it and still knows the sessions that have ended since. If most say so, they were set up anew.
        """
        answers = [task.result() for task in asked if task.done() and not task.cancelled()]
        known = [answer for answer in answers if answer is not None]
        latest = [answer for answer in known if answer[0] >= self._epoch]
        return latest or (known if len(known) > len(asked) // 2 else [])

    async def _master_by(self, client: Redis, service_name: str) -> _Answer | None:
        try:
            masters = cast("dict[str, Any]", await client.sentinel_masters())
        except (RedisError, OSError):
            return None
        state = masters.get(service_name)
        # What a sentinel itself takes for dead or demoted is no master.
        if state is None or not self._settings.check_master_state(state, service_name):
            return None
        forced: str | None = getattr(self._settings, "_force_master_ip", None)
        return int(state["config-epoch"]), (forced or state["ip"], state["port"])
