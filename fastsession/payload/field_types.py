"""What types stand in a model's fields, however deep."""

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
    """Refuse a type that dumps as asterisks, unless the field has a serializer of its own."""
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
    """Refuse a type that JSON does not bring back: one that can be read once, a function, a class, an open file.

    A validator of the application's own may make such a thing of JSON, or a list of an iterable.
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
    """What kind of schema, anywhere below, JSON does not bring back; "" for none. `validator` stands around it."""
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
        # The others look at what the first has made.
        below = below[:1]
    inner = kind if kind.startswith("function-") else validator if len(below) == 1 else ""
    return next(filter(None, (_unreadable(part, definitions, seen, inner) for part in below)), "")


def _mentions(annotation: Any, kinds: tuple[type, ...], seen: set[Any]) -> bool:
    """Whether one of the types stands anywhere in an annotation, nested models included."""
    origin: Any = typing.get_origin(annotation) or annotation
    nested: list[Any] = list(typing.get_args(annotation))
    if isinstance(origin, type) and origin not in seen:
        if issubclass(origin, kinds):
            return True
        seen.add(origin)
        nested += _field_types(origin)
    return any(_mentions(part, kinds, seen) for part in nested)


def _field_types(kind: Any) -> list[Any]:
    """The annotations of a model's, dataclass's or TypedDict's fields."""
    if issubclass(kind, BaseModel):
        return [field.annotation for field in kind.__pydantic_fields__.values()]
    # A TypedDict, of typing or of typing_extensions, which pydantic asks for before Python 3.12.
    if is_dataclass(kind) or hasattr(kind, "__required_keys__"):
        return list(typing.get_type_hints(kind).values())
    return []
