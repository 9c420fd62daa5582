"""One token over several cookies, and back."""

from __future__ import annotations

import re

from fastsession.cookies import MAX_COOKIE_SIZE, MAX_COOKIES, MOST_HEADER_BYTES, find_values
from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

_SUFFIXES = ("", ".1", ".2")
# Chromium keeps 10 KB of cookies of one site within another, and drops the oldest beyond (CHIPS).
_MOST_PARTITIONED = 2
# A chunk is a mark, `count.set.`, and a piece; a whole token has no full stop.
_SET_ID_SIZE = 8
_MARK = re.compile(rf"[23]\.[^.]{{{_SET_ID_SIZE}}}\.")
_OVERHEAD = len("2.") + _SET_ID_SIZE + len(".")


class Chunks:
    """Spreads tokens over the cookies of one name: the name itself, then `name.1` and `name.2`."""

    def __init__(self, name: str, max_cookies: int, *, partitioned: bool = False) -> None:
        if max_cookies not in range(1, MAX_COOKIES + 1):
            message = f"max_cookies must be 1, 2 or {MAX_COOKIES}: proxies refuse more."
            raise ConfigurationError(message)
        if partitioned and max_cookies > _MOST_PARTITIONED:
            message = f"partitioned=True takes max_cookies={_MOST_PARTITIONED} at most: browsers drop more than 10 KB."
            raise ConfigurationError(message)
        self.names = tuple(name + suffix for suffix in _SUFFIXES)
        self._mark = f"{name}.".encode()
        self._finders = tuple(chunk_name.encode() for chunk_name in self.names)
        # The whole token in one cookie, or pieces of it in all of them.
        self._single = MAX_COOKIE_SIZE - len(name)
        self._pieces = tuple(MAX_COOKIE_SIZE - len(chunk_name) - _OVERHEAD for chunk_name in self.names[:max_cookies])
        self.capacity = self._single if max_cookies == 1 else sum(self._pieces)

    def split(self, token: str) -> dict[str, str]:
        """Cookie names and values for a token of at most `capacity` characters."""
        if len(token) <= self._single:
            return {self.names[0]: token}
        pieces: list[str] = []
        rest = token
        for capacity in self._pieces:
            if rest:
                pieces.append(rest[:capacity])
                rest = rest[capacity:]
        # The token's last characters are of its tag: another for every token.
        set_id = token[-_SET_ID_SIZE:]
        return {name: f"{len(pieces)}.{set_id}.{piece}" for name, piece in zip(self.names, pieces, strict=False)}

    def join(self, value: str, header: bytes) -> str:
        """The token whose first chunk is `value`; raises `Rejected` (malformed, incomplete)."""
        if not _is_chunk(value):
            raise Rejected(SessionStatus.MALFORMED, "not a chunk of a session")
        mark, total, token = value[:_OVERHEAD], int(value[0]), value[_OVERHEAD:]
        for number, find in enumerate(self._finders[1:total], start=1):
            for other in find_values(header, find):
                if other.startswith(mark) and _is_chunk(other):
                    token += other[_OVERHEAD:]
                    break
            else:
                raise Rejected(SessionStatus.INCOMPLETE, f"{number} of {total} chunks")
        return token

    def brought(self, header: bytes) -> list[str]:
        """The names to delete with a session: the first, if it can be there at all, and stale chunks."""
        return [self.names[0], *self.following(header)] if self._finders[0] in header else []

    def following(self, header: bytes) -> list[str]:
        """The names of all but the first chunk that the request brought. They are ours, never the client's."""
        if self._mark not in header:
            return []
        named = zip(self.names[1:], self._finders[1:], strict=True)
        return [name for name, find in named if _holds(header, find)]


def _holds(header: bytes, find: bytes) -> bool:
    """Whether the Cookie header has a cookie of the name; one too long to be searched may only look so."""
    return find in header if len(header) > MOST_HEADER_BYTES else bool(find_values(header, find))


def clear_characters(header: bytes, start: int, count: int) -> bytes:
    """The first characters of the token that the cookie value at `start` is, or begins."""
    if header[start + 1 : start + 2] == b".":
        start += _OVERHEAD
    return header[start : start + count]


def _is_chunk(value: str) -> bool:
    return _OVERHEAD < len(value) <= MAX_COOKIE_SIZE and _MARK.match(value) is not None
