"""Cookies to a token that may be believed. Pure: time is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING

from fastsession.errors import Rejected
from fastsession.events import SessionStatus
from fastsession.recent import Recent
from fastsession.token import Token, TokenSealer

if TYPE_CHECKING:
    from fastsession.cookies import Header, SessionCookie
    from fastsession.lifetime import Timeouts


# Cookies whose tag need not be checked again; with the largest ones they take 8 MB.
_REMEMBERED = 512


class CookieOpener:
    """Opens the request's cookie: authentic, bound to this connection, and within its timeouts."""

    def __init__(self, cookie: SessionCookie, sealer: TokenSealer, timeouts: Timeouts) -> None:
        self._cookie = cookie
        self._sealer = sealer
        self._timeouts = timeouts
        # A browser sends the same value until it is given another.
        self._authentic: Recent[str, Token] = Recent(_REMEMBERED)

    def open(self, headers: Iterable[Header], binding: bytes, now: float) -> Token | None:
        """The newest valid token among the cookies of our name, None without any; raises `Rejected`.

        Cookies of one name may come from several paths or domains in any order (RFC 6265bis, section
        4.2.2); two valid ones of different sessions cannot be told apart, so neither is believed.
        """
        values = self._cookie.values(headers)
        if len(values) == 1:
            return self._open_value(values[0], headers, binding, now)
        tokens: list[Token] = []
        rejections: list[Rejected] = []
        for value in values:
            try:
                tokens.append(self._open_value(value, headers, binding, now))
            except Rejected as rejected:
                rejections.append(rejected)
        if len({token.id for token in tokens}) > 1:
            raise Rejected(SessionStatus.AMBIGUOUS, "valid cookies of different sessions")
        if rejections and not tokens:
            raise rejections[0]
        return max(tokens, key=lambda token: token.renewed_at, default=None)

    def renewal_possible(self, headers: Iterable[Header], clock: Callable[[], float]) -> bool:
        """Whether the cookie's clear header says that renewal is due. Nothing is authenticated yet."""
        characters = self._cookie.clear_characters(headers)
        if characters is None:
            return False
        try:
            renewed_at, from_fallback = self._sealer.peek(characters)
        except Rejected:
            return False
        age = clock() - renewed_at
        return age < self._timeouts.longest_idle and (from_fallback or age >= self._timeouts.earliest_renewal)

    def _open_value(self, value: str, headers: Iterable[Header], binding: bytes, now: float) -> Token:
        """The valid token in a cookie's value: authenticated once, judged every time; raises `Rejected`."""
        token = self._authentic.get(value)
        if token is None:
            if "." in value:
                token = self._sealer.open(self._cookie.joined_chunks(value, headers))
            else:
                token = self._sealer.open(value)
                self._authentic.put(value, token)
        if not compare_digest(token.binding, binding):
            raise Rejected(SessionStatus.BINDING, "bound to another connection")
        reason = self._timeouts.rejection(token.created_at, token.renewed_at, token.remembered, now)
        if reason is not None:
            raise Rejected(reason)
        return token
