"""Two requests that changed one session: the changes of the later over the result of the earlier."""

from __future__ import annotations

from fastsession.errors import Rejected
from fastsession.payload import PayloadCodec, join_payload, payload_values

_GONE = object()


def merged(codec: PayloadCodec, *, before: bytes, mine: bytes, theirs: bytes) -> tuple[bytes, list[str]]:
    """The payload with my top-level changes since `before` laid over theirs, and the fields that both changed.

    Of a field that both changed, mine counts, being later. Where the mixture breaks the model's own
    rules, all of mine counts.
    """
    old, new, other = (payload_values(payload) for payload in (before, mine, theirs))
    changed = {name for name in old.keys() | new.keys() if old.get(name, _GONE) != new.get(name, _GONE)}
    disputed = sorted(name for name in changed if other.get(name, _GONE) != old.get(name, _GONE))
    values = {name: value for name, value in other.items() if name not in changed}
    values |= {name: new[name] for name in changed if name in new}
    payload = join_payload(values, codec.fields)
    try:
        codec.load(payload)
    except Rejected:
        return mine, sorted(changed | {name for name in other if other[name] != old.get(name, _GONE)})
    return payload, disputed
