"""Find the edited fields of a session by comparing the text of two dumps, without parsing them."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastsession.payload.schemas import is_mapping, is_sequence
from fastsession.session import Session

# Keys that pydantic's schema of a model may have if every field is always dumped and loads independently of the others.
# On any other key, such as a validator of the whole model or one of a later pydantic, the optimisation is disabled.
_PLAIN = {
    "model": {"type", "cls", "schema", "custom_init", "root_model", "config", "ref", "metadata"},
    "model-fields": {"type", "fields", "model_name", "computed_fields"},
    "model-field": {"type", "schema", "metadata", "frozen", "validation_alias", "serialization_alias"},
}
# A validator that may read other fields, and a value that omits its field from the dump.
_NOT_BY_ITSELF = {"with-info", "missing-sentinel"}


class Edit(NamedTuple):
    """The fields from the first to the last whose text differs: their JSON before and after."""

    names: tuple[str, ...]
    before: bytes
    after: bytes


class DumpedFields:
    """The fields of a model as dumped: all of them, in compact JSON, in the order of declaration."""

    def __init__(self, model: type[Session]) -> None:
        self._names = tuple(model.__pydantic_fields__)
        # JSON escapes quotes inside strings, so this text always begins a key, possibly a nested one.
        self._keys = [f',"{name}":'.encode() for name in self._names]
        self._told_apart = model.model_config.get("extra") != "allow" and independent(model.__pydantic_core_schema__)

    def edit(self, before: bytes, after: bytes) -> Edit | None:
        """Return the difference between a loaded JSON object and the model's dump; None if the text is ambiguous.

        Both texts are equal before the edit and after its end. So an edit that begins and ends between
        top-level fields of the dump does so in the other text too. A boundary in the dump is certain where a
        key occurs exactly once.
        """
        if not (self._told_apart and before.startswith(b"{") and before.endswith(b"}")):
            return None
        keys, shift, end = self._keys, len(before) - len(after), len(after) - 1
        first, start = 0, 0
        for key in keys[1:]:
            following = after.find(key)
            # Include the comma: a number may continue in one of the two texts.
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
    """Turn keys and values, which follow a brace or comma, into a JSON object."""
    return b"{" + fields[1:] + b"}"


def independent(schema: Any) -> bool:
    """Return whether every field is always dumped, and loads and dumps independently of the others."""
    model = schema["schema"] if schema["type"] == "definitions" else schema
    if model["type"] != "model" or model["custom_init"] or model["root_model"] or _looks_around(schema):
        return False
    fields = model["schema"]
    parts = [model, fields, *fields.get("fields", {}).values()]
    return all(part.keys() <= _PLAIN.get(part["type"], set[str]()) for part in parts)


def _looks_around(schema: object) -> bool:
    """Return whether part of a schema may read other fields, or omit its own from the dump."""
    if is_mapping(schema):
        marked = schema.get("type") in _NOT_BY_ITSELF or schema.get("is_field_serializer")
        return bool(marked) or "default_factory_takes_data" in schema or any(map(_looks_around, schema.values()))
    return is_sequence(schema) and any(map(_looks_around, schema))
