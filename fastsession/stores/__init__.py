"""Server-side homes of session data, and revocations of stateless sessions.

Names are imported when they are first used: without Redis in your configuration, redis-py is not needed, and
without a SQL database SQLAlchemy is not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsession.stores.contract import Page, Record, Revocations, SessionStore
    from fastsession.stores.deadline import within
    from fastsession.stores.followed_revocations import FollowedRevocations
    from fastsession.stores.memory_revocations import MemoryRevocations
    from fastsession.stores.memory_store import MemoryStore
    from fastsession.stores.on_demand import OnDemand
    from fastsession.stores.redis_revocations import RedisRevocations
    from fastsession.stores.redis_store import RedisStore
    from fastsession.stores.sqlalchemy_revocations import SQLAlchemyRevocations
    from fastsession.stores.sqlalchemy_store import SQLAlchemyStore
    from fastsession.stores.sqlalchemy_tables import add_tables, create_tables
    from fastsession.stores.sqlite_revocations import SQLiteRevocations
    from fastsession.stores.sqlite_store import SQLiteStore

__all__ = [
    "FollowedRevocations",
    "MemoryRevocations",
    "MemoryStore",
    "OnDemand",
    "Page",
    "Record",
    "RedisRevocations",
    "RedisStore",
    "Revocations",
    "SQLAlchemyRevocations",
    "SQLAlchemyStore",
    "SQLiteRevocations",
    "SQLiteStore",
    "SessionStore",
    "add_tables",
    "create_tables",
    "within",
]

_MODULES = {
    "FollowedRevocations": "followed_revocations",
    "MemoryRevocations": "memory_revocations",
    "MemoryStore": "memory_store",
    "OnDemand": "on_demand",
    "Page": "contract",
    "Record": "contract",
    "RedisRevocations": "redis_revocations",
    "RedisStore": "redis_store",
    "Revocations": "contract",
    "SQLAlchemyRevocations": "sqlalchemy_revocations",
    "SQLAlchemyStore": "sqlalchemy_store",
    "SQLiteRevocations": "sqlite_revocations",
    "SQLiteStore": "sqlite_store",
    "SessionStore": "contract",
    "add_tables": "sqlalchemy_tables",
    "create_tables": "sqlalchemy_tables",
    "within": "deadline",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
