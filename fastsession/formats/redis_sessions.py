"""Where connect-redis keeps express-session's sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastsession.building.given import checked_seconds
from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.deadline import within

if TYPE_CHECKING:
    from redis.asyncio import Redis


# Connections of a client that is made from a URL.
_MOST = 10


class RedisSessionReader:
    """A store for `ExpressSession`: reads what connect-redis wrote, and writes nothing.

    Takes a client of `redis.asyncio`, or a URL to make one from. `prefix` is connect-redis's option of
    that name. `timeout` is in seconds, for connecting and for the answer: a request waits for both.
    """

    def __init__(self, client: Redis | str, *, prefix: str = "sess:", timeout: float = 0.25) -> None:
        try:
            from redis.asyncio import Redis  # noqa: PLC0415  (an extra)
        except ModuleNotFoundError:
            message = "RedisSessionReader needs redis: pip install 'fastsession-sealed[redis]'."
            raise ConfigurationError(message) from None
        if not isinstance(client, str | Redis):
            message = "RedisSessionReader takes a client of redis.asyncio, because its answer is awaited, or a URL."
            raise ConfigurationError(message)
        from fastsession.stores.redis_connections import RedisConnections  # noqa: PLC0415  (needs redis)

        self._timeout = checked_seconds("timeout", timeout, least=0.001)
        self._made: RedisConnections | None = None
        self._given: Redis | None = None
        if isinstance(client, str):
            self._made = RedisConnections(client, timeout=timeout, connections=_MOST)
        else:
            # Not through `RedisConnections`, which refuses clients that decode: these sessions are text.
            self._given = client
        self._prefix = prefix

    async def get(self, session_id: str, /) -> bytes | str | None:
        """The JSON under that id, or None; raises `StoreUnavailableError`."""
        from redis.exceptions import RedisError  # noqa: PLC0415  (an extra, found by the constructor)

        client: Any = self._given if self._made is None else self._made.client
        try:
            found: bytes | str | None = await within(
                self._timeout, client.execute_command("GET", self._key(session_id))
            )
        except (RedisError, OSError):
            message = "Redis, where connect-redis keeps its sessions, did not answer."
            raise StoreUnavailableError(message) from None
        return found

    def _key(self, session_id: str) -> str:
        return self._prefix + session_id
