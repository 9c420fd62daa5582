"""How connections to Redis are made: a few at a time, with one TLS context, never holding the event loop for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

if TYPE_CHECKING:
    _Base = Connection
else:
    _Base = object

# A TLS handshake takes some milliseconds of the processor: fifty at a time would hold up everything else.
_AT_A_TIME = 4


class Making:
    """What the connections of one client share while they are being made."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_AT_A_TIME)
        self._tls: Any = None
        self._loading: asyncio.Future[Any] | None = None

    async def share_tls(self, own: Any) -> Any:
        """One context in place of each connection's own, loaded beside the event loop: that takes some 50 ms."""
        if self._tls is None:
            self._tls = own
        while self._tls.context is None:
            if self._loading is None or self._loading.done():
                self._loading = asyncio.ensure_future(asyncio.to_thread(self._tls.get))
            await asyncio.shield(self._loading)
        return self._tls


class _Sparing(_Base):
    """A connection that waits for its turn before it is made."""

    def __init__(self, *, making: Making, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]  # redis-py leaves **kwargs untyped
        self._making = making

    async def _connect(self) -> None:
        async with self._making.turns:
            await self._get_ready()
            await super()._connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped

    async def _get_ready(self) -> None:
        """What has to be there before a connection is opened."""


class _SparingTLS(_Sparing):
    ssl_context: Any

    async def _get_ready(self) -> None:
        self.ssl_context = await self._making.share_tls(self.ssl_context)


class SparingConnection(_Sparing, Connection):
    """To a server."""


class SparingTLSConnection(_SparingTLS, SSLConnection):
    """To a server, over TLS."""


class SparingSocketConnection(_Sparing, UnixDomainSocketConnection):
    """To a server on this machine."""


class _ToMaster(_Base):
    """A connection that leaves a master which was replaced.

    redis-py closes the idle connections when Sentinel names another master, and puts those in use back into the pool.
    A master that hung and has come back still knows the sessions that ended meanwhile, until Sentinel demotes it.
    """

    connection_pool: Any

    async def connect(self) -> None:
        master = self.connection_pool.master_address
        if self.is_connected and master not in (None, (self.host, self.port)):
            await self.disconnect(nowait=True)
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


class SparingSentinelConnection(_ToMaster, _Sparing, SentinelManagedConnection):
    """To the server that Sentinel names."""


class SparingSentinelTLSConnection(_ToMaster, _SparingTLS, SentinelManagedSSLConnection):
    """To the server that Sentinel names, over TLS."""


def to_master(own: type[Any]) -> type[Any]:
    """A class of redis-py's connections to a master, as one whose connections leave a master that was replaced."""
    return own if issubclass(own, _ToMaster) else type(own.__name__, (_ToMaster, own), {})


def connection_class(*, watched: bool, tls: bool) -> type[Connection]:
    """The class of connections to a server, or to one that Sentinel watches."""
    if watched:
        return SparingSentinelTLSConnection if tls else SparingSentinelConnection
    return SparingTLSConnection if tls else SparingConnection
