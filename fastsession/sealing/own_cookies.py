"""A session in our own token: from the request's cookies, into the response's. Pure: time is a parameter."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hmac import compare_digest
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from fastsession.cookies import MAX_COOKIES, MOST_HEADER_BYTES, find_values
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.payload.lines import field_sizes
from fastsession.sealing.choice import Choice
from fastsession.sealing.chunks import CHUNK_MARK_SIZE, Chunks, clear_characters
from fastsession.sealing.other_writers import other_writer
from fastsession.sealing.recent import Recent
from fastsession.sealing.token import HEADER_CHARACTERS, LEAST_CHARACTERS, Token, TokenSealer, is_token_size
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.lifetime import Timeouts

# Cookie headers whose token's tag need not be checked again, and the longest of them: at most 16 MB.
_REMEMBERED = 512
_LONGEST_REMEMBERED = 8192
# Cookies of our name that look like tokens of ours: whose clear characters are compared, and of these which are tried.
# Somebody who knows the id of our key, and so can make such cookies, hides the good one with four that must be opened.
_MOST_COMPARED, _MOST_TRIED = 16, 6
_NEVER = 0.0, 0.0
_BEFORE_A_NAME = b"; \t"
_MORE_COOKIES = f", or raise max_cookies ({MAX_COOKIES} at most)"


class SessionCookies(Protocol):
    """How a session is written into cookies: in our format or another system's."""

    name: str
    # What `SessionInfo.origin` calls it.
    origin: str

    def open(self, header: bytes, binding: bytes, now: float) -> Token | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        ...

    def renewal_possible(self, header: bytes, clock: Callable[[], float]) -> bool:
        """Whether a session that nobody looks at has to be opened all the same, to move its idle deadline."""
        ...

    def brought(self, header: bytes) -> list[str]:
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
        self.sealer = sealer
        self.chunks = chunks
        self.timeouts = timeouts
        self._find = self.name.encode()
        self._pair = self._find + b"="
        self._beginnings = [beginning.encode() for beginning in sealer.beginnings()]
        self._search = chunks.search(sealer.beginnings(), least=LEAST_CHARACTERS).finditer
        # A browser sends the same cookies until it is given others. With each token, from when until before when
        # it is valid: time goes on.
        self._authentic: Recent[bytes, tuple[Token, int, int]] = Recent(_REMEMBERED)
        # The clear characters are those of all tokens of one key and second.
        self._renewal_window = lru_cache(_REMEMBERED)(self._renewal_window_of)

    def open(self, header: bytes, binding: bytes, now: float) -> Token | None:
        """The newest valid token among the cookies of our name, None without any; raises `Rejected`."""
        known = self._authentic.get(header)
        if known is not None:
            token, begins, ends = known
            if binding or token.binding or not begins <= now < ends:
                judge(token, binding, self.timeouts, now)
            return token
        texts = self._sealed_by_us(header)
        if len(texts) > 1:
            return self._newest(texts, header, binding, now)
        # Without any that can be sealed by us, the first cookie of our name tells why there is no session.
        texts = texts or find_values(header, self._find)
        if texts:
            token = self._token(texts[0], header)
            begins, ends = judge(token, binding, self.timeouts, now)
            # Only now: what is turned away is to take as long each time, whether it was forged or is over.
            if len(header) <= _LONGEST_REMEMBERED:
                self._authentic.put(header, (token, begins, ends))
            return token
        if self.chunks.following(header):
            raise Rejected(SessionStatus.INCOMPLETE, "the first chunk is missing")
        return None

    def renewal_possible(self, header: bytes, clock: Callable[[], float]) -> bool:
        """Whether the token's clear bytes say that renewal is due. A strange one is not authenticated for that."""
        start = header.find(self._pair)
        if start < 0 or (start and header[start - 1] not in _BEFORE_A_NAME):
            # Not as browsers write it, if it is there: then it has to be opened to know.
            return self._find in header
        if header.find(self._pair, start + 1) >= 0:
            # Of several any may be the session.
            return True
        due, over = self._renewal_window(clear_characters(header, start + len(self._pair), HEADER_CHARACTERS))
        return due <= clock() < over

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values of the token, sealed under the primary key; raises `SessionTooLargeError`."""
        text, limit = self.sealer.seal(token, now=now), self.chunks.capacity
        if len(text) > limit:
            raise SessionTooLargeError(
                size=len(text), limit=limit, fields=field_sizes(token.payload)[:3], way_out=_MORE_COOKIES
            )
        return self.chunks.split(text)

    def _renewal_window_of(self, clear: bytes) -> tuple[float, float]:
        """From when until before when a token with these clear characters may be due for renewal; never, if none."""
        try:
            return self.timeouts.renewal_window(*self.sealer.peek(clear.decode("latin-1")))
        except Rejected:
            return _NEVER

    def _newest(self, texts: list[str], header: bytes, binding: bytes, now: float) -> Token:
        """The newest valid token of several; raises `Rejected` (ambiguous, or why none is valid)."""
        choice: Choice[Token] = Choice(most_tried=_MOST_TRIED)
        for text in texts:
            if not self._may_be_valid(text, now):
                continue
            try:
                token = self._token(text, header)
                judge(token, binding, self.timeouts, now)
            except Rejected as rejected:
                choice.reject(rejected)
            else:
                choice.accept(token, identity=token.id, written_at=token.renewed_at)
            if choice.is_full:
                break
        if choice.is_empty:
            # None can be valid, and the first tells why.
            token = self._token(texts[0], header)
            judge(token, binding, self.timeouts, now)
            return token
        return choice.newest()

    def _sealed_by_us(self, header: bytes) -> list[str]:
        """The first values of our name that look like tokens under a configured key, or begin one: not yet believed.

        What else is called like our cookie costs no more than a search, so that it cannot hide the good one.
        """
        texts: list[str] = []
        for beginning in self._beginnings:
            if beginning in header and len(header) <= MOST_HEADER_BYTES:
                for match in islice(self._search(header.decode("latin-1")), _MOST_COMPARED):
                    texts.append(match[1])  # noqa: PERF401  (a comprehension would be one more call on Python 3.11)
                break
        return texts

    def _may_be_valid(self, text: str, now: float) -> bool:
        """Whether the clear characters and the length leave a value a valid token: not yet believed."""
        chunk = "." in text
        renewed_at, _ = self.sealer.peek(text[CHUNK_MARK_SIZE:] if chunk else text)
        return self.timeouts.may_be_valid(renewed_at, now) and (chunk or is_token_size(len(text)))

    def _token(self, value: str, header: bytes) -> Token:
        """The authentic token that a cookie's value is, or begins; raises `Rejected`."""
        try:
            return self.sealer.open(self.chunks.join(value, header) if "." in value else value)
        except Rejected as rejected:
            if rejected.status is SessionStatus.MALFORMED and (written_by := other_writer(value)):
                detail = f"{rejected.detail}: something else writes a cookie of this name, {written_by}"
                raise Rejected(rejected.status, detail) from None
            raise


def judge(token: Token, binding: bytes, timeouts: Timeouts, now: float) -> tuple[int, int]:
    """From when until before when an authentic session is valid; raises `Rejected` if bound elsewhere or not now."""
    if (token.binding or binding) and not compare_digest(token.binding, binding):
        raise Rejected(SessionStatus.BINDING, "bound to another connection")
    begins, ends = timeouts.validity(token.created_at, token.renewed_at, token.remembered)
    if not begins <= now < ends:
        raise Rejected(timeouts.fault(token.created_at, token.renewed_at, token.remembered, now))
    return begins, ends
