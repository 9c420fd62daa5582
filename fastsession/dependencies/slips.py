"""Slips in what a route declares that would let the client write the session, or leave the route unguarded."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, cast

from fastapi.dependencies.models import Dependant
from pydantic.errors import PydanticUserError

from fastsession.dependencies.openapi import SessionScheme
from fastsession.dependencies.requirement import require
from fastsession.dependencies.same_origin import SameOrigin
from fastsession.dependencies.sessions import session_of
from fastsession.dependencies.signed_in import SignedIn
from fastsession.formats.contract import ForeignSession
from fastsession.session import Session

# Where a `Dependant` lists what FastAPI takes from the request.
_SOURCES = ("path", "query", "header", "cookie", "body")
# Each makes a dependency and is none itself: FastAPI would ask the client for its arguments.
_FACTORIES: tuple[tuple[object, str], ...] = (
    (require, "require(...)"),
    (session_of, "session_of(...)"),
    (SameOrigin, "SameOrigin()"),
    (SignedIn, "SignedIn(...)"),
)
# In an annotation that stayed text, because FastAPI found no such name: it takes the parameter for one of the query.
_OURS = re.compile(r"\b(CurrentSession|get_session|session_of|require|get_session_control|control_of)\b")
# This one makes what a dependency returns, of what the client sends.
_FOREIGN = (ForeignSession, "SignedIn(...)")


def slips(dependant: Dependant, *, is_endpoint: bool) -> Iterator[str]:
    """Say for each slip in an endpoint or a dependency what is wrong, and what to write."""
    call: Any = dependant.call
    for factory, written in (*_FACTORIES, _FOREIGN):
        if call is factory:
            yield f"Depends({_name(call)}) guards nothing. Write Depends({written})."
            return
    if not is_endpoint and _returns_a_dependency(dependant):
        yield f"{_name(call)} returns a dependency, which nobody calls then. Write Depends(...) around that one itself."
        return
    model = _model_made_from_the_request(dependant)
    if model:
        yield (
            f"Depends({_name(call)}) makes a {model.__name__} from the request, so the client would write the session. "
            f"Write CurrentSession[{model.__name__}]."
        )
        return
    for source in _SOURCES:
        for field in getattr(dependant, f"{source}_params"):
            written = getattr(field.field_info.annotation, "__forward_arg__", "")
            if _OURS.search(written):
                yield (
                    f"{_name(call)}() declares {field.name!r} as {written}, in which FastAPI does not find every name. "
                    "Define the model at the top of the module, or leave out `from __future__ import annotations`."
                )
            advice = _advice(field)
            if advice:
                yield (
                    f"{_name(call)}() takes {field.name!r} from the request ({source}), so the client would write the "
                    f"session. {advice}"
                )


def _returns_a_dependency(dependant: Dependant) -> bool:
    """Whether a function names one of our dependencies, but has no connection that it could call it with."""
    connection = (
        dependant.http_connection_param_name,
        dependant.request_param_name,
        dependant.websocket_param_name,
    )
    if not isinstance(dependant.call, FunctionType) or any(connection) or dependant.dependencies:
        return False
    names = inspect.getclosurevars(dependant.call)
    return any(
        isinstance(value, SessionScheme | SameOrigin | SignedIn) or any(value is factory for factory, _ in _FACTORIES)
        for value in (*names.globals.values(), *names.nonlocals.values())
    )


def _model_made_from_the_request(dependant: Dependant) -> type[Session] | None:
    """The session model whose class, or class method with parameters, is a dependency."""
    call: Any = dependant.call
    owner: object = getattr(call, "__self__", None)
    if isinstance(call, type) or typing.get_origin(call) is not None:
        # The class, or what has it in brackets: CurrentSession[Shop] can be called too.
        return next((each for each in _types([call]) if isinstance(each, type) and issubclass(each, Session)), None)
    if isinstance(owner, type) and issubclass(owner, Session):
        return owner if any(getattr(dependant, f"{source}_params") for source in _SOURCES) else None
    return None


def _advice(field: Any) -> str:
    """What to write in place of a parameter that is or holds a session, "" for all others."""
    info = field.field_info
    types = list(_types([info.annotation, *info.metadata, info.default]))
    if any(isinstance(found, SessionScheme | SameOrigin | SignedIn) for found in types):
        return "Write Depends(...) around the dependency: FastAPI does not see it otherwise."
    models = [found for found in types if isinstance(found, type) and issubclass(found, Session)]
    # FastAPI has no public name for what validates a parameter.
    models += _models_in(getattr(field, "_type_adapter", None))
    return f"Write {field.name}: CurrentSession[{models[0].__name__}]." if models else ""


def _types(annotations: Iterable[Any]) -> Iterator[Any]:
    """The annotations and everything in their brackets."""
    for annotation in annotations:
        yield annotation
        yield from _types(typing.get_args(annotation))


def _models_in(adapter: Any) -> Iterator[type[Session]]:
    """The session models anywhere in a type: pydantic's schema has fields, dataclasses and aliases resolved."""
    try:
        whole: dict[str, Any] = dict(getattr(adapter, "core_schema", ()))
    except PydanticUserError:
        # A name in it is not defined. Nobody can send such a parameter: pydantic cannot validate it either.
        return
    waiting: list[Any] = [whole]
    seen = set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, Mapping):
            schema = cast("Mapping[str, Any]", current)
            model = schema.get("cls")
            if isinstance(model, type) and issubclass(model, Session):
                yield model
            waiting += schema.values()
        elif isinstance(current, list | tuple):
            waiting += current


def _name(call: object) -> str:
    return getattr(call, "__qualname__", type(call).__name__)
