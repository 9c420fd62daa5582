"""What types stand in a model's fields, however deep."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from fastsession.errors import ConfigurationError
from fastsession.session import Session


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
