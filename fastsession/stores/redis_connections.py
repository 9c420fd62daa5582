"""Commands to Redis or Valkey through any `redis.asyncio` client, answered in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.deadline import within

T = TypeVar("T")


class RedisPipeline(Protocol):
    """Several commands in one round trip."""

    def execute_command(self, *args: Any) -> Any:
        """Add a command."""
        ...

    async def execute(self) -> list[Any]:
        """The answers to all of them."""
        ...


class RedisClient(Protocol):
    """What FastSession asks of a client: `redis.asyncio.Redis` and `RedisCluster` have it, Sentinel's too."""

    def execute_command(self, *args: Any) -> Awaitable[Any]:
        """Send a command; redis-py's answer."""
        ...

    def pipeline(self, transaction: bool = ...) -> RedisPipeline:  # noqa: FBT001  (redis-py's signature)
        """Collect commands."""
        ...

    def get_encoder(self) -> Any:
        """How answers are decoded."""
        ...

    def get_connection_kwargs(self) -> dict[str, Any]:
        """How connections are made."""
        ...


class RedisConnections:
    """A client, made from a URL or given, that raises `StoreUnavailableError` and nothing else.

    From a URL: no retry, a bounded pool, `connect_timeout` and `read_timeout` in seconds (the URL's own
    options win). A given client stays its owner's, with its timeouts and retries; it is never closed here.
    """

    def __init__(
        self, url_or_client: str | RedisClient, *, connect_timeout: float, read_timeout: float, connections: int
    ) -> None:
        self._given = None if isinstance(url_or_client, str) else url_or_client
        self._url = url_or_client if isinstance(url_or_client, str) else ""
        self._options: dict[str, Any] = {
            "max_connections": connections,
            # How long to wait for a free one.
            "timeout": connect_timeout,
            "socket_connect_timeout": connect_timeout,
            "socket_timeout": read_timeout,
            "retry": Retry(NoBackoff(), 0),
            # RESP2 needs no greeting: one round trip less for each new connection.
            "protocol": 2,
        }
        # Connections belong to an event loop.
        self._made: tuple[asyncio.AbstractEventLoop, Redis] | None = None
        if self._given is not None and self._given.get_encoder().decode_responses:
            message = "Sealed data is bytes: give FastSession a Redis client with decode_responses=False."
            raise ConfigurationError(message)

    @property
    def client(self) -> RedisClient:
        """The client given, or the one made for this event loop."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if self._made is None or self._made[0] is not loop:
            pool: BlockingConnectionPool = BlockingConnectionPool.from_url(self._url, **self._options)  # pyright: ignore[reportUnknownMemberType]  # redis-py leaves **kwargs untyped
            self._made = loop, Redis.from_pool(pool)
        return self._made[1]

    async def answer(self, limit: float, operation: Awaitable[T]) -> T:
        """What the operation gives within so many seconds. A caller that is cancelled leaves it to end by itself."""
        with _faults():
            return await within(limit, operation)

    async def attend(self, limit: float, operation: Awaitable[T]) -> T:
        """As `answer`, for a task that waits for nothing else: cancelled, it gives the operation up."""
        with _faults():
            async with asyncio.timeout(limit):
                return await operation

    async def close(self) -> None:
        """Close the connections of a client that was made from a URL."""
        made, self._made = self._made, None
        if made is not None and made[0] is asyncio.get_running_loop():
            await made[1].aclose()


@contextmanager
def _faults() -> Generator[None]:
    """Raise `StoreUnavailableError` for whatever a client raises; a timeout is an OSError."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        message = f"Redis failed: {type(error).__name__}"
        raise StoreUnavailableError(message) from error
