"""Two requests that changed one session: the changes of the later over the result of the earlier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastsession.errors import Rejected
from fastsession.payload.codec import PayloadCodec
from fastsession.payload.comparison import alike
from fastsession.payload.extras import load_extras
from fastsession.payload.lines import join_lines

_GONE = object()
_Line = Mapping[str, Any]


class _Merged(NamedTuple):
    """One of a payload's two lines, and the names that I changed, and that they did."""

    values: dict[str, Any]
    mine: set[str]
    theirs: set[str]


def merged(codec: PayloadCodec, *, before: bytes, mine: bytes, theirs: bytes) -> tuple[bytes, list[str]]:
    """The payload with my top-level changes since `before` laid over theirs, and the fields that both changed.

    The model and the extras are merged apart: a name says nothing of which it belongs to. Of a field that
    both changed, mine counts, being later. Where the mixture breaks the model's own rules, all of mine
    counts.
    """
    payloads = before, _as_dumped_today(codec, before), mine, theirs
    try:
        models, extras = zip(*(_lines(codec, payload) for payload in payloads), strict=True)
    except Rejected:
        # A serializer of the whole model may write something that has no names.
        return mine, [codec.model.__name__]
    lines = _merged_line(*models), _merged_line(*extras)
    payload = join_lines(*(line.values for line in lines))
    try:
        codec.load(payload)
    except Rejected:
        return mine, sorted(set[str]().union(*(line.mine | line.theirs for line in lines)))
    return payload, sorted(set[str]().union(*(line.mine & line.theirs for line in lines)))


def _merged_line(stored: _Line, old: _Line, new: _Line, other: _Line) -> _Merged:
    """`stored` is what I began with, `old` the same as I would write it unchanged."""
    mine = {name for name in old.keys() | new.keys() if _differs(name, old, new)}
    theirs = {
        name for name in stored.keys() | other.keys() if _differs(name, stored, other) and _differs(name, old, other)
    }
    values = {name: value for name, value in other.items() if name not in mine}
    values |= {name: new[name] for name in mine if name in new}
    return _Merged(values, mine, theirs)


def _differs(name: str, one: _Line, other: _Line) -> bool:
    """Whether a name has another value, or another type: 1 is not `true`."""
    return not alike(one.get(name, _GONE), other.get(name, _GONE))


def _lines(codec: PayloadCodec, payload: bytes) -> tuple[_Line, _Line]:
    """The model's names and values, and those of the extras that it does not declare by now."""
    model, extras = codec.lines(payload)
    return load_extras(model or b"{}"), extras


def _as_dumped_today(codec: PayloadCodec, payload: bytes) -> bytes:
    """The payload as an unchanged session would be dumped: a field that is new or gone since is no change."""
    try:
        return codec.dump(*codec.load(payload))
    except Rejected:
        return payload
