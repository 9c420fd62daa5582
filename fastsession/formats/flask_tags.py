"""Flask's tagged JSON: objects with one key, such as {" t": [1, 2]}, for types that JSON lacks."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from uuid import UUID

from fastsession.errors import Rejected
from fastsession.formats.json_data import is_array, is_object
from fastsession.status import SessionStatus

# Flask writes an object whose only key is a tag as {" di": {"<tag>__": value}}.
_ESCAPED_SUFFIX = "__"


def untagged(value: Any) -> Any:
    """Replace every tag by its value, innermost first; raises `Rejected` (malformed).

    Recursion is bounded, because the value comes from JSON of bounded depth.
    """
    if is_array(value):
        return [untagged(item) for item in value]
    if not is_object(value):
        return value
    fields = {key: untagged(item) for key, item in value.items()}
    if len(fields) != 1:
        return fields
    ((key, content),) = fields.items()
    undo = _TAGS.get(key)
    if undo is None:
        return fields
    try:
        return undo(content)
    except (TypeError, ValueError, OverflowError):
        raise Rejected(SessionStatus.MALFORMED, "authentic, but a tag's value is not what the tag says") from None


def _object(content: Any) -> dict[str, Any]:
    ((key, value),) = cast("dict[str, Any]", _checked(content, dict)).items()
    return {key.removesuffix(_ESCAPED_SUFFIX): value}


def _tuple(content: Any) -> tuple[Any, ...]:
    return tuple(cast("list[Any]", _checked(content, list)))


def _bytes(content: Any) -> bytes:
    return b64decode(_checked(content, str), validate=True)


def _datetime(content: Any) -> datetime:
    moment = parsedate_to_datetime(_checked(content, str))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _uuid(content: Any) -> UUID:
    return UUID(_checked(content, str))


def _text(content: Any) -> str:
    return str(_checked(content, str))


def _checked(content: Any, kind: type[Any]) -> Any:
    if not isinstance(content, kind):
        raise TypeError
    return content


_TAGS: dict[str, Callable[[Any], Any]] = {
    " di": _object,
    " t": _tuple,
    " b": _bytes,
    " m": _text,
    " u": _uuid,
    " d": _datetime,
}
