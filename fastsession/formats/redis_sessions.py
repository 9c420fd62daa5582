"""Where connect-redis keeps express-session's sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastsession.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedisSessionReader:
    """A store for `ExpressSession`: reads what connect-redis wrote, and writes nothing.

    Takes a client of `redis.asyncio`, or a URL to make one from. `prefix` is connect-redis's option of
    that name.
    """

    def __init__(self, client: Redis | str, *, prefix: str = "sess:") -> None:
        try:
            from redis.asyncio import Redis  # noqa: PLC0415  (an extra)
        except ModuleNotFoundError:
            message = "RedisSessionReader needs redis: pip install 'fastsession-sealed[redis]'."
            raise ConfigurationError(message) from None
        client = Redis.from_url(client) if isinstance(client, str) else client  # pyright: ignore[reportUnknownMemberType]  # redis leaves **kwargs untyped
        if not isinstance(client, Redis):
            message = "RedisSessionReader takes a client of redis.asyncio, because its answer is awaited, or a URL."
            raise ConfigurationError(message)
        self._client = client
        self._prefix = prefix

    async def get(self, session_id: str, /) -> bytes | str | None:
        """The JSON under that id, or None; raises `StoreUnavailableError`."""
        from redis.exceptions import RedisError  # noqa: PLC0415  (an extra, found by the constructor)

        try:
            found: bytes | str | None = await self._client.get(self._prefix + session_id)
        except (RedisError, OSError):
            message = "Redis, where connect-redis keeps its sessions, did not answer."
            raise StoreUnavailableError(message) from None
        return found
