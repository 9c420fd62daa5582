"""Which fields of a session were edited, told from the text of two dumps without parsing them."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastsession.payload.schemas import is_mapping, is_sequence
from fastsession.session import Session

# What pydantic's schema of a model may hold if each field is dumped always, and loads whatever the others are. With
# anything else, such as a validator of the whole model or what a later pydantic may add, nothing is told apart.
_PLAIN = {
    "model": {"type", "cls", "schema", "custom_init", "root_model", "config", "ref", "metadata"},
    "model-fields": {"type", "fields", "model_name", "computed_fields"},
    "model-field": {"type", "schema", "metadata", "frozen", "validation_alias", "serialization_alias"},
}
# A validator that may look at the other fields, and a value that leaves its field out.
_NOT_BY_ITSELF = {"with-info", "missing-sentinel"}


class Edit(NamedTuple):
    """Neighbouring fields, from the first whose text differs to the last: their JSON as it was and as it is."""

    names: tuple[str, ...]
    before: bytes
    after: bytes


class DumpedFields:
    """The fields of a model as its dumps show them: all of them, in compact JSON, in the order of declaration."""

    def __init__(self, model: type[Session]) -> None:
        self._names = tuple(model.__pydantic_fields__)
        # JSON escapes a quote within a string, so wherever this stands a key begins, though it may be a nested one.
        self._keys = [f',"{name}":'.encode() for name in self._names]
        self._told_apart = model.model_config.get("extra") != "allow" and independent(model.__pydantic_core_schema__)

    def edit(self, before: bytes, after: bytes) -> Edit | None:
        """What differs between a JSON object that the model has loaded, and its dump; None where text cannot tell.

        The two are the same up to the edit and from its end on. So where it begins and ends between
        top-level fields in the dump, it does in the other; and in the dump it does where a key stands
        that stands nowhere else.
        """
        if not (self._told_apart and before.startswith(b"{") and before.endswith(b"}")):
            return None
        keys, shift, end = self._keys, len(before) - len(after), len(after) - 1
        first, start = 0, 0
        for key in keys[1:]:
            following = after.find(key)
            # With its comma: a number may go on in one of the two.
            if following == -1 or before[start : following + 1] != after[start : following + 1]:
                break
            first, start = first + 1, following
        last = len(keys)
        while last > first + 1:
            own = after.rfind(keys[last - 1])
            if min(own, own + shift) < start or before[own + shift : end + shift] != after[own:end]:
                break
            last, end = last - 1, own
        edges = keys[first : first + (first > 0)] + keys[last : last + 1]
        if last - first == len(keys) or any(after.count(key) > 1 for key in edges):
            return None
        return Edit(self._names[first:last], _object(before[start : end + shift]), _object(after[start:end]))


def _object(fields: bytes) -> bytes:
    """Keys and values, behind the brace or comma before them, as a JSON object."""
    return b"{" + fields[1:] + b"}"


def independent(schema: Any) -> bool:
    """Whether each of a model's fields is dumped always, and loads and dumps whatever the others are."""
    model = schema["schema"] if schema["type"] == "definitions" else schema
    if model["type"] != "model" or model["custom_init"] or model["root_model"] or _looks_around(schema):
        return False
    fields = model["schema"]
    parts = [model, fields, *fields.get("fields", {}).values()]
    return all(part.keys() <= _PLAIN.get(part["type"], set[str]()) for part in parts)


def _looks_around(schema: object) -> bool:
    """Whether something in a schema may look at other fields, or leave its own out of the dump."""
    if is_mapping(schema):
        marked = schema.get("type") in _NOT_BY_ITSELF or schema.get("is_field_serializer")
        return bool(marked) or "default_factory_takes_data" in schema or any(map(_looks_around, schema.values()))
    return is_sequence(schema) and any(map(_looks_around, schema))
