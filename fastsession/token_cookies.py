"""A session in our own token: from the request's cookies, into the response's. Pure: time is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol

from fastsession.chunks import Chunks, clear_characters
from fastsession.cookies import Header, find_values, finder
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.events import SessionStatus
from fastsession.payload import field_sizes
from fastsession.recent import Recent
from fastsession.token import HEADER_CHARACTERS, Token, TokenSealer, token_size

if TYPE_CHECKING:
    from fastsession.lifetime import Timeouts

# Cookies whose tag need not be checked again; with the largest ones they take 8 MB.
_REMEMBERED = 512


class SessionCookies(Protocol):
    """How a session is written into cookies: in our format or another system's."""

    name: str
    # What `SessionInfo.origin` calls it.
    origin: str

    def open(self, headers: Iterable[Header], binding: bytes, now: float) -> Token | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        ...

    def renewal_possible(self, headers: Iterable[Header], clock: Callable[[], float]) -> bool:
        """Whether a session that nobody looks at has to be opened all the same, to move its idle deadline."""
        ...

    def brought(self, headers: Iterable[Header]) -> list[str]:
        """The names of the session's cookies that the request brought, stale ones too."""
        ...

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values; raises `SessionTooLargeError`."""
        ...


class TokenCookies:
    """Our own format: one token, over as many cookies as it needs."""

    origin = "fastsession"

    def __init__(self, sealer: TokenSealer, chunks: Chunks, timeouts: Timeouts) -> None:
        self.name = chunks.names[0]
        self.brought = chunks.brought
        self._sealer = sealer
        self._chunks = chunks
        self._timeouts = timeouts
        self._find = finder(self.name)
        # A browser sends the same value until it is given another.
        self._authentic: Recent[str, Token] = Recent(_REMEMBERED)

    def open(self, headers: Iterable[Header], binding: bytes, now: float) -> Token | None:
        """The newest valid token among the cookies of our name, None without any; raises `Rejected`.

        Cookies of one name may come from several paths or domains in any order (RFC 6265bis, section
        4.2.2); two valid ones of different sessions cannot be told apart, so neither is believed.
        """
        values = find_values(headers, self._find)
        if len(values) == 1:
            return self._valid(values[0], headers, binding, now)
        if not values and self._chunks.following(headers):
            raise Rejected(SessionStatus.INCOMPLETE, "the first chunk is missing")
        tokens: list[Token] = []
        rejections: list[Rejected] = []
        for value in values:
            try:
                tokens.append(self._valid(value, headers, binding, now))
            except Rejected as rejected:
                rejections.append(rejected)
        if len({token.id for token in tokens}) > 1:
            raise Rejected(SessionStatus.AMBIGUOUS, "valid cookies of different sessions")
        if rejections and not tokens:
            raise rejections[0]
        # Of two from the same second the later: browsers send the older cookie first.
        return max(reversed(tokens), key=lambda token: token.renewed_at, default=None)

    def renewal_possible(self, headers: Iterable[Header], clock: Callable[[], float]) -> bool:
        """Whether the cookie's clear header says that renewal is due. Nothing is authenticated yet."""
        try:
            values = find_values(headers, self._find)
            if not values:
                return False
            renewed_at, from_fallback = self._sealer.peek(clear_characters(values[0], HEADER_CHARACTERS))
        except Rejected:
            return False
        age = clock() - renewed_at
        return age < self._timeouts.longest_idle and (from_fallback or age >= self._timeouts.earliest_renewal)

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values of the token, sealed under the primary key; raises `SessionTooLargeError`."""
        size, limit = token_size(payload=len(token.payload), bound=bool(token.binding)), self._chunks.capacity
        if size > limit:
            raise SessionTooLargeError(size=size, limit=limit, fields=field_sizes(token.payload)[:3])
        return self._chunks.split(self._sealer.seal(token, now=now))

    def _valid(self, value: str, headers: Iterable[Header], binding: bytes, now: float) -> Token:
        """The valid token in a cookie's value: authenticated once, judged every time; raises `Rejected`."""
        token = self._authentic.get(value)
        if token is None:
            if "." in value:
                token = self._sealer.open(self._chunks.join(value, headers))
            else:
                token = self._sealer.open(value)
                self._authentic.put(value, token)
        judge(token, binding, self._timeouts, now)
        return token


def judge(token: Token, binding: bytes, timeouts: Timeouts, now: float) -> None:
    """Raise `Rejected` for an authentic session that is bound elsewhere or over."""
    if not compare_digest(token.binding, binding):
        raise Rejected(SessionStatus.BINDING, "bound to another connection")
    reason = timeouts.rejection(token.created_at, token.renewed_at, token.remembered, now)
    if reason is not None:
        raise Rejected(reason)
