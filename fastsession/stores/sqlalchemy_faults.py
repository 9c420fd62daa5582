"""What went wrong with a SQL database, in words for operators; and what to do about it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# SQLSTATE classes and codes (PostgreSQL, appendix A) whose messages name a user, a table or a setting, and no values:
# connections, authorisation, missing database, missing table or column, missing permission, resources, operators.
_TELLING = ("08", "28", "3D", "3F000", "42P01", "42703", "42501", "25006", "53", "57")
_REFUSING = ("28", "3D", "3F000", "42P01", "42703", "42501")
# serialization_failure, deadlock_detected
_ROLLED_BACK = ("40001", "40P01")
# MySQL and MariaDB: access denied to a database, to an account, unknown database, to a table, to a column, no such
# table, no such column.
_REFUSING_NUMBERS = (1044, 1045, 1049, 1142, 1143, 1146, 1054)
_MISSING_NUMBERS = (1146, 1054)
# Too many connections, server shutdown, read-only (twice), and client errors: cannot connect, has gone, lost.
_TELLING_NUMBERS = (*_REFUSING_NUMBERS, 1040, 1053, 1290, 1792, 2002, 2003, 2006, 2013)
# Lock wait timeout, deadlock.
_ROLLED_BACK_NUMBERS = (1205, 1213)
_SQLITE_MISSING = ("no such table", "no such column", "has no column")
_SQLITE_TELLING = (*_SQLITE_MISSING, "unable to open", "readonly", "database is locked", "disk")


def cause(error: BaseException) -> str:
    """The error's class, and its first line where that cannot hold values, which may be session data."""
    if isinstance(error, PoolTimeoutError):
        return "no connection of the pool was free"
    error = _driver_error(error)
    name, code, number = type(error).__name__, _state(error), _number(error)
    text = str(error).partition("\n")[0]
    if _is_telling(error, text):
        return f"{name}: {text}" if text else name
    if code:
        return f"{name}: SQLSTATE {code}"
    return f"{name}: error {number}" if number else name


def is_refusal(error: BaseException) -> bool:
    """Whether the same would fail tomorrow: a wrong password, a missing permission or table, a certificate."""
    error = _driver_error(error)
    return (
        any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error))
        or _state(error).startswith(_REFUSING)
        or _number(error) in _REFUSING_NUMBERS
        or any(words in str(error) for words in _SQLITE_MISSING)
        # psycopg reports what the server said to a connection in words only.
        or any(words in str(error) for words in ("password authentication failed", "no pg_hba.conf entry"))
    )


def is_missing_table(error: BaseException) -> bool:
    """Whether a table, or a column of it, is not there."""
    error = _driver_error(error)
    return (
        _state(error) in {"42P01", "42703", "3F000"}
        or _number(error) in _MISSING_NUMBERS
        or any(words in str(error) for words in _SQLITE_MISSING)
    )


def is_rolled_back(error: BaseException) -> bool:
    """Whether the database has undone a statement for another one's sake: it may be tried again."""
    error = _driver_error(error)
    return _state(error) in _ROLLED_BACK or _number(error) in _ROLLED_BACK_NUMBERS


def is_lost_connection(error: BaseException) -> bool:
    """Whether the connection that a statement was sent over is no more."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _is_telling(error: BaseException, text: str) -> bool:
    return (
        isinstance(error, OSError)
        or _state(error).startswith(_TELLING)
        or _number(error) in _TELLING_NUMBERS
        or any(words in text for words in _SQLITE_TELLING)
        or is_refusal(error)
    )


def _driver_error(error: BaseException) -> BaseException:
    """What the driver raised. SQLAlchemy's own text holds the statement and its values."""
    while isinstance(error, SQLAlchemyError):
        inner = getattr(error, "orig", None) or error.__cause__
        if inner is None:
            return error
        error = inner
    # An adapter's text begins with the driver's class; the driver's own error is behind it.
    adapted: BaseException | None = getattr(error, "driver_exception", None)
    return error if adapted is None else adapted


def _state(error: BaseException) -> str:
    """The SQLSTATE, '' where there is none."""
    state: Any = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _number(error: BaseException) -> int:
    """MySQL's number of an error, 0 where there is none."""
    number: Any = error.args[0] if error.args else None
    return number if isinstance(number, int) and not isinstance(error, OSError) else 0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
