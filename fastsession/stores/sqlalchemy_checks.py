"""What is done once when a store or revocations in a SQL database start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.stores.sqlalchemy_connections import SQLAlchemyConnections, driver_errors
from fastsession.stores.sqlalchemy_faults import cause, is_missing_table, is_refusal

# Seconds that a start waits for a connection and the trial.
_STARTING = 2.0


async def prepare(
    connections: SQLAlchemyConnections, name: str, trial: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    """Run a trial; raises `ConfigurationError` for what no waiting mends.

    Raises `StoreUnavailableError` for a database that later calls may reach. Not from the driver's error:
    SQLAlchemy's has the statement's values in it.
    """
    try:
        await connections.try_out(trial, limit=_STARTING)
    except driver_errors() as error:
        if is_missing_table(error):
            message = (
                f"{name} has no table: {cause(error)}. Make it with `await fastsession.stores.create_tables(url)`, "
                "or declare it for Alembic with `fastsession.stores.add_tables(metadata)`."
            )
            raise ConfigurationError(message) from None
        if is_refusal(error):
            message = f"{name} is refused by the database: {cause(error)}. docs/stores.md has the permissions."
            raise ConfigurationError(message) from None
        message = f"{name} cannot use the database yet: {cause(error)}"
        raise StoreUnavailableError(message) from None
