"""Whether values came back with the types that they had, wherever more than one type is declared."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeGuard
from uuid import UUID

from pydantic import BaseModel

from fastsession.payload.schemas import Schema, everything, fields_of, is_mapping, items_of, parts, schema_of

_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
# Of these, nothing but the value can differ. Most values are of them, and need no schema.
_OF_JSON = frozenset({str, int, float, bool, type(None)})
# What a schema of this kind loads. One of another kind, a custom type's for example, may load anything.
_LOADS: dict[str, type] = {
    **{kind.__name__: kind for kind in (*_SEQUENCES, *_SETS, dict, str, int, float, bool, bytes)},
    **{kind.__name__: kind for kind in (datetime, date, time, timedelta)},
    "typed-dict": dict,
    "none": type(None),
    "enum": Enum,
    "model": BaseModel,
    "decimal": Decimal,
    "uuid": UUID,
}


class Comparison:
    """Compares a model's values before they were dumped with those that were loaded, along its schema.

    It looks at types: that the values dump alike, or are equal, is for the caller to see. Where one type
    is declared, what comes back is of that type, and may have been another before (a tuple in a list's
    place). Where several are, it must be of the type that it was.
    """

    def __init__(self, model: Any) -> None:
        self._schema, self._definitions = schema_of(model)
        self._fields = fields_of(self._schema, self._definitions)

    def ambiguous(self) -> tuple[str, ...]:
        """The fields in which values that are equal, or are written alike, may be of different types."""
        return tuple(name for name, field in self._fields.items() if self._is_ambiguous(field))

    def same_field(self, name: str, before: object, after: object) -> bool:
        """Whether a field's value came back with its types; one that is never dumped need not."""
        return name not in self._fields or self._same(self._fields[name], before, after)

    def same_fields(self, before: object, after: object) -> bool:
        """Whether all fields of two objects of the model came back with their types."""
        return self._same_attributes(self._fields, before, after)

    def _is_ambiguous(self, schema: Schema) -> bool:
        # A time in a named zone is equal to one without: its offset hangs on the day.
        return any(_declares_several(part) or part["type"] == "time" for part in everything(schema, self._definitions))

    def _same(self, schema: Schema, before: Any, after: Any) -> bool:
        if type(before) is type(after) and type(after) in _OF_JSON:
            return bool(before == after)
        match schema["type"]:
            case "model" | "dataclass":
                return self._same_object(schema, before, after)
            case "list" | "set" | "frozenset" | "deque":
                return self._same_items(schema.get("items_schema"), before, after)
            case "tuple" | "named-tuple" | "call":
                return self._same_tuple(schema, before, after)
            case "dict" | "ordered-dict" | "typed-dict":
                return self._same_mapping(schema, before, after)
            case _:
                return self._same_otherwise(schema, before, after)

    def _same_choice(self, schema: Schema, before: object, after: object) -> bool:
        """Of the same type; where only one of the choices loads that type, it tells the rest."""
        choices = [] if schema["type"] == "literal" else list(map(self._bare, parts(schema, self._definitions)))
        if any(choice["type"] == "any" for choice in choices):
            return True
        fitting = [choice for choice in choices if _LOADS.get(choice["type"], type(after)) is type(after)]
        if len(fitting) == 1 and fitting[0]["type"] in _LOADS:
            return type(before) is type(after) and self._same(fitting[0], before, after)
        return alike(before, after)

    def _same_object(self, schema: Schema, before: object, after: object) -> bool:
        """Of the same class: a subclass, even one without fields of its own, would come back as its base."""
        if not isinstance(before, schema["cls"]):
            return True
        return type(before) is type(after) and self._same_attributes(
            fields_of(schema, self._definitions), before, after
        )

    def _same_attributes(self, fields: Mapping[str, Schema], before: object, after: object) -> bool:
        return all(
            self._same(schema, getattr(before, name, None), getattr(after, name, None))
            for name, schema in fields.items()
        )

    def _same_items(self, schema: Schema | None, before: object, after: object) -> bool:
        if schema is None or not (_has_items(before) and _has_items(after)):
            return True
        if isinstance(before, _SETS) is not isinstance(after, _SETS):
            # Which came from which cannot be told.
            return not self._is_ambiguous(schema)
        return _paired(before, after, lambda old, new: self._same(schema, old, new))

    def _same_tuple(self, schema: Schema, before: object, after: object) -> bool:
        if not (_has_items(before) and _has_items(after)):
            return True
        return all(map(self._same, items_of(schema, len(after)), before, after))

    def _same_mapping(self, schema: Schema, before: object, after: object) -> bool:
        if not (is_mapping(before) and is_mapping(after)):
            return True
        if schema["type"] == "typed-dict":
            fields = {name: field["schema"] for name, field in schema["fields"].items() if name in after}
            return all(self._same(field, before.get(name), after[name]) for name, field in fields.items())
        keys, values = schema.get("keys_schema"), schema.get("values_schema")
        return self._same_items(keys, list(before), list(after)) and self._same_items(
            values, list(before.values()), list(after.values())
        )

    def _same_otherwise(self, schema: Schema, before: object, after: object) -> bool:
        """A choice, what wraps one other schema, a scalar, or a type that another version of pydantic has."""
        if _declares_several(schema):
            return self._same_choice(schema, before, after)
        below = list(parts(schema, self._definitions))
        if not below:
            return type(before) is not type(after) or _same_scalar(before, after)
        if len(below) == 1 and "items_schema" not in schema:
            return self._same(below[0], before, after)
        return not self._is_ambiguous(schema) or alike(before, after)

    def _bare(self, schema: Schema) -> Schema:
        """The schema without what only wraps it, a validator or a reference for example."""
        while "schema" in schema and schema["type"] not in ("model", "dataclass", "typed-dict"):
            schema = schema["schema"]
        if schema["type"] == "definition-ref":
            return self._bare(self._definitions[schema["schema_ref"]])
        return schema


