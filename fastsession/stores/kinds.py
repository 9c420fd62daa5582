"""What is given as a store or as revocations: a URL, a class or the other one of the two is refused."""

from __future__ import annotations

from fastsession.errors import ConfigurationError
from fastsession.stores.contract import Revocations, SessionStore


def check_store(given: object) -> None:
    """Raise `ConfigurationError` for what is no store."""
    _check(given, SessionStore, "A store is SQLiteStore(path), RedisStore(url) or the like")


def check_revocations(given: object) -> None:
    """Raise `ConfigurationError` for what is no `Revocations`."""
    _check(given, Revocations, "Revocations are SQLiteRevocations(path), RedisRevocations(url) or the like")


def _check(given: object, protocol: type[object], expected: str) -> None:
    """Not by `isinstance`: a class has all the methods of its objects."""
    missing = [name for name in vars(protocol) if not name.startswith("_") and not callable(getattr(given, name, None))]
    if isinstance(given, type):
        message = f"{expected}, and not a class: write {given.__name__}(...)."
    elif missing:
        message = f"{expected}, and {type(given).__name__} is none: it has no {missing[0]}()."
    else:
        return
    raise ConfigurationError(message)
