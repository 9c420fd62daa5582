"""Random sessions: objects of JSON values, the same in every run."""

import random
from typing import Any

TEXT = "aZ09 _-.~*;,=%\"'\\/<>&\x00\x1f\x7f\u00e4\u00df\u2028\u2029\u6771\u4eac\U0001f36a\ud83c"


def sessions(seed: str, count: int) -> list[dict[str, Any]]:
    source = random.Random(seed)
    return [_object(source, 0) or {"k": 1} for _ in range(count)]


def _object(source: random.Random, depth: int) -> dict[str, Any]:
    # A letter first: JavaScript sorts numbers, and some packages keep names with underscores for themselves.
    return {f"k{_text(source, 8)}": _value(source, depth + 1) for _ in range(source.randrange(6))}


def _value(source: random.Random, depth: int) -> Any:
    kind = source.randrange(10 if depth < 4 else 7)
    match kind:
        case 0:
            return None
        case 1:
            return source.random() < 0.5
        case 2:
            return source.randrange(-(2**53) + 1, 2**53)
        case 3:
            return source.choice([0.1, -1.5e-7, 1e21, 5e-324, 1.7976931348623157e308, source.random(), -0.0])
        case 4 | 5 | 6:
            return _text(source, 30)
        case 7:
            return [_value(source, depth + 1) for _ in range(source.randrange(4))]
    return _object(source, depth)


def _text(source: random.Random, most: int) -> str:
    return "".join(source.choices(TEXT, k=source.randrange(most)))