def alike(before: Any, after: Any) -> bool:
    """Whether two values are the same, with the same types in all that they hold."""
    if type(before) is not type(after):
        return False
    if "__pydantic_core_schema__" in after.__class__.__dict__:
        # Its own schema tells where only one type is declared.
        return Comparison(type(after)).same_fields(before, after)
    if dataclasses.is_dataclass(after):
        names = [field.name for field in dataclasses.fields(after)]
        return all(alike(getattr(before, name), getattr(after, name)) for name in names)
    if is_mapping(before):
        same_keys = _paired(set(before), set(after), alike)
        return same_keys and all(alike(before[key], value) for key, value in after.items())
    if _has_items(before):
        return _paired(before, after, alike)
    return _same_scalar(before, after)


def _declares_several(schema: Schema) -> bool:
    """Whether this part of a schema itself takes values of several types."""
    if schema["type"] == "literal":
        return len(set(map(type, schema["expected"]))) > 1
    return schema["type"] in ("union", "tagged-union")


def _paired(before: Collection[Any], after: Collection[Any], same: Callable[[Any, Any], bool]) -> bool:
    if len(before) != len(after):
        return False
    if not isinstance(before, _SETS):
        return all(map(same, before, after))
    equal = {item: item for item in before}
    # What is equal to itself alone has no other to be compared with.
    return all(same(equal[item], item) if item in equal else _only_itself(item) for item in after)


def _only_itself(value: object) -> bool:
    return type(value).__eq__ is object.__eq__


def _has_items(value: object) -> TypeGuard[Collection[Any]]:
    return isinstance(value, (*_SEQUENCES, *_SETS))


def _same_scalar(before: object, after: object) -> bool:
    """Whether two of one type are equal, as far as they can tell; a custom type's containers are its own affair."""
    if isinstance(before, datetime) and isinstance(after, datetime):
        return _same_moment(before, after)
    if isinstance(before, time) and isinstance(after, time):
        return before == after and (before.tzinfo is None) is (after.tzinfo is None)
    container = _has_items(before) or is_mapping(before) or isinstance(before, BaseModel)
    return container or dataclasses.is_dataclass(type(before)) or _only_itself(before) or before == after


def _same_moment(before: datetime, after: datetime) -> bool:
    """Whether both are aware or naive, and the same moment, of which a named zone is not a part.

    Python calls none equal that a zone's clocks show twice (PEP 495).
    """
    offset, offset_after = before.utcoffset(), after.utcoffset()
    if offset is None or offset_after is None:
        return before.tzinfo is after.tzinfo and before == after
    return before.replace(tzinfo=None) - after.replace(tzinfo=None) == offset - offset_after
