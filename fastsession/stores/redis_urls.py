"""What a Redis URL says.

- `redis://`, `rediss://` (TLS) and `unix://`, with redis-py's options in the query
- `redis+sentinel://host1,host2,host3/main`, with the name of the watched service, and `/main/1` for a database
- `redis+cluster://host1,host2`, with any nodes of the cluster

The latter two may begin with `rediss+`. `user:password@` and the query are for the Redis servers;
`sentinel_username` and `sentinel_password` in the query are for Sentinel. No error repeats a URL: it holds a password.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from redis.asyncio.connection import parse_url

from fastsession.errors import ConfigurationError

_PORTS = {"single": 6379, "cluster": 6379, "sentinel": 26379}
_SCHEMES = (
    "A Redis URL begins with redis://, rediss:// or unix://, or is of the form redis+sentinel://h1,h2,h3/main "
    "or redis+cluster://h1,h2 (rediss+... for TLS)."
)
_KINDS = {"unix", *(f"{security}{kind}" for security in ("redis", "rediss") for kind in ("", "+sentinel", "+cluster"))}


class RedisAddress(NamedTuple):
    """Which kind of servers they are, where, the options of a connection, and what follows the hosts."""

    kind: str
    nodes: list[tuple[str, int]]
    service: str
    tls: bool
    options: dict[str, Any]


def address_of(url: str) -> RedisAddress:
    """Take a URL apart; raises `ConfigurationError`."""
    try:
        parts = urlsplit(url)
        security, _, kind = parts.scheme.partition("+")
        if parts.scheme not in _KINDS:
            raise ConfigurationError(_SCHEMES)
        nodes: list[tuple[str, int]] = []
        service, _, database = parts.path.strip("/").partition("/")
        if kind:
            nodes = [_node(text, _PORTS[kind]) for text in parts.netloc.rpartition("@")[2].split(",")]
        if kind != "sentinel":
            service, database = "", parts.path.strip("/")
        if security != "unix":
            _check_database(database, kind)
        options = dict(parse_url(_as_single(parts, security, database) if kind else url))
    except ValueError as error:
        if isinstance(error, ConfigurationError):
            raise
        named = option_named(error, url)
        raise ConfigurationError(f"{named} has no such value in a Redis URL." if named else _SCHEMES) from None
    options.pop("connection_class", None)
    if "decode_responses" in options:
        message = "Sealed data is bytes: leave decode_responses out of the Redis URL."
        raise ConfigurationError(message)
    if kind == "sentinel" and not service:
        message = "A Sentinel URL ends with the name of the service that is watched: redis+sentinel://h1,h2,h3/main."
        raise ConfigurationError(message)
    return RedisAddress(kind or "single", nodes, service, security == "rediss", options)


def option_named(error: Exception, url: str) -> str:
    """The option in the URL's query that an error of redis-py names, "" if it names none."""
    return next((name for name in parse_qs(urlsplit(url).query) if f"'{name}'" in str(error)), "")


def _check_database(database: str, kind: str) -> None:
    """Raise `ConfigurationError` for a path that redis-py would take for database 0."""
    if kind == "cluster" and database.strip("0"):
        message = "A cluster has no numbered databases: leave the path out of the Redis URL."
        raise ConfigurationError(message)
    if database and not (database.isascii() and database.isdecimal()):
        message = "The path of a Redis URL is the number of a database, such as redis://localhost/1."
        raise ConfigurationError(message)


def _as_single(parts: SplitResult, scheme: str, database: str) -> str:
    """The same credentials and options as the URL of one server, which redis-py can read."""
    user, at, _ = parts.netloc.rpartition("@")
    return f"{scheme}://{user}{at}localhost/{database}?{parts.query}"


def _node(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ConfigurationError(_SCHEMES)
    return parts.hostname, parts.port or port
