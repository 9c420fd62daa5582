"""The keys of `request.session` that the model does not declare: plain JSON by the standard library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from pydantic_core import from_json

from fastsession.errors import Rejected, SessionNotSerializableError
from fastsession.status import SessionStatus

UNDUMPABLE = "it cannot be written as JSON; of a database object, keep its id in the session, and bytes as base64 text"
_extras_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def dump_extras(extras: dict[str, Any]) -> bytes:
    """Dump the extras to JSON; raises `SessionNotSerializableError`, which names the key."""
    try:
        return _extras_encoder.encode(extras).encode()
    except (TypeError, ValueError, RecursionError):
        raise SessionNotSerializableError(_undumpable_key(extras), UNDUMPABLE) from None


def verify_extras(extras: dict[str, Any], line: bytes) -> None:
    """Raise `SessionNotSerializableError` for nesting beyond pydantic's limit of 200 levels.

    The standard library reads deeper, but how deep depends on the stack of the reading request.
    """
    try:
        from_json(line)
    except ValueError:
        raise SessionNotSerializableError(_unparsable_key(extras), "it is nested too deeply") from None


def load_extras(extras: bytes) -> dict[str, Any]:
    """Load the extras from JSON; raises `Rejected` (incompatible)."""
    try:
        loaded: Any = json.loads(extras)
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        raise Rejected(SessionStatus.INCOMPATIBLE, "the extras do not load")
    return cast("dict[str, Any]", loaded)


def _unparsable_key(extras: dict[str, Any]) -> str:
    return _key_that_fails(extras, lambda part: from_json(_extras_encoder.encode(part)))


def _undumpable_key(extras: dict[str, Any]) -> str:
    return _key_that_fails(extras, lambda part: _extras_encoder.encode(part).encode())


def _key_that_fails(extras: dict[str, Any], attempt: Callable[[dict[str, Any]], object]) -> str:
    for key, value in extras.items():
        try:
            attempt({key: value})
        except (TypeError, ValueError, RecursionError):
            return str(key)
    return "request.session"
