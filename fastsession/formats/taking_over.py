"""Our cookies under a name under which Starlette's middleware signed before: what it signed is taken over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastsession.cookies import cookie_pairs
from fastsession.errors import Rejected
from fastsession.formats.migrating import adopted
from fastsession.formats.migration import Migration
from fastsession.formats.starlette_session import StarletteSession as SignedSession
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.lifetime import Timeouts
    from fastsession.sealing.chunks import Chunks
    from fastsession.sealing.contract import Arrival
    from fastsession.sealing.token import TokenSealer

# Begins the Base64 of `{"`, with which the JSON of a session begins.
_SIGNED = b"ey"
_NEVER_ENDS = datetime.max.replace(tzinfo=UTC)


class TakingOverCookies(OwnCookies):
    """Our cookies; one that is none of ours may be what Starlette's middleware signed with `secret`.

    `max_age` is Starlette's. One that is not positive leaves no cookie valid.
    """

    def __init__(
        self,
        sealer: TokenSealer,
        chunks: Chunks,
        timeouts: Timeouts,
        *,
        secret: str,
        max_age: int | None,
        accept_until: datetime | None,
    ) -> None:
        super().__init__(sealer, chunks, timeouts)
        self._looks_signed = self._pair + _SIGNED
        self._never_valid = max_age is not None and max_age <= 0
        age = None if max_age is None else max(max_age, 1)
        signed = StarletteSession(secret_key=secret, cookie_name=self.name, max_age=age)
        self._before = Migration(signed, accept_until=_NEVER_ENDS if accept_until is None else accept_until)

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        try:
            arrival = super().open(header, binding, now)
        except Rejected as rejected:
            return self._taken_over(header, now, rejected)
        if arrival is not None and self._never_valid:
            raise Rejected(SessionStatus.EXPIRED_IDLE, "max_age is not positive")
        return arrival

    def may_be_due(self, header: bytes, now: float) -> bool:
        """Whether the cookie is to be renewed, or to be taken over."""
        return self._looks_signed in header or super().may_be_due(header, now)

    def _taken_over(self, header: bytes, now: float, ours: Rejected) -> Arrival:
        """The session that Starlette's middleware signed; raises the rejection that tells more."""
        if self._never_valid:
            raise ours.again()
        try:
            signed = self._before.find(cookie_pairs(header), now=now)
        except Rejected as theirs:
            unsigned = theirs.status in (SessionStatus.ABSENT, SessionStatus.MALFORMED)
            raise (ours if unsigned else theirs).again() from None
        # The response writes a cookie of the same name, so that there is none to delete.
        return adopted(self._before, signed, (), fields=(), timeouts=self.timeouts, now=now)


class StarletteSession(SignedSession):
    """What was signed with the secret of the middleware here, which warns of a weak one. Events name it so."""

    def _warn(self) -> None:
        pass
