"""A condition on the session, such as `signed_in`: checked when it is written, asked once per request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi.security.base import SecurityBase

from fastsession.dependencies.sessions import annotations_of
from fastsession.errors import ConfigurationError
from fastsession.session import Session

# May be asynchronous: its result is awaited.
Condition = Callable[[Any], object]
_EXAMPLE = "such as lambda session: session.user_id is not None"


def checked_condition(condition: object, *, where: str) -> Condition:
    """Return the condition; raise `ConfigurationError` for anything that could never say no."""
    if isinstance(condition, SecurityBase):
        message = f"{where} takes a function of the session, {_EXAMPLE}, and not another dependency."
        raise ConfigurationError(message)
    # `all` and `repr` are true of every session. `len` asks the session itself.
    if inspect.isbuiltin(condition) and condition.__module__ == "builtins" and condition is not len:
        message = f"{where} takes a function of the session, {_EXAMPLE}, and not {condition.__name__}()."
        raise ConfigurationError(message)
    # A class makes an object, and an object is true. Only `bool` asks the session itself.
    if not callable(condition) or (isinstance(condition, type) and condition is not bool):
        message = f"{where} takes a function of the session, {_EXAMPLE}, and not {_described(condition)}."
        raise ConfigurationError(message)
    function = _function(condition)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        message = f"{where} takes a function that returns its answer, {_EXAMPLE}: this one yields."
        raise ConfigurationError(message)
    if not _takes_one_argument(condition):
        message = f"{where} calls its function with one argument, the session: write it {_EXAMPLE}."
        raise ConfigurationError(message)
    return condition


async def holds(condition: Condition, session: object) -> bool:
    """Whether the condition is met; raises `ConfigurationError` for a result that is always true."""
    if condition is bool and not (hasattr(session, "__bool__") or hasattr(session, "__len__")):
        message = f"bool is no condition: every {type(session).__name__} is true. Write one {_EXAMPLE}."
        raise ConfigurationError(message)
    met = condition(session)
    # More than once: `return other_condition(session)` in an asynchronous function gives an awaitable again.
    while inspect.isawaitable(met):
        met = await met
    if callable(met) or inspect.isgenerator(met) or inspect.isasyncgen(met):
        message = (
            f"A condition on the session returned {_described(met)}, which is always true. "
            "Call it, and return what it returns."
        )
        raise ConfigurationError(message)
    return bool(met)


def declared_model(condition: Condition) -> type[Session] | None:
    """The session model that the condition's parameter is annotated with."""
    try:
        names = list(inspect.signature(condition).parameters)
    except ValueError:
        return None
    annotation = annotations_of(condition).get(names[0]) if names else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Session) else None


def _takes_one_argument(condition: Callable[..., object]) -> bool:
    try:
        signature = inspect.signature(condition)
    except ValueError:
        # Some functions written in C do not say what they take.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def _function(condition: Callable[..., object]) -> object:
    while isinstance(condition, partial):
        condition = condition.func
    return condition if inspect.isroutine(condition) else type(condition).__call__


def _described(value: object) -> str:
    """The value's kind. Never the value: it may hold session data."""
    if value is None or isinstance(value, bool):
        return repr(value)
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
