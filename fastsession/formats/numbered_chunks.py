"""A value in one cookie or in numbered ones, NAME.0, NAME.1 and so on, as front ends in JavaScript spread it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fastsession.errors import Rejected
from fastsession.formats.cookie_values import checked_name, checked_value
from fastsession.status import SessionStatus

# As many cookies as fit into the 64 KB of headers that we look at.
_MOST_CHUNKS: Final = 16


class NumberedChunks:
    """The cookies that carry one value. The whole cookie wins: chunks beside it are left over from a larger value."""

    def __init__(self, cookie_name: str) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._chunk_name = re.compile(rf"{re.escape(cookie_name)}\.(0|[1-9][0-9]?)")

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """The cookie and its chunks, as far as the request brought them, the chunks in order."""
        chunks = [(int(match[1]), name) for name in cookies if (match := self._chunk_name.fullmatch(name))]
        whole = [self.cookie_name] if self.cookie_name in cookies else []
        return whole + [name for _, name in sorted(chunks)]

    def value(self, cookies: Mapping[str, str]) -> str:
        """The value, at most 64 KB; raises `Rejected` (absent, incomplete, oversize, malformed)."""
        whole = cookies.get(self.cookie_name)
        if whole:
            return checked_value(whole)
        chunks = [name for name in self.names(cookies) if cookies[name]]
        if not chunks:
            raise Rejected(SessionStatus.ABSENT)
        if len(chunks) > _MOST_CHUNKS:
            raise Rejected(SessionStatus.OVERSIZE, f"{len(chunks)} chunks")
        if chunks != [f"{self.cookie_name}.{number}" for number in range(len(chunks))]:
            raise Rejected(SessionStatus.INCOMPLETE, "a chunk is missing")
        return "".join(checked_value(cookies[name]) for name in chunks)
