"""What is done once when a store or revocations in Redis start: a few connections, and a look for bad settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio import RedisCluster
from redis.exceptions import ResponseError

from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.redis_connections import RedisConnections
from fastsession.stores.redis_faults import as_unavailable, cause, is_refusal

# Connections that are made before the first request comes.
_READY = 4
# Seconds that a start waits for them.
_STARTING = 2.0

_logger = logging.getLogger("fastsession")


async def prepare(
    redis: RedisConnections, name: str, key: str, trial: Callable[[], Awaitable[None]], *, evicted: str
) -> None:
    """Connect and run a trial; raises `ConfigurationError` for what no waiting mends.

    Raises `StoreUnavailableError` for a server that later calls may reach. `key` is one that the user may ask
    for, and `evicted` says what happens when Redis evicts keys.
    """
    try:
        with as_unavailable():
            async with asyncio.timeout(_STARTING):
                # All of them to the end: a connection that is made after a failed start would not be closed.
                attempts = trial(), *(_connect(redis, key) for _ in range(_READY))
                for outcome in await asyncio.gather(*attempts, return_exceptions=True):
                    if outcome is not None:
                        raise outcome
                await _warn_of_eviction(redis, name, evicted)
    except StoreUnavailableError as error:
        found = str(error) if error.__cause__ is None else cause(error.__cause__)
        if is_refusal(error):
            message = f"{name} is refused by Redis or refuses it: {found}. docs/stores.md has the permissions."
            raise ConfigurationError(message) from error
        message = f"{name} cannot use Redis yet: {found}"
        raise StoreUnavailableError(message) from error


async def _connect(redis: RedisConnections, key: str) -> None:
    """One command of several at the same time, each of which needs a connection of its own."""
    await redis.command("EXISTS", key)


async def _warn_of_eviction(redis: RedisConnections, name: str, evicted: str) -> None:
    options = {"target_nodes": RedisCluster.PRIMARIES} if redis.is_cluster else {}
    try:
        answer = cast("dict[str, Any]", await redis.client.execute_command("INFO", "memory", **options))
    except ResponseError:
        # Not every user may ask, and it is not worth a permission.
        return
    servers = [answer] if "maxmemory_policy" in answer else list(answer.values())
    policies = {str(server["maxmemory_policy"]) for server in servers if "maxmemory_policy" in server}
    if policies - {"noeviction"}:
        _logger.warning(
            "%s: Redis evicts keys (maxmemory-policy %s), which %s. Set maxmemory-policy noeviction.",
            name,
            ", ".join(sorted(policies)),
            evicted,
        )
