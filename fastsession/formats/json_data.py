"""Read the JSON of a foreign session strictly, and write it as `JSON.stringify` does."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn, TypeGuard, cast

from fastsession.errors import Rejected, SessionNotSerializableError
from fastsession.status import SessionStatus

# The limit of our own token's JSON: deeper values could be read but never sealed again.
MAX_DEPTH: Final = 200
_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def load_object(data: bytes) -> dict[str, Any]:
    """Parse the JSON object in `data`; raises `Rejected` (malformed; incompatible for other JSON values)."""
    value = load_value(data)
    if not is_object(value):
        raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a JSON object")
    return value


def load_value(data: bytes) -> Any:
    """Parse the JSON value in `data`; raises `Rejected` (malformed)."""
    try:
        value = json.loads(data.decode(), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Rejected(SessionStatus.MALFORMED, "authentic, but not JSON") from None
    if not _shallow(value):
        raise Rejected(SessionStatus.MALFORMED, f"authentic, but nested deeper than {MAX_DEPTH}")
    return value


def dump_object(data: dict[str, Any]) -> bytes:
    """Dump compact UTF-8 JSON with lone surrogates escaped; raises `SessionNotSerializableError` with the key."""
    try:
        dumped = _encode(data)
    except (TypeError, ValueError, RecursionError):
        raise SessionNotSerializableError(_undumpable_key(data), "it cannot be written as JSON") from None
    for key, value in data.items():
        if not _shallow({key: value}):
            raise SessionNotSerializableError(key, f"it is nested deeper than {MAX_DEPTH}")
    return dumped


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a parsed JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a parsed JSON value is an array."""
    return isinstance(value, list)


def _encode(data: dict[str, Any]) -> bytes:
    # Only lone surrogates have no UTF-8, and their backslash form is their JSON escape.
    return _encoder.encode(data).encode("utf-8", "backslashreplace")


def _undumpable_key(data: dict[str, Any]) -> str:
    return next(str(key) for key, value in data.items() if not _dumpable({key: value}))


def _dumpable(data: dict[str, Any]) -> bool:
    try:
        _encode(data)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _shallow(value: object) -> bool:
    """Return whether the value is nested at most `MAX_DEPTH` levels, without recursion."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(parent: object) -> list[object]:
    if isinstance(parent, dict):
        return list(cast("dict[str, object]", parent).values())
    if isinstance(parent, list | tuple):
        return list(cast("list[object]", parent))
    return []


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number
