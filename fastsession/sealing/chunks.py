"""Split a token over several cookies, and join it again."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence
from itertools import islice
from operator import itemgetter

from fastsession.cookies import MAX_COOKIE_SIZE, MAX_COOKIES, MOST_HEADER_BYTES, begins_pair
from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

_SUFFIXES = ("", ".1", ".2")
# Chromium keeps 10 KB of partitioned cookies per site and drops the oldest beyond that (CHIPS).
_MOST_PARTITIONED = 2
# A chunk is the mark `count.set.` and a piece. A whole token contains no full stop.
_SET_ID_SIZE = 8
_END_SIZE = len("id.") + 2
_MARK = re.compile(rf"[23]\.[^.]{{{_SET_ID_SIZE}}}\.")
CHUNK_MARK_SIZE = len("2.") + _SET_ID_SIZE + len(".")
# A token is split only if one cookie is too small for it, so a first piece is longer than this, whatever the name is.
_LEAST_PIECE = 3000
# Occurrences of one set's mark that are examined: three chunks from two paths are six. Nobody can forge more, because
# the set's id is the end of a secret token.
_MOST_LOOKS = 6
# Cookies of our names that make a rejected header one to know again.
_MOST_PRESENTED = 4
# Of each so many characters: more than the nonce, which no two tokens share.
_MOST_TOLD_APART = 256


class Chunks:
    """Splits tokens over the cookies `name`, `name.1` and `name.2`."""

    def __init__(self, name: str, max_cookies: int, *, partitioned: bool = False) -> None:
        if max_cookies not in range(1, MAX_COOKIES + 1):
            message = f"max_cookies must be 1, 2 or {MAX_COOKIES}: proxies refuse more."
            raise ConfigurationError(message)
        if partitioned and max_cookies > _MOST_PARTITIONED:
            message = f"partitioned=True takes max_cookies={_MOST_PARTITIONED} at most: browsers drop more than 10 KB."
            raise ConfigurationError(message)
        self.names = tuple(name + suffix for suffix in _SUFFIXES)
        self._mark = f"{name}.".encode()
        self._pairs = re.compile(re.escape(name).encode() + rb"(?:\.[12])?[ \t]*+=[^;]{0,%d}+" % _MOST_TOLD_APART)
        self._finders = tuple(chunk_name.encode() for chunk_name in self.names)
        # The whole token in one cookie, or pieces of it in all of them.
        self._single = MAX_COOKIE_SIZE - len(name)
        self._pieces = tuple(
            MAX_COOKIE_SIZE - len(chunk_name) - CHUNK_MARK_SIZE for chunk_name in self.names[:max_cookies]
        )
        self.capacity = self._single if max_cookies == 1 else sum(self._pieces)

    def search(self, beginnings: Sequence[str], *, least: int) -> re.Pattern[str]:
        """Return a pattern for whole tokens and first chunks in a Cookie header that a browser wrote.

        `beginnings` are the first characters of tokens, `least` the size of the smallest. The pattern never
        backtracks, so no header makes the search slow.
        """
        name, begins, size = self.names[0], "|".join(map(re.escape, beginnings)), len(beginnings[0])
        character, mark = "[A-Za-z0-9_-]", rf"[23]\.[A-Za-z0-9_-]{{{_SET_ID_SIZE}}}\."

        def token(before: int, characters: int) -> str:
            # What stands before the name is checked after some of the value, which excludes more.
            value = len(name) + len("=") + before + size
            place = rf"(?={character}{{30}})(?:(?<![^;].{{{value}}})|(?<=; .{{{value}}}))"
            return rf"(?:{begins}){place}{character}{{{characters - size},}}+"

        values = rf"{token(0, least)}|{mark}{token(CHUNK_MARK_SIZE, _LEAST_PIECE)}"
        return re.compile(rf"{re.escape(name)}=({values})(?:;|\Z)", re.DOTALL)

    def split(self, token: str) -> dict[str, str]:
        """Return cookie names and values for a token of at most `capacity` characters."""
        if len(token) <= self._single:
            return {self.names[0]: token}
        pieces: list[str] = []
        rest = token
        for capacity in self._pieces:
            if rest:
                pieces.append(rest[:capacity])
                rest = rest[capacity:]
        # The last characters belong to the tag, so they differ for every token.
        set_id = token[-_SET_ID_SIZE:]
        return {name: f"{len(pieces)}.{set_id}.{piece}" for name, piece in zip(self.names, pieces, strict=False)}

    def join(self, value: str, header: bytes) -> str:
        """Return the token whose first chunk is `value`; raises `Rejected` (malformed, incomplete)."""
        if not _is_chunk(value):
            raise Rejected(SessionStatus.MALFORMED, "not a chunk of a session")
        names = self._finders[1 : int(value[0])]
        pieces = _pieces(value[:CHUNK_MARK_SIZE], names, header)
        token = value[CHUNK_MARK_SIZE:]
        for number, name in enumerate(names, start=1):
            if name not in pieces:
                raise Rejected(SessionStatus.INCOMPLETE, f"{number} of {value[0]} chunks")
            token += pieces[name]
        return token

    def brought(self, header: bytes) -> list[str]:
        """Return the names to delete with a session: the first, if the header contains it, and stale chunks."""
        return [self.names[0], *self.following(header)] if self._finders[0] in header else []

    def may_be_whole(self, value: str, header: bytes) -> bool:
        """Return whether the header may have the chunks that follow this first one."""
        return _end_of(value[:CHUNK_MARK_SIZE]) in header

    def presented(self, header: bytes) -> Hashable:
        """Return what the header has under the session's names, in one search: enough to know it again."""
        return tuple(islice(map(itemgetter(0), self._pairs.finditer(header[:MOST_HEADER_BYTES])), _MOST_PRESENTED))

    def following(self, header: bytes) -> list[str]:
        """Return the names of the later chunks in the request, from our own list and never from the client."""
        if header.find(self._mark) < 0:
            return []
        named = zip(self.names[1:], self._finders[1:], strict=True)
        return [name for name, find in named if _holds(header, find)]


