"""Options as they were written: one that is missing, misspelled or of another kind is answered with what to write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from fastsession.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")
InitT = TypeVar("InitT", bound=Callable[..., Any])

# The year 30,000. A longer number is no time and would overflow a float.
_MOST_SECONDS = 10**15
_MISSING = (
    "secret_key is missing: make one with `python -m fastsession keygen`, keep it in the environment and write "
    'secret_key=os.environ["SESSION_SECRET"].'
)
# Options of Starlette's middleware and words that others use.
_INSTEAD = {
    "max_age": (
        "idle_timeout= and absolute_timeout= say how long a session lasts, remember=Lifetime(idle=..., absolute=...) "
        "and session.remember() how long one lasts that outlives the browser"
    ),
    "secret": "write secret_key=",
    "cookie_name": "write session_cookie=",
    "timeout": "write idle_timeout= or absolute_timeout=",
    "secure": "write https_only=",
    "httponly": "the cookie is always HttpOnly",
}


def explained(options: Callable[P, T]) -> Callable[P, T]:
    """Let `options` raise `TypeError` that says what to write for an option that is missing or unknown."""
    known = inspect.signature(options).parameters

    @wraps(options)
    def explain(*args: P.args, **given: P.kwargs) -> T:
        _refuse_unknown(given, known)
        try:
            return options(*args, **given)
        except ConfigurationError as error:
            # Without the frames that have unwrapped the secrets: error reports show local variables.
            raise error.with_traceback(None) from error.__cause__

    return explain


def shown_as(options: Callable[..., object]) -> Callable[[InitT], InitT]:
    """Show `options`' parameters in place of `**options` to `help()` and documentation."""

    def show(init: InitT) -> InitT:
        own, shown = inspect.signature(init), inspect.signature(options).parameters.values()
        own = own.replace(parameters=[*list(own.parameters.values())[:-1], *shown])
        init.__signature__ = own  # type: ignore[attr-defined]  # what inspect looks for
        return init

    return show


def _refuse_unknown(given: Mapping[str, object], known: Mapping[str, inspect.Parameter]) -> None:
    """Raise `TypeError`, as Python does, for the first option that does not exist, or when there is no secret."""
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            advice = _INSTEAD.get(name) or (f"write {close[0]}=" if close else "docs/configuration.md has them all")
            message = f"SessionMiddleware has no option {name}=: {advice}."
            raise TypeError(message)
    if "secret_key" not in given:
        raise TypeError(_MISSING)


def check_audience(audience: object) -> None:
    """Raise `ConfigurationError` for what is no text."""
    if not isinstance(audience, str):
        message = "audience takes text, such as 'staff': tokens for one audience are worth nothing to another."
        raise ConfigurationError(message)


def check_subject(model: type[Any], *, counted: bool) -> None:
    """Raise `ConfigurationError` where the server side cannot ask a model whose session it is."""
    name = model.__name__
    if "subject" in model.__pydantic_fields__:
        message = f"{name}.subject is a field, and the server side asks a method of that name whose session it is: "
        message += "give the field another name, user_id for example, and write `def subject(self) -> str | None`."
        raise ConfigurationError(message)
    if counted and not callable(getattr(model, "subject", None)):
        message = f"max_sessions counts the sessions of one user: give {name} a `def subject(self) -> str | None`."
        raise ConfigurationError(message)


def check_server_side(store: object, outage: object, most_sessions: object, when_full: object) -> None:
    """Raise `ConfigurationError` for options of the server side that are wrong, or of no use."""
    if outage not in ("unavailable", "anonymous"):
        message = "store_outage must be 'unavailable' or 'anonymous'."
        raise ConfigurationError(message)
    if most_sessions is None and when_full == "evict":
        return
    if when_full not in ("evict", "refuse") or not isinstance(most_sessions, int) or most_sessions < 1:
        message = "max_sessions takes a number from 1, and when_full beside it 'evict' or 'refuse'."
        raise ConfigurationError(message)
    if store is None:
        message = "max_sessions needs store=: without one nobody counts the sessions."
        raise ConfigurationError(message)


def checked_seconds(option: str, value: float, *, least: float) -> float:
    """Return a duration option in seconds; raises `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < _MOST_SECONDS:
        message = f"{option} takes a number of seconds, at least {least}."
        raise ConfigurationError(message)
    return value


def checked_count(option: str, value: int, *, least: int) -> int:
    """Return an option that is a whole number; raises `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = f"{option} takes a whole number, at least {least}."
        raise ConfigurationError(message)
    return value


def is_asynchronous(function: object) -> bool:
    """Whether calling it gives a coroutine."""
    return any(map(inspect.iscoroutinefunction, (function, getattr(function, "__call__", None))))  # noqa: B004
