"""A session in our own token: from the request's cookies, into the response's. Pure: time is a parameter."""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from itertools import chain, filterfalse, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from fastsession.cookies import MAX_COOKIES, MOST_HEADER_BYTES, find_values
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.payload.lines import field_sizes
from fastsession.sealing.choice import Choice
from fastsession.sealing.chunks import CHUNK_MARK_SIZE, Chunks
from fastsession.sealing.contract import Arrival
from fastsession.sealing.other_writers import other_writer
from fastsession.sealing.recent import Recent
from fastsession.sealing.token import (
    HEADER_CHARACTERS,
    LEAST_CHARACTERS,
    OTHER_TAG,
    Token,
    TokenSealer,
    decode,
    is_token_size,
    renewed_at_of,
)
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from fastsession.cookies import Header
    from fastsession.lifetime import Timeouts, Window

# Cookie headers whose token's tag need not be checked again, and the longest of them: at most 16 MB.
_REMEMBERED = 512
_LONGEST_REMEMBERED = 8192
# Hashes of headers that were seen once.
_NOTED = 1024
# Cookies of our name that look like tokens of ours: whose clear characters are compared, and of these which are tried.
# Somebody who knows the id of our key, and so can make such cookies, hides the good one with four that must be opened.
_MOST_COMPARED, _MOST_TRIED = 16, 6
_NEVER = 0.0, 0.0
_FORGED = Rejected(SessionStatus.FORGED, OTHER_TAG)
_BEFORE_A_NAME = b"; \t"
# Headers are bytes: each is one character.
_TEXT = "latin-1"
_MORE_COOKIES = f", or raise max_cookies ({MAX_COOKIES} at most)"


