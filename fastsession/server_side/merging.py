"""Two requests that changed one session: the changes of the later over the result of the earlier."""

from __future__ import annotations

from fastsession.errors import Rejected
from fastsession.payload.codec import PayloadCodec, join_payload, payload_values

_GONE = object()


def merged(codec: PayloadCodec, *, before: bytes, mine: bytes, theirs: bytes) -> tuple[bytes, list[str]]:
    """The payload with my top-level changes since `before` laid over theirs, and the fields that both changed.

    Of a field that both changed, mine counts, being later. Where the mixture breaks the model's own
    rules, all of mine counts.
    """
    stored, new, other = (payload_values(payload) for payload in (before, mine, theirs))
    old = payload_values(_as_dumped_today(codec, before))
    changed = {name for name in old.keys() | new.keys() if old.get(name, _GONE) != new.get(name, _GONE)}
    others = {
        name
        for name in stored.keys() | other.keys()
        if other.get(name, _GONE) not in (stored.get(name, _GONE), old.get(name, _GONE))
    }
    values = {name: value for name, value in other.items() if name not in changed}
    values |= {name: new[name] for name in changed if name in new}
    payload = join_payload(values, codec.fields)
    try:
        codec.load(payload)
    except Rejected:
        return mine, sorted(changed | others)
    return payload, sorted(changed & others)


def _as_dumped_today(codec: PayloadCodec, payload: bytes) -> bytes:
    """The payload as an unchanged session would be dumped: a field that is new or gone since is no change."""
    try:
        return codec.dump(*codec.load(payload))
    except Rejected:
        return payload
