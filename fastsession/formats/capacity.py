"""The size limit of a foreign session's cookies."""

from __future__ import annotations

from typing import Any

from fastsession.errors import SessionTooLargeError
from fastsession.formats.json_data import dump_object


def check_capacity(data: dict[str, Any], *, size: int, limit: int) -> None:
    """Raise `SessionTooLargeError` if the sealed data exceeds `limit` characters."""
    if size > limit:
        raise too_large(data, size=size, limit=limit)


def too_large(data: dict[str, Any], *, size: int, limit: int) -> SessionTooLargeError:
    """Return the error that names the largest fields."""
    sizes = [(str(name), len(dump_object({name: value}))) for name, value in data.items()]
    sizes.sort(key=lambda item: item[1], reverse=True)
    return SessionTooLargeError(size=size, limit=limit, fields=sizes[:3])
