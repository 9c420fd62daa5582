"""One format to migrate from, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastsession.cookies import check_name, check_place
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.candidates import load_newest, read_newest
from fastsession.formats.contract import CookieReader, ForeignSession
from fastsession.formats.validity import expired
from fastsession.lifetime import moment, seconds
from fastsession.status import SessionStatus


@dataclass(frozen=True, slots=True)
class Migration:
    """Sessions of `format` are taken over until `accept_until`, an aware datetime; from then on nothing is read.

    `max_age` (a timedelta or seconds) bounds their life: it counts from their creation, or from now where
    their format does not tell when that was. A session that is over by its own format stays so. `path`
    and `domain` are the old cookie's, without which no browser deletes it.

    The cookie of a front end that stays in use is not for migrating: deleting it signs the user out there.
    `SignedIn` reads it and leaves it alone. `signs_out_there=True` says that the front end goes.
    """

    format: CookieReader
    accept_until: datetime
    max_age: timedelta | float | None = None
    path: str = "/"
    domain: str | None = None
    signs_out_there: bool = False

    def __post_init__(self) -> None:
        if not callable(getattr(self.format, "read", None)):
            message = "Migration takes a format first, such as StarletteSession(secret_key=...)."
            raise ConfigurationError(message)
        if getattr(self.format, "of_front_end", False) and not self.signs_out_there:
            name = type(self.format).__name__
            message = (
                f"Migrating deletes the cookie that {name} reads, which signs the user out of the front end. Write "
                f"SignedIn({name}(...)) to look at it beside the front end, or Migration(..., signs_out_there=True) "
                "when the front end's session may go."
            )
            raise ConfigurationError(message)
        if not isinstance(self.accept_until, datetime):
            message = "accept_until takes the moment from which old cookies count no more: datetime(..., tzinfo=UTC)."
            raise ConfigurationError(message)
        moment("accept_until", self.accept_until)
        if self.max_age is not None:
            seconds("max_age", self.max_age, least=1)
        # The browser deletes no cookie that it would not keep.
        check_place(self.path, self.domain)
        check_name(self.format.cookie_name, path=self.path, domain=self.domain, https_only=True)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session to take over; raises `Rejected`, with `absent` once the migration is over."""
        return self.bounded(self.find(cookies, now=now), now)

    async def load(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `read`, and for formats whose data is in a store as well; raises `StoreUnavailableError`."""
        return self.bounded(await self.ask(cookies, now=now), now)

    def find(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `read`, but with the times of its own that the session came with."""
        self._check_open(now)
        return read_newest(self.format, cookies, now=now, check=lambda session: self.bounded(session, now))

    async def ask(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `find`, and for formats whose data is in a store as well; raises `StoreUnavailableError`."""
        self._check_open(now)
        return await load_newest(self.format, cookies, now=now, check=lambda session: self.bounded(session, now))

    def bounded(self, session: ForeignSession, now: float) -> ForeignSession:
        """The session ending at `max_age` at the latest; raises `Rejected` (expired_absolute)."""
        if self.max_age is None:
            return session
        began = now if session.created_at is None else session.created_at
        latest = began + seconds("max_age", self.max_age, least=1)
        if now >= latest:
            raise expired("older than max_age")
        expires_at = latest if session.expires_at is None else min(session.expires_at, latest)
        return replace(session, expires_at=expires_at)

    def is_open(self, now: float) -> bool:
        """Whether old cookies still count."""
        return now < self.accept_until.timestamp()

    def _check_open(self, now: float) -> None:
        if not self.is_open(now):
            raise Rejected(SessionStatus.ABSENT, "the migration is over")