def _holds(header: bytes, find: bytes) -> bool:
    """Return whether the Cookie header has a cookie of this name; a guess for headers too long to search."""
    if len(header) > MOST_HEADER_BYTES:
        return find in header
    position, looks = header.find(find + b"="), 0
    while position >= 0 and looks < _MOST_LOOKS and not begins_pair(header, position):
        looks += 1
        position = header.find(find + b"=", position + 1)
    return position >= 0


def _pieces(mark: str, names: Collection[bytes], header: bytes) -> dict[bytes, str]:
    """Return the pieces with this mark by cookie name; for a repeated name the first."""
    find, marked = _end_of(mark), mark.encode("latin-1")
    pieces: dict[bytes, str] = {}
    position, looks = header.find(find), 0
    while position >= 0 and looks < _MOST_LOOKS and len(pieces) < len(names):
        looks += 1
        end = header.find(b";", position)
        pair = header[header.rfind(b";", 0, position) + 1 : end if end >= 0 else None]
        name, _, value = pair.partition(b"=")
        name, chunk = name.strip(b" \t"), value.strip(b" \t")
        if name in names and chunk.startswith(marked) and CHUNK_MARK_SIZE < len(chunk) <= MAX_COOKIE_SIZE:
            pieces.setdefault(name, chunk[CHUNK_MARK_SIZE:].decode("latin-1"))
        position = header.find(find, end) if end >= 0 else end
    return pieces


def _end_of(mark: str) -> bytes:
    """Return what to search a mark by: CPython finds six characters or more at a tenth of the speed, at worst."""
    return mark[-_END_SIZE:].encode("latin-1")


def _is_chunk(value: str) -> bool:
    return CHUNK_MARK_SIZE < len(value) <= MAX_COOKIE_SIZE and _MARK.match(value) is not None
