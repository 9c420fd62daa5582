"""Walk through pydantic's schema of a model, as used for reading JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

Schema = Mapping[str, Any]
Definitions = Mapping[str, Schema]

# Values in a schema that are no schemas, or apply to Python objects only.
_NOT_READING = {
    *("type", "cls", "function", "default", "default_factory", "expected", "members", "config", "metadata"),
    *("ref", "schema_ref", "serialization", "json_schema_input_schema", "python_schema", "strict_schema"),
}
# Immutable when empty, and equal each time they are called.
_BUILT_IN = (list, dict, set, frozenset, tuple, str, int, float, bool, bytes)


def schema_of(model: Any) -> tuple[Schema, Definitions]:
    """Return the schema of a pydantic model or dataclass, and its definitions by reference."""
    schema: Schema = model.__pydantic_core_schema__
    definitions: dict[str, Schema] = {}
    if schema["type"] == "definitions":
        definitions = {definition["ref"]: definition for definition in schema["definitions"]}
        schema = schema["schema"]
    return schema, definitions


def parts(schema: Schema, definitions: Definitions) -> Iterator[Schema]:
    """Yield the direct children of a schema."""
    if schema["type"] == "definition-ref":
        yield definitions[schema["schema_ref"]]
    elif not _is_path(schema):
        for key, value in schema.items():
            if key not in _NOT_READING:
                yield from _schemas(value)


def everything(schema: Schema, definitions: Definitions) -> Iterator[Schema]:
    """Yield a schema and all schemas below it, each once."""
    seen, waiting = set[int](), [schema]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += parts(part, definitions)


def fields_of(schema: Schema, definitions: Definitions) -> dict[str, Schema]:
    """Return the dumped fields of a model, root model or dataclass by name; none for a custom schema."""
    while schema["type"] not in ("model-fields", "dataclass-args"):
        if schema.get("root_model"):
            return {"root": schema["schema"]}
        below = definitions[schema["schema_ref"]] if schema["type"] == "definition-ref" else schema.get("schema")
        if below is None:
            return {}
        schema = below
    # A model has a dict of fields, a dataclass a list with names.
    fields: Any = schema["fields"]
    named = fields if is_mapping(fields) else {field["name"]: field for field in fields}
    return {name: field["schema"] for name, field in named.items() if not field.get("serialization_exclude")}


def items_of(schema: Schema, length: int) -> list[Schema]:
    """Return the schemas of the items of a tuple of this length."""
    if schema["type"] == "named-tuple":
        return [field["schema"] for field in schema["fields"]]
    if schema["type"] == "call":
        # A named tuple's in earlier versions of pydantic.
        return [argument["schema"] for argument in schema["arguments_schema"].get("arguments_schema", ())]
    items, variadic = list[Schema](schema["items_schema"]), schema.get("variadic_item_index")
    if variadic is None:
        return items
    repeated: list[Schema] = [items[variadic]] * (length - len(items) + 1)
    return [*items[:variadic], *repeated, *items[variadic + 1 :]]


def always_alike(schema: Schema, definitions: Definitions) -> bool:
    """Return whether new models are always equal: no application code creates or serializes them."""
    return all(map(_made_alike, everything(schema, definitions)))


def _made_alike(schema: Schema) -> bool:
    if schema["type"].startswith("function-") or "serialization" in schema:
        return False
    if schema.get("custom_init") or schema.get("post_init"):
        return False
    return schema.get("default_factory", list) in _BUILT_IN and _is_fixed(schema.get("default"))


def _is_fixed(default: object) -> bool:
    """Return whether a default is immutable."""
    try:
        hash(default)
    except TypeError:
        return type(default) in _BUILT_IN and not default
    return True


def _is_path(schema: Schema) -> bool:
    """Whether this is the schema of one type of path, which pydantic writes as a union of its ways to read one."""
    strict = schema.get("strict_schema", schema)
    kind = strict.get("python_schema", strict).get("cls")
    return schema["type"] == "lax-or-strict" and hasattr(kind, "__fspath__")


def _schemas(value: object) -> Iterator[Schema]:
    """The schemas in a schema's value: itself, or those in its list or dict."""
    if is_mapping(value) and isinstance(value.get("type"), str):
        yield value
    elif is_mapping(value) or is_sequence(value):
        for inner in value.values() if is_mapping(value) else value:
            yield from _schemas(inner)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping, which a schema that is built later is too."""
    return isinstance(value, Mapping)


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is one of the sequences that stand in a schema."""
    return isinstance(value, list | tuple)
