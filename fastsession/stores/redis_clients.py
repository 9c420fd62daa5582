"""Redis clients made from a URL: a single server, what Sentinel watches, or a cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from fastsession.errors import ConfigurationError
from fastsession.stores.redis_making import Making, SparingSocketConnection, connection_class, to_master
from fastsession.stores.redis_sentinels import Sentinels
from fastsession.stores.redis_urls import RedisAddress, address_of, option_named

# A cluster's client tries again by itself where slots have moved, and that often where a node does not answer.
_CLUSTER_RETRIES = 1


class RedisPipeline(Protocol):
    """Several commands in one round trip."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Add a command."""
        ...

    async def execute(self, raise_on_error: bool = ..., **options: Any) -> list[Any]:  # noqa: FBT001  (redis-py's signature)
        """The answers to all of them."""
        ...


class RedisClient(Protocol):
    """What FastSession asks of a client: `redis.asyncio.Redis` and `RedisCluster` have it, Sentinel's too."""

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
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

    async def aclose(self) -> None:
        """Close its connections."""
        ...


RedisSource = str | RedisClient | Callable[[], RedisClient]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for making a connection and for reading an answer, and the most connections."""

    connect: float
    read: float
    connections: int


def check(url: str, limits: Limits) -> None:
    """Raise `ConfigurationError` unless a client can be made from the URL. It is not repeated: it holds a password."""
    try:
        client = client_from(url, limits)
        if isinstance(client, Redis):
            client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    except (TypeError, RedisError, RedisClusterException) as error:
        named = option_named(error, url) or type(error).__name__
        message = f"The Redis URL has an option that redis-py does not take: {named}."
        raise ConfigurationError(message) from None


def adopt(client: RedisClient) -> None:
    """Take a client that the application made; raises `ConfigurationError` for one that cannot be used.

    One of redis-py's Sentinel finds the master, and leaves one that was replaced, as one from a URL does.
    """
    if not hasattr(client, "aclose"):
        message = f"Give a URL, or a client of redis.asyncio, not {type(client).__name__} of {type(client).__module__}."
        raise ConfigurationError(message)
    if client.get_encoder().decode_responses:
        message = "Sealed data is bytes: give FastSession a Redis client with decode_responses=False."
        raise ConfigurationError(message)
    pool: Any = getattr(client, "connection_pool", None)
    if is_movable(client) and getattr(pool, "is_master", False):
        pool.connection_class = to_master(pool.connection_class)
        pool.sentinel_manager = Sentinels.in_place_of(pool.sentinel_manager)


def client_from(url: str, limits: Limits) -> Redis | RedisCluster:
    """A client for the running event loop. Nothing is connected yet. The URL's own options win."""
    address, making = address_of(url), Making()
    options: dict[str, Any] = {
        "socket_connect_timeout": limits.connect,
        "socket_timeout": limits.read,
        "max_connections": limits.connections,
        # RESP2 needs no greeting: one round trip less for each new connection.
        "protocol": 2,
        **address.options,
    }
    if address.kind == "cluster":
        return _cluster(address, options, making)
    # No hidden retries: a request would wait for them.
    options |= {"retry": Retry(NoBackoff(), 0), "making": making}
    if address.kind == "sentinel":
        return _watched(address, options)
    made = SparingSocketConnection if "path" in options else connection_class(watched=False, tls=address.tls)
    return Redis.from_pool(ConnectionPool(connection_class=made, **options))


async def close(client: Any) -> None:
    """Close a client's connections, those to sentinels and those of a cluster that was not found again, too."""
    await client.aclose()
    if isinstance(client, RedisCluster):
        await client.nodes_manager.aclose()
        await client.nodes_manager.aclose("startup_nodes")
    elif is_movable(client):
        sentinels: list[Redis] = client.connection_pool.sentinel_manager.sentinels
        for sentinel in sentinels:
            await sentinel.aclose()


def is_movable(client: Any) -> bool:
    """Whether a client can find out that its server has been replaced."""
    return isinstance(client, RedisCluster) or isinstance(
        getattr(client, "connection_pool", None), SentinelConnectionPool
    )


async def find_again(client: Any) -> None:
    """Let a client that is movable find out where its servers are now."""
    if isinstance(client, RedisCluster):
        await client.nodes_manager.initialize()
        return
    # redis-py asks them in this order, and one that hangs keeps it from ever asking the next. Connections to the old
    # master end by their own limits: closing them under others would lose those that are made meanwhile.
    sentinels: list[Redis] = client.connection_pool.sentinel_manager.sentinels
    sentinels.append(sentinels.pop(0))


def _watched(address: RedisAddress, options: dict[str, Any]) -> Redis:
    credentials = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    plain = connection_class(watched=False, tls=address.tls)
    of_sentinels: dict[str, Any] = {**options, **credentials, "connection_class": plain, "db": 0}
    places: list[dict[str, Any]] = [{"host": host, "port": port} for host, port in address.nodes]
    pools = [ConnectionPool(**{**of_sentinels, **place}) for place in places]
    for name in ("host", "port"):
        options.pop(name, None)
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        address.service,
        Sentinels([Redis.from_pool(pool) for pool in pools]),
        connection_class=connection_class(watched=True, tls=address.tls),
        **options,
    )
    return Redis.from_pool(pool)


def _cluster(address: RedisAddress, options: dict[str, Any], making: Making) -> RedisCluster:
    for name in ("host", "port", "db"):
        options.pop(name, None)
    nodes = [ClusterNode(host, port) for host, port in address.nodes]
    client = RedisCluster(startup_nodes=nodes, ssl=address.tls, retry=Retry(NoBackoff(), _CLUSTER_RETRIES), **options)
    # A cluster's client takes no class of connections: those of nodes found later are made with these options.
    made = {"connection_class": connection_class(watched=False, tls=address.tls)}
    client.connection_kwargs.update(made, making=making)
    for node in client.nodes_manager.startup_nodes.values():
        node.connection_class = made["connection_class"]
        node.connection_kwargs["making"] = making
    return client