class OwnCookies:
    """Our own format: one token, over as many cookies as it needs."""

    origin = "fastsession"

    def __init__(self, sealer: TokenSealer, chunks: Chunks, timeouts: Timeouts) -> None:
        self.name = chunks.names[0]
        self.brought = chunks.brought
        self.sealer = sealer
        self.chunks = chunks
        self.timeouts = timeouts
        self._find = self.name.encode()
        self._pair, self._chunk = self._find + b"=", self._find + b"."
        self._beginnings = [beginning.encode() for beginning in sealer.beginnings()]
        self._search = chunks.search(sealer.beginnings(), least=LEAST_CHARACTERS)
        # A browser sends the same cookies until it is given others. With many visitors most are never seen again
        # while they would be remembered, so of the first time only the header's hash is noted.
        self._known: Recent[bytes, Arrival] = Recent(_REMEMBERED)
        self._noted: set[int] = set()
        # The clear characters are those of all tokens of one key and second.
        self._renewal_window = lru_cache(_REMEMBERED)(self._renewal_window_of)

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:  # noqa: C901  (every request's path)
        """The newest valid token among the cookies of our name, None without any; raises `Rejected`."""
        known = self._known.young.get(header) or (self._known.get(header) if header in self._known.old else None)
        if known is not None:
            token, window, _ = known
            if binding or token.binding or not window.begins <= now < window.ends:
                admit(token, binding, self.timeouts, now)
            return known
        before, pair, after = header.partition(self._pair)
        as_browsers_write = pair and (not before or (before.endswith(b"; ") and not before.count(self._find)))
        # But for later chunks the only cookie of our name.
        others = after.count(self._find)
        alone = not others or others == after.count(self._chunk)
        if as_browsers_write and alone and len(header) <= MOST_HEADER_BYTES:
            text = after.partition(b";")[0].strip(b" \t").decode(_TEXT)
        else:
            texts = self._texts(header)
            first, second = next(texts, None), next(texts, None)
            if first is None:
                return None
            if second is not None:
                return self._newest(first, chain((first, second), texts), header, binding, now)
            text = first
        try:
            token = self.sealer.open(self.chunks.join(text, header) if "." in text else text)
        except Rejected as rejected:
            raise _named(rejected, text) from None
        if token.binding or binding:
            check_binding(token, binding)
        timeouts = self.timeouts
        window = timeouts.admit(token.created_at, token.renewed_at, token.remembered, now, token.stale)
        arrival: Arrival = tuple.__new__(Arrival, (token, window, None))  # pyright: ignore[reportUnknownMemberType]
        # A rejected cookie is never remembered: rejecting it must take as long each time.
        mark = hash(header)
        if mark not in self._noted:
            if len(self._noted) >= _NOTED:
                self._noted.clear()
            self._noted.add(mark)
        elif len(header) <= _LONGEST_REMEMBERED:
            self._known.put(header, arrival)
        return arrival

    def may_be_due(self, header: bytes, now: float) -> bool:
        """Whether the token's clear bytes say that renewal is due. A strange one is not authenticated for that."""
        before, pair, after = header.partition(self._pair)
        if not pair or (before and before[-1] not in _BEFORE_A_NAME):
            # Not as browsers write it, if it is there: then it has to be opened to know.
            return self._find in header
        if after.count(self._pair):
            # Of several any may be the session.
            return True
        # The mark of a chunk has a full stop there.
        start = CHUNK_MARK_SIZE if after[1:2] == b"." else 0
        due, over = self._renewal_window(after[start : start + HEADER_CHARACTERS])
        return due <= now < over

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values of the token, sealed under the primary key; raises `SessionTooLargeError`."""
        text, limit = self.sealer.seal(token, now=now), self.chunks.capacity
        if len(text) > limit:
            raise SessionTooLargeError(
                size=len(text), limit=limit, fields=field_sizes(token.payload)[:3], way_out=_MORE_COOKIES
            )
        return self.chunks.split(text)

    def presented(self, header: bytes) -> Hashable:
        """The values of the cookies of our name, and of their chunks."""
        return self.chunks.presented(header)

    def stale(self, header: bytes, values: Mapping[str, str]) -> list[str]:
        """The names of the session's cookies that the request brought, and the response does not set."""
        return list(filterfalse(values.__contains__, self.chunks.following(header)))

    def other_deletions(self, header: bytes, now: float) -> list[Header]:  # noqa: ARG002  (there are no others)
        """The headers that delete cookies of other systems: none."""
        return []

    def _renewal_window_of(self, clear: bytes) -> tuple[float, float]:
        """From when until before when a token with these clear characters may be due for renewal; never, if none."""
        try:
            return self.timeouts.renewal_window(*self.sealer.peek(clear.decode(_TEXT)))
        except Rejected:
            return _NEVER

    def _texts(self, header: bytes) -> Iterator[str]:
        """The values that may be the session; raises `Rejected` (oversize, incomplete).

        Those that look like tokens under a configured key, or begin one. What else is called like our cookie costs
        no more than a search, so that it cannot hide the good one. Without any, the first cookie of our name tells
        why there is no session.
        """
        if len(header) <= MOST_HEADER_BYTES and any(beginning in header for beginning in self._beginnings):
            found = self._search.finditer(header.decode(_TEXT))
            first = next(found, None)
            if first is not None:
                return map(itemgetter(1), chain((first,), islice(found, _MOST_COMPARED - 1)))
        texts = find_values(header, self._find)[:1]
        if not texts and self.chunks.following(header):
            raise Rejected(SessionStatus.INCOMPLETE, "the first chunk is missing")
        return iter(texts)

    def _newest(self, first: str, texts: Iterator[str], header: bytes, binding: bytes, now: float) -> Arrival:
        """The newest valid token of several; raises `Rejected` (ambiguous, or why none is valid)."""
        choice: Choice[Arrival] = Choice(most_tried=_MOST_TRIED)
        rest = b""
        for text in texts:
            if "." in text and not rest:
                rest = self._without_sessions(header)
            try:
                sealed = self._sealed(text, rest, now)
                if not sealed:
                    continue
                if self.sealer.is_forged(sealed):
                    choice.reject(_FORGED)
                else:
                    found = self._arrival(text, rest, binding, now)
                    choice.accept(found, identity=found.token.id, written_at=found.token.renewed_at)
            except Rejected as rejected:
                choice.reject(rejected)
            if choice.is_full:
                break
        if choice.is_empty:
            # None can be valid, and the first tells why.
            return self._arrival(first, rest, binding, now)
        return choice.newest()

    def _without_sessions(self, header: bytes) -> bytes:
        """The header without what may be the session: later chunks are searched there, however long the first are."""
        return "".join(self._search.split(header.decode(_TEXT))[::2]).encode(_TEXT)

    def _sealed(self, text: str, rest: bytes, now: float) -> bytes:
        """The bytes of a token, none if its length, chunks or clear bytes leave it invalid; raises `Rejected`."""
        if "." in text:
            renewed_at, _ = self.sealer.peek(text[CHUNK_MARK_SIZE:])
            if not self.timeouts.may_be_valid(renewed_at, now) or not self.chunks.may_be_whole(text, rest):
                return b""
            return decode(self.chunks.join(text, rest))
        if not is_token_size(len(text)):
            return b""
        sealed = decode(text)
        return sealed if self.timeouts.may_be_valid(renewed_at_of(sealed), now) else b""

    def _arrival(self, text: str, rest: bytes, binding: bytes, now: float) -> Arrival:
        """The valid token that a cookie's value is, or begins; raises `Rejected`."""
        token = self.sealer.open(self.chunks.join(text, rest) if "." in text else text)
        return Arrival(token, admit(token, binding, self.timeouts, now))


def _named(rejected: Rejected, text: str) -> Rejected:
    """The rejection with who may have written a value that is no token, for operators."""
    written_by = other_writer(text) if rejected.status is SessionStatus.MALFORMED else None
    if written_by is None:
        return rejected
    return Rejected(rejected.status, f"{rejected.detail}: something else writes a cookie of this name, {written_by}")


def admit(token: Token, binding: bytes, timeouts: Timeouts, now: float) -> Window:
    """The window of an authentic token; raises `Rejected` for one bound elsewhere, or that is not valid now."""
    check_binding(token, binding)
    return timeouts.admit(token.created_at, token.renewed_at, token.remembered, now, token.stale)


def check_binding(token: Token, binding: bytes) -> None:
    """Raise `Rejected` for a token that is bound to another connection, or to none."""
    if not compare_digest(token.binding, binding):
        raise Rejected(SessionStatus.BINDING, "bound to another connection")
