"""Find unsupported types in a model's fields, at any depth."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from fastsession.errors import ConfigurationError
from fastsession.payload.schemas import Definitions, Schema, fields_of, parts, schema_of
from fastsession.session import Session

_READ_ONCE = "generator"
_NEVER_JSON = ("callable", "is-instance", "is-subclass")


def refuse_secret_fields(model: type[Session]) -> None:
    """Refuse types that dump as asterisks, unless the field has its own serializer."""
    serialized = {
        name for item in model.__pydantic_decorators__.field_serializers.values() for name in item.info.fields
    }
    for name, field in model.__pydantic_fields__.items():
        masked = _mentions(field.annotation, (Secret, SecretStr, SecretBytes), set())
        if masked and not serialized & {name, "*"}:
            message = (
                f"{model.__name__}.{name} is a secret type, which dumps as asterisks and would be lost. Declare it as "
                "str or bytes (the cookie is encrypted), or give it a @field_serializer that returns the value."
            )
            raise ConfigurationError(message)


def refuse_fields_that_cannot_be_read(model: type[Session]) -> None:
    """Refuse types that JSON cannot restore: one-time iterables, functions, classes, open files.

    The application's own validator may build such a value from JSON, or a list from an iterable.
    """
    schema, definitions = schema_of(model)
    for name, field in fields_of(schema, definitions).items():
        kind = _unreadable(field, definitions, set(), "")
        if kind == _READ_ONCE:
            message = (
                f"{model.__name__}.{name} can be read only once, so that reading the session would empty it. "
                "Declare it as list[...], tuple[...] or Sequence[...]."
            )
            raise ConfigurationError(message)
        if kind:
            message = (
                f"{model.__name__}.{name} is of a type that JSON cannot bring back ({kind}). Keep what it can be found "
                "by, an id for example, declare list[...] or another concrete type, or leave it out with "
                "Field(exclude=True)."
            )
            raise ConfigurationError(message)


def _unreadable(schema: Schema, definitions: Definitions, seen: set[int], validator: str) -> str:
    """Return the kind of a nested schema that JSON cannot restore, or "". `validator` is the enclosing one."""
    kind: str = schema["type"]
    if id(schema) in seen or kind == "function-plain":
        return ""
    seen.add(id(schema))
    if kind == _READ_ONCE:
        return "" if validator in ("function-after", "function-wrap") else kind
    if kind in _NEVER_JSON:
        return "" if validator in ("function-before", "function-wrap") else kind
    below = list(parts(schema, definitions))
    if kind == "chain":
        # The others receive the result of the first.
        below = below[:1]
    inner = kind if kind.startswith("function-") else validator if len(below) == 1 else ""
    return next(filter(None, (_unreadable(part, definitions, seen, inner) for part in below)), "")


def _mentions(annotation: Any, kinds: tuple[type, ...], seen: set[Any]) -> bool:
    """Return whether an annotation contains one of the types, nested models included."""
    origin: Any = typing.get_origin(annotation) or annotation
    nested: list[Any] = list(typing.get_args(annotation))
    if isinstance(origin, type) and origin not in seen:
        if issubclass(origin, kinds):
            return True
        seen.add(origin)
        nested += _field_types(origin)
    return any(_mentions(part, kinds, seen) for part in nested)


def _field_types(kind: Any) -> list[Any]:
    """Return the annotations of the fields of a model, dataclass or TypedDict."""
    if issubclass(kind, BaseModel):
        # `BaseModel` itself has none.
        return [field.annotation for field in getattr(kind, "__pydantic_fields__", {}).values()]
    # A TypedDict from typing or typing_extensions; pydantic requires the latter before Python 3.12.
    if is_dataclass(kind) or hasattr(kind, "__required_keys__"):
        return list(typing.get_type_hints(kind).values())
    return []
