"""Writes to Redis that count when replicas have them, also where a cluster's keys move to other servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.exceptions import AskError, MovedError, NoScriptError, TryAgainError

from fastsession.errors import StoreUnavailableError
from fastsession.stores.redis_clients import RedisClient
from fastsession.stores.redis_scripts import RedisScript

# How often a script is sent where the first answer only says where or how to send it.
_MOST_TRIES = 4
# Seconds that the other keys of a slot are given to follow.
_PAUSE = 0.02


async def run_confirmed(
    client: RedisClient,
    script: RedisScript,
    keys: Sequence[str],
    values: Sequence[Any],
    *,
    replicas: int,
    patience: int,
) -> Any:
    """Run a script that writes; raises `StoreUnavailableError` unless so many replicas have it in `patience` ms."""
    words, asked = script.by_digest(keys, values), None
    for _ in range(_MOST_TRIES):
        answer, confirmed = await _with_wait(client, words, ("WAIT", replicas, patience), keys[0], asked)
        if isinstance(answer, NoScriptError):
            words = script.by_text(keys, values)
        elif isinstance(answer, MovedError):
            # This command follows, and lets the client learn where the key is now.
            await client.execute_command("EXISTS", keys[0])
            asked = None
        elif isinstance(answer, AskError):
            asked = answer
        elif isinstance(answer, TryAgainError):
            # Some of the keys have moved, and others have not.
            await asyncio.sleep(_PAUSE)
        elif isinstance(answer, Exception):
            raise answer
        elif isinstance(confirmed, Exception):
            raise confirmed
        elif confirmed < replicas:
            message = f"{confirmed} of {replicas} replicas have confirmed it."
            raise StoreUnavailableError(message)
        else:
            return answer
    raise StoreUnavailableError("The key is being moved.")


async def _with_wait(client: RedisClient, words: Sequence[Any], wait: Sequence[Any], key: str, asked: Any) -> list[Any]:
    """The answers, or errors, to a script and to WAIT, which asks for what was written over its own connection.

    `asked` is an `AskError`, which says where to ask for a key whose slot is being moved, or None.
    """
    where: dict[str, Any] = {}
    options: dict[str, Any] = {}
    pipeline = client.pipeline(transaction=False)
    if isinstance(client, RedisCluster):
        await client.initialize()
        node = client.get_node_from_key(key) if asked is None else client.get_node(asked.host, asked.port)
        # Redirected by the client, the script would go to another server than WAIT.
        where, options = {"target_nodes": [node]}, {"allow_redirections": False}
    if asked is not None:
        pipeline.execute_command("ASKING", **where)
    pipeline.execute_command(*words, **where)
    pipeline.execute_command(*wait, **where)
    answers = await pipeline.execute(raise_on_error=False, **options)
    return answers[-2:]
