"""Sessions of the system that was there before: read once, then ours."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic_core import to_jsonable_python

from fastsession.cookies import CookieWriter, Header, cookie_pairs, presented
from fastsession.errors import ConfigurationError, Rejected, SessionNotSerializableError, StoreUnavailableError
from fastsession.formats.contract import METADATA_KEY, ForeignSession, StoredReader, names_of
from fastsession.formats.marks import adopted_id, digest_of, mark_of
from fastsession.payload.lines import join_payload
from fastsession.sealing.contract import Arrival, Origin
from fastsession.sealing.token import Token
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.formats.migration import Migration
    from fastsession.lifetime import Timeouts
    from fastsession.sealing.contract import SessionCookies


class Migrations:
    """Tries each migration in turn.

    `awaits` is whether one of them has to ask a store; `until` is the second at which the last one is over.
    """

    def __init__(
        self,
        migrations: Sequence[Migration],
        *,
        fields: Sequence[str],
        timeouts: Timeouts,
        own_name: str,
        https_only: bool,
    ) -> None:
        self._migrations = migrations
        self._fields = fields
        self._timeouts = timeouts
        self._writers = [
            CookieWriter(path=migration.path, domain=migration.domain, https_only=https_only)
            for migration in migrations
        ]
        self.until = int(max(migration.accept_until.timestamp() for migration in migrations)) + 1
        self.awaits = any(isinstance(migration.format, StoredReader) for migration in migrations)
        if any(migration.format.cookie_name == own_name for migration in migrations):
            message = f"The cookie to migrate from is called {own_name!r} as ours: choose another session_cookie=."
            raise ConfigurationError(message)

    def read(self, header: bytes, now: float) -> Arrival | None:
        """The first session found, None without any; raises `Rejected` for cookies of which none is good."""
        cookies = cookie_pairs(header)
        rejections: list[Rejected] = []
        for migration, writer in zip(self._migrations, self._writers, strict=True):
            try:
                return self._adopted(migration, writer, migration.find(cookies, now=now), cookies, now)
            except Rejected as rejected:
                rejections.append(_named(migration, rejected))
        _raise_first(rejections)
        return None

    async def load(self, header: bytes, now: float) -> Arrival | None:
        """As `read`, and from stores too; a store that does not answer is the rejection `store_down`."""
        cookies = cookie_pairs(header)
        rejections: list[Rejected] = []
        for migration, writer in zip(self._migrations, self._writers, strict=True):
            try:
                foreign = await migration.ask(cookies, now=now)
                return self._adopted(migration, writer, foreign, cookies, now)
            except Rejected as rejected:
                rejections.append(_named(migration, rejected))
            except StoreUnavailableError:
                down = Rejected(SessionStatus.STORE_DOWN, "the store does not answer")
                rejections.append(_named(migration, down))
        _raise_first(rejections)
        return None

    def brought(self, header: bytes) -> list[str]:
        """The names of the request's cookies that belong to the systems before."""
        cookies = cookie_pairs(header)
        return [name for migration in self._migrations for name in names_of(migration.format, cookies)]

    def deletions(self, header: bytes, now: float) -> list[Header]:
        """The headers that delete every old cookie that the request brought and that would still be read."""
        cookies = cookie_pairs(header)
        pairs = zip(self._migrations, self._writers, strict=True)
        return [
            line
            for migration, writer in pairs
            if migration.is_open(now)
            for line in writer.delete(names_of(migration.format, cookies))
        ]

    def _adopted(
        self,
        migration: Migration,
        writer: CookieWriter,
        foreign: ForeignSession,
        cookies: Mapping[str, str],
        now: float,
    ) -> Arrival:
        """The session as one of ours that begins now; raises `Rejected` for one that began before `not_before`."""
        deletions = writer.delete(names_of(migration.format, cookies))
        return adopted(migration, foreign, deletions, fields=self._fields, timeouts=self._timeouts, now=now)


def adopted(
    migration: Migration,
    foreign: ForeignSession,
    deletions: Sequence[Header],
    *,
    fields: Sequence[str],
    timeouts: Timeouts,
    now: float,
) -> Arrival:
    """A session of another system as one of ours that begins now; raises `Rejected` for one before `not_before`."""
    began = 0 if foreign.created_at is None else int(foreign.created_at)
    if began < timeouts.not_before:
        raise Rejected(SessionStatus.REVOKED, "begun before not_before")
    payload = _payload(foreign, fields)
    digest = digest_of(migration.format, foreign)
    token = Token(adopted_id(digest), int(now), 0, int(now), timeouts.from_the_start, payload, stale=True)
    window = timeouts.begin(int(now), stale=True)
    return Arrival(token, window, Origin(_origin(migration), deletions, mark_of(digest), began))


class MigratingCookies:
    """Our cookies and, where there are none, those of the systems to migrate from."""

    def __init__(self, own: SessionCookies, migrations: Migrations) -> None:
        self.own = own
        self._migrations = migrations
        self.name, self.origin = own.name, own.origin
        self.may_be_due, self.brought, self.stale, self.seal = own.may_be_due, own.brought, own.stale, own.seal
        self.other_deletions = migrations.deletions

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`.

        One whose data has to be asked for is not opened here: `Migrations.load` is awaited for that.
        """
        arrival = self.own.open(header, binding, now)
        return self._migrations.read(header, now) if arrival is None and not self._migrations.awaits else arrival

    def presented(self, header: bytes) -> Hashable:
        """The values of all cookies in which the request's session may have come."""
        return self.own.presented(header), presented(header, self._migrations.brought(header))


def _payload(foreign: ForeignSession, fields: Sequence[str]) -> bytes:
    """The session's data as ours; raises `Rejected` (incompatible) for what JSON does not hold.

    Flask has more types than JSON: a datetime or UUID becomes the text that a model reads it from.
    """
    data = {key: value for key, value in foreign.data.items() if key != METADATA_KEY}
    try:
        return join_payload(to_jsonable_python(data), fields)
    except (ValueError, SessionNotSerializableError):
        raise Rejected(SessionStatus.INCOMPATIBLE, "it holds a value that JSON does not") from None


def _origin(migration: Migration) -> str:
    return type(migration.format).__name__


def _named(migration: Migration, rejected: Rejected) -> Rejected:
    """The rejection with the format that it comes from, for the operator."""
    return Rejected(rejected.status, f"{_origin(migration)}: {rejected.detail}")


def _raise_first(rejections: list[Rejected]) -> None:
    """Raise the first rejection of a cookie that was there."""
    for rejected in rejections:
        if rejected.status is not SessionStatus.ABSENT:
            raise rejected.again()
