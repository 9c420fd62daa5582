"""What NextAuth and Auth.js have in common: a JWE of claims in one cookie or in numbered chunks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastsession.errors import Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, checked_value
from fastsession.formats.jwe import JweKey, open_jwe
from fastsession.formats.json_data import load_object
from fastsession.formats.validity import MAX_DIGITS, expired
from fastsession.status import SessionStatus

# Their own readers accept a session this many seconds past its end, or before its `nbf`.
TOLERANCE: Final = 15
# As many cookies as fit into the 64 KB of headers that we look at.
_MOST_CHUNKS: Final = 16
_TIMES: Final = ("iat", "nbf", "exp")


class ClaimsCookie:
    """The cookie NAME, or NAME.0, NAME.1 and so on, that holds a JWE of claims."""

    def __init__(self, cookie_name: str) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._chunk_name = re.compile(rf"{re.escape(cookie_name)}\.(0|[1-9][0-9]?)")

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """The cookie and its chunks, as far as the request brought them, the chunks in order."""
        chunks = [(int(match[1]), name) for name in cookies if (match := self._chunk_name.fullmatch(name))]
        whole = [self.cookie_name] if self.cookie_name in cookies else []
        return whole + [name for _, name in sorted(chunks)]

    def text(self, cookies: Mapping[str, str]) -> str:
        """The JWE; raises `Rejected` (absent, incomplete, oversize, malformed)."""
        whole = cookies.get(self.cookie_name)
        if whole:
            # Chunks beside it are left over from a larger session.
            return checked_value(whole)
        chunks = [name for name in self.names(cookies) if cookies[name]]
        if not chunks:
            raise Rejected(SessionStatus.ABSENT)
        if len(chunks) > _MOST_CHUNKS:
            raise Rejected(SessionStatus.OVERSIZE, f"{len(chunks)} chunks")
        if chunks != [f"{self.cookie_name}.{number}" for number in range(len(chunks))]:
            raise Rejected(SessionStatus.INCOMPLETE, "a chunk is missing")
        return "".join(checked_value(cookies[name]) for name in chunks)


def claims_session(text: str, keys: Sequence[JweKey], now: float) -> ForeignSession:
    """The session in a JWE of claims; raises `Rejected`.

    `created_at` stays None: `iat` is the last renewal, and nothing tells when the user signed in.
    """
    claims = load_object(open_jwe(text, keys))
    times = {name: _time(claims[name]) for name in _TIMES if name in claims}
    second = math.floor(now)
    if "nbf" in times and times["nbf"] > second + TOLERANCE:
        raise Rejected(SessionStatus.FUTURE, "not valid yet")
    if "exp" in times and times["exp"] <= second - TOLERANCE:
        raise expired()
    return ForeignSession(claims, None, times.get("exp"))


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 10**MAX_DIGITS:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but a claim that should be a time is none")
    return value
