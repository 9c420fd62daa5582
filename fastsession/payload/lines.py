"""The two lines of a payload: the JSON of the model and of the extras."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from fastsession.payload.extras import dump_extras, load_extras

# Compact JSON contains no line break, so the model is the first line and extras, if any, the second.
NEWLINE = b"\n"


def split_payload(payload: bytes) -> tuple[bytes, bytes]:
    """Split a payload into the model's line and the extras' line, which may be empty."""
    model, _, extras = payload.partition(NEWLINE)
    return model, extras


def join_payload(data: dict[str, Any], fields: Collection[str]) -> bytes:
    """Build the payload of another system's session: declared keys for the model, the rest as extras.

    Raises `SessionNotSerializableError`.
    """
    model = {name: value for name, value in data.items() if name in fields}
    return join_lines(model, {name: value for name, value in data.items() if name not in fields})


def join_lines(model: dict[str, Any], extras: dict[str, Any]) -> bytes:
    """Build a payload from a model's values and extras; raises `SessionNotSerializableError`."""
    return dump_extras(model) + NEWLINE + dump_extras(extras) if extras else dump_extras(model)


def payload_values(payload: bytes) -> dict[str, Any]:
    """Return model and extras of a payload as one dict."""
    model, extras = split_payload(payload)
    return {**json.loads(model or b"{}"), **load_extras(extras or b"{}")}


def field_sizes(payload: bytes) -> list[tuple[str, int]]:
    """Return the top-level fields and keys with their size in bytes of JSON, largest first."""
    sizes = [(name, len(dump_extras({name: value}))) for name, value in payload_values(payload).items()]
    return sorted(sizes, key=lambda item: item[1], reverse=True)
