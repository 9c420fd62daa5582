"""What went wrong with Redis, in words for operators; and which of it no waiting will mend."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004  (redis-py's)
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004  (redis-py's)
)

from fastsession.errors import ConfigurationError, StoreUnavailableError

# What else a server says that refuses us: scripts that may not do what they do are refused with an ordinary error,
# and so are long commands before a password was given.
_REFUSALS = ("can't run this command", "can't access", "acl failure", "no permissions", "unauthenticated")


@contextmanager
def as_unavailable() -> Generator[None]:
    """Raise `StoreUnavailableError` with the cause for whatever a client raises; a timeout is an OSError."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        message = f"Redis failed: {cause(error)}"
        raise StoreUnavailableError(message) from error
    except AttributeError as error:
        # redis-py closes a cluster's connections while other tasks write to them, and then finds None in their place.
        if error.obj is not None:
            raise
        message = "Redis failed: the connection was closed"
        raise StoreUnavailableError(message) from error
    except RuntimeError as error:
        if "changed size" in str(error):
            # Up to redis-py 5 a cluster's client iterates over its nodes while another task replaces them.
            message = "Redis failed: the cluster's nodes were being replaced"
            raise StoreUnavailableError(message) from error
        if "loop" not in str(error):
            raise
        message = (
            "This Redis client was used in another event loop before. Give a function that makes one, "
            "such as lambda: Redis(...): it is called once in every event loop."
        )
        raise ConfigurationError(message) from error


def cause(error: BaseException) -> str:
    """The error's class, and what it says where that cannot hold a command's words, which may be session data."""
    name = type(error).__name__
    told = isinstance(error, (AuthenticationError, NoPermissionError, ConnectionError, TimeoutError, OSError))
    if told or _says_refused(error):
        return f"{name}: {error}" if str(error) else name
    if isinstance(error, ResponseError):
        # Errors begin with a code, such as MISCONF.
        code = str(error).partition(" ")[0]
        return f"{name}: {code}" if code.isalpha() and code.isupper() else name
    return name


def is_refusal(error: BaseException) -> bool:
    """Whether the same would fail tomorrow: a wrong password, a missing permission, a certificate not trusted."""
    return any(
        isinstance(link, (AuthenticationError, NoPermissionError, ssl.SSLCertVerificationError, FileNotFoundError))
        or _says_refused(link)
        for link in _chain(error)
    )


def keys_are_apart(error: ResponseError) -> bool:
    """Whether a server does not have all the keys of a script: it is one of a cluster's, behind a proxy."""
    return any(words in str(error) for words in ("CROSSSLOT", "hash to the same slot", "non local key"))


def _says_refused(error: BaseException) -> bool:
    return isinstance(error, ResponseError) and any(words in str(error).lower() for words in _REFUSALS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
