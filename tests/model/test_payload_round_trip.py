"""Any session and any extras go into bytes and come back (security.md T-05)."""

import math
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastsession import Session
from fastsession.payload.codec import PayloadCodec

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover


class RoundTripSession(Session):
    text: str = ""
    number: int = 0
    real: float = 0.0
    at: datetime | None = None
    tags: set[str] = set()
    items: list[Any] = []


CODEC = PayloadCodec(RoundTripSession)
SCALARS = [None, True, 0, -(10**30), 0.5, -0.0, "", "\0", "é", "🦊", '"\\', "\n", "\u2028"]


def json_of(seed):
    """Nested lists and dicts of scalars: each byte opens one, closes one, or adds a value."""
    top = []
    open_ = [top]
    for place, code in enumerate(seed):
        if code % 8 == 0 and len(open_) > 1:
            open_.pop()
            continue
        value = [] if code % 8 == 1 else {} if code % 8 == 2 else SCALARS[code % len(SCALARS)]
        if isinstance(open_[-1], list):
            open_[-1].append(value)
        else:
            open_[-1][f"{chr(code)}{place}"] = value
        if value in ([], {}):
            open_.append(value)
    return top


# One draw for everything: hypothesis takes ten times as long to draw each field by itself.
@given(st.binary(max_size=40))
@settings(max_examples=10_000, deadline=None)
def test_any_session_goes_into_bytes_and_back(seed):
    [real] = struct.unpack("d", seed[:8].ljust(8, b"\0"))
    session = RoundTripSession(
        text=seed.decode("utf-8", "replace"),
        number=int.from_bytes(seed, signed=True),
        real=real if math.isfinite(real) else 0.0,
        at=datetime.fromtimestamp(int.from_bytes(seed[:5]) / 8, UTC),
        tags={seed[:1].decode("latin-1")},
        items=json_of(seed),
    )
    extras = {seed[:3].decode("latin-1"): json_of(seed[::-1])} if seed[3:] else {}
    payload = CODEC.dump(session, extras)
    CODEC.verify(session, {}, payload)
    loaded = CODEC.load(payload)
    assert loaded == (session, extras)
    assert CODEC.dump(*loaded) == payload
