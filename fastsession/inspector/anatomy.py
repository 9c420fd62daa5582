"""A session's cookies as the browser holds them, cut up by the fields of the token format. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fastsession.cookies import find_values
from fastsession.errors import Rejected
from fastsession.sealing.token import HEADER_CHARACTERS, HEADER_SIZE, decode, token_size
from fastsession.sealing.xaes import NONCE_SIZE, TAG_SIZE

_CIPHERTEXT = HEADER_SIZE + NONCE_SIZE
# The first byte of each field; the tag's is counted from the end.
_STARTS = (("version", 0), ("key-id", 1), ("renewed-at", 4), ("nonce", HEADER_SIZE), ("ciphertext", _CIPHERTEXT))
_SHAPE = re.compile(r"([23]\.[A-Za-z0-9_-]{8}\.)?([A-Za-z0-9_-]+)")
_LEAST = token_size(payload=0, bound=False)


class Part(NamedTuple):
    """Characters of a cookie's value that belong to one field, `chunk` or `opaque` among them."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class HeldCookie:
    """One cookie of the session, as it arrived."""

    name: str
    parts: tuple[Part, ...]

    @property
    def value(self) -> str:
        """What the browser holds under the name."""
        return "".join(part.text for part in self.parts)

    @property
    def size(self) -> int:
        """The bytes that browsers count: name and value (RFC 6265bis, section 5.6)."""
        return len(self.name) + len(self.value)


@dataclass(frozen=True, slots=True)
class ClearHeader:
    """What anybody can read of a token."""

    version: int
    key_id: str
    renewed_at: int


def held_cookies(names: Iterable[str], header: bytes, *, own_format: bool) -> tuple[HeldCookie, ...]:
    """The cookies of these names in the request; more bytes of cookies than are searched hold none."""
    try:
        held = [(name, value) for name in names for value in find_values(header, name.encode())]
    except Rejected:
        return ()
    values = [value for _, value in held]
    cut = cut_up(values) if own_format else [(Part("opaque", value),) for value in values]
    return tuple(HeldCookie(name, parts) for (name, _), parts in zip(held, cut, strict=True))


def cut_up(values: Sequence[str]) -> list[tuple[Part, ...]]:
    """The parts of each value. A token's fields go on from chunk to chunk."""
    shapes = [_SHAPE.fullmatch(value) for value in values]
    in_chunks = sum(len(shape[2]) for shape in shapes if shape and shape[1])
    parts: list[tuple[Part, ...]] = []
    offset = 0
    for value, shape in zip(values, shapes, strict=True):
        total = in_chunks if shape and shape[1] else len(value)
        if shape is None or total < _LEAST:
            parts.append((Part("opaque", value),))
        elif shape[1]:
            parts.append((Part("chunk", shape[1]), *_fields(shape[2], offset, total)))
            offset += len(shape[2])
        else:
            parts.append(_fields(value, 0, total))
    return parts


def clear_header(held: Sequence[HeldCookie]) -> ClearHeader | None:
    """The clear bytes of the first token, None where there is none."""
    parts = held[0].parts if held else ()
    text = "".join(part.text for part in parts if part.field in {"version", "key-id", "renewed-at"})
    if len(text) != HEADER_CHARACTERS:
        return None
    header = decode(text)
    return ClearHeader(header[0], header[1:4].hex(), int.from_bytes(header[4:]))


def _fields(piece: str, offset: int, total: int) -> tuple[Part, ...]:
    """The fields in a piece that begins at the token's character `offset`, of `total`.

    A character holds six bits and may belong to two fields: it counts to the one of its first bit.
    """
    starts = (*_STARTS, ("tag", total * 6 // 8 - TAG_SIZE))
    characters = [-(-start * 8 // 6) for _, start in starts]
    ends = [*characters[1:], total]
    cut = [
        Part(name, piece[max(0, start - offset) : max(0, end - offset)])
        for (name, _), start, end in zip(starts, characters, ends, strict=True)
    ]
    return tuple(part for part in cut if part.text)
