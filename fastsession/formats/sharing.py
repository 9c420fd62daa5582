"""A session in another system's format: read from its cookies, written for both sides. Pure: time is a parameter."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fastsession.cookies import cookie_pairs, presented
from fastsession.errors import ConfigurationError, Rejected, SessionNotSerializableError
from fastsession.formats.candidates import MOST_TRIED, candidates
from fastsession.formats.contract import METADATA_KEY, CookieFormat, ForeignSession, names_of
from fastsession.formats.foreign_secrets import refuse_shared_secrets
from fastsession.formats.marks import digest_of, shared_id
from fastsession.formats.migration import Migration
from fastsession.lifetime import CLOCK_SKEW
from fastsession.payload.lines import join_payload, payload_values, split_payload
from fastsession.sealing.choice import Choice
from fastsession.sealing.contract import Arrival
from fastsession.sealing.own_cookies import admit
from fastsession.sealing.token import BINDING_SIZE, ID_SIZE, Token
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.cookies import Header
    from fastsession.lifetime import Timeouts
    from fastsession.stores.contract import SessionStore

# Our own token keeps times as 40 bits.
_Time = Annotated[int, Field(ge=0, lt=2**40)]


class Metadata(BaseModel):
    """What the other format has no place for. Times are Unix seconds, bytes are hexadecimal."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * ID_SIZE}}}$")]
    created_at: _Time
    authenticated_at: _Time
    renewed_at: _Time
    remembered: bool
    binding: Annotated[str, Field(pattern=rf"^([0-9a-f]{{{2 * BINDING_SIZE}}})?$")]
    spared_at: _Time = 0
    # Keys that the model writes without declaring them; all others are extras.
    undeclared: list[str] = []


class SharedCookies:
    """Sessions in a two-way format, which the other system reads and writes too.

    The cookie's own time, where it tells one, is when the session was last renewed, by whichever side.
    """

    def __init__(self, format_: CookieFormat, fields: Collection[str], timeouts: Timeouts) -> None:
        """Raise `ConfigurationError` for a format that cannot be written."""
        if not callable(getattr(format_, "write", None)):
            message = f"format= needs one that is written too, such as IronSession: use {type(format_).__name__} "
            message += "with migrate_from=."
            raise ConfigurationError(message)
        if not getattr(format_, "timed", True):
            message = f"format= needs a time in the cookie, and {type(format_).__name__} has none without a ttl: "
            message += "a copied cookie would be valid for ever. Give ttl= here and on the other side."
            raise ConfigurationError(message)
        self.name = format_.cookie_name
        self.origin = type(format_).__name__
        self._format = format_
        # Otherwise the time in the cookie is when it was written.
        self._tells_beginning = getattr(format_, "tells_beginning", False)
        self._fields = fields
        self._timeouts = timeouts

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        choice: Choice[Arrival] = Choice(most_tried=MOST_TRIED)
        for cookies in candidates(self._format, cookie_pairs(header)):
            try:
                token = self._token(self._format.read(cookies, now=now), binding)
                arrival = Arrival(token, admit(token, binding, self._timeouts, now))
            except Rejected as rejected:
                choice.reject(rejected)
            else:
                # Until we have written it, a session has no id: then those are one that hold the same.
                identity = token.payload if token.stale else token.id
                choice.accept(arrival, identity=identity, written_at=token.renewed_at)
            if choice.is_full:
                break
        try:
            return choice.newest()
        except Rejected as rejected:
            if rejected.status is SessionStatus.ABSENT:
                return None
            raise

    def may_be_due(self, header: bytes, now: float) -> bool:
        """Whether the idle deadline should move. There is no clear header: the session has to be read."""
        cookies, *others = candidates(self._format, cookie_pairs(header))
        if others:
            # Of several any may be the session: they have to be opened to know.
            return True
        try:
            foreign = self._format.read(cookies, now=now)
            token = self._token(foreign, b"")
        except Rejected:
            return False
        due, over = self._timeouts.renewal_window(token.renewed_at, token.stale)
        return due <= now < over

    def brought(self, header: bytes) -> list[str]:
        """The names of the session's cookies that the request brought."""
        return names_of(self._format, cookie_pairs(header))

    def stale(self, header: bytes, values: Mapping[str, str]) -> list[str]:
        """The names of the session's cookies that the request brought, and the response does not set."""
        return [name for name in self.brought(header) if name not in values]

    def presented(self, header: bytes) -> Hashable:
        """The values of the session's cookies."""
        return presented(header, self.brought(header))

    def other_deletions(self, header: bytes, now: float) -> list[Header]:  # noqa: ARG002  (there are no others)
        """The headers that delete cookies of other systems: none."""
        return []

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values, with the format's own lifetime; raises `SessionTooLargeError`."""
        metadata = Metadata(
            id=token.id.hex(),
            created_at=token.created_at,
            authenticated_at=token.authenticated_at,
            renewed_at=token.renewed_at,
            remembered=token.remembered,
            binding=token.binding.hex(),
            spared_at=token.spared_at,
            undeclared=[name for name in payload_values(split_payload(token.payload)[0]) if name not in self._fields],
        )
        data = {**payload_values(token.payload), METADATA_KEY: metadata.model_dump(exclude_defaults=True)}
        began = float(token.created_at) if self._tells_beginning else None
        return self._format.write(ForeignSession(data, began, id=str(UUID(bytes=token.id))), now=now)

    def _token(self, foreign: ForeignSession, binding: bytes) -> Token:
        """The session as a token; raises `Rejected` (incompatible) for metadata that is not ours.

        One that the other system began has no metadata yet: it begins with its cookie. Its id comes from
        what the cookie holds, so that denying it meets every copy.
        """
        data = dict(foreign.data)
        metadata = data.pop(METADATA_KEY, None)
        known = None if metadata is None else _metadata(metadata)
        try:
            payload = join_payload(data, [*self._fields, *(known.undeclared if known else ())])
        except SessionNotSerializableError as error:
            raise Rejected(SessionStatus.INCOMPATIBLE, f"not text that UTF-8 can hold: {error.field}") from None
        began = None if foreign.created_at is None else int(foreign.created_at)
        written = foreign.renewed_at if self._tells_beginning else foreign.created_at
        written_at = None if written is None else int(written)
        if known is None:
            if began is None:
                raise Rejected(SessionStatus.INCOMPATIBLE, "the other side sealed it without a time")
            renewed_at = began if written_at is None else written_at
            session_id = shared_id(digest_of(self._format, foreign))
            remembered = self._timeouts.from_the_start
            return Token(session_id, began, 0, renewed_at, remembered, payload, binding, stale=True)
        return Token(
            bytes.fromhex(known.id),
            known.created_at,
            # The other side can write any time here, and must not make a sign-in fresher than its cookie.
            min(known.authenticated_at, written_at or began or 0),
            known.renewed_at if written_at is None else written_at,
            known.remembered,
            payload,
            bytes.fromhex(known.binding),
            spared_at=min(known.spared_at, (written_at or began or 0) + CLOCK_SKEW),
        )


def _metadata(value: Any) -> Metadata:
    try:
        return Metadata.model_validate(value)
    except ValueError:
        raise Rejected(SessionStatus.INCOMPATIBLE, f"what stands under {METADATA_KEY} is not ours") from None


def refuse_misused(
    format_: CookieFormat | None, migrate_from: Sequence[Migration], secrets: list[bytes], store: SessionStore | None
) -> None:
    """Refuse a list that is none, a secret that is ours too, and data where the other side would not find it."""
    if not isinstance(migrate_from, Sequence) or not all(isinstance(item, Migration) for item in migrate_from):
        message = "migrate_from takes a list: migrate_from=[Migration(StarletteSession(...), accept_until=...)]."
        raise ConfigurationError(message)
    if format_ is not None and (isinstance(format_, type) or not hasattr(format_, "cookie_name")):
        message = "format takes an object, as in format=IronSession(password=...), and no name or class."
        raise ConfigurationError(message)
    if format_ is not None and store is not None:
        message = "format= keeps the session in the cookie that both sides read: leave out store=."
        raise ConfigurationError(message)
    foreign = [migration.format for migration in migrate_from]
    refuse_shared_secrets(foreign if format_ is None else [*foreign, format_], secrets)


def refuse_unused(*, session_cookie: str, max_cookies: int, audience: str) -> None:
    """Refuse options of our own token beside another system's format."""
    if (session_cookie, max_cookies, audience) != ("app_session", 2, ""):
        message = "session_cookie, max_cookies and audience have no meaning with format=: it has options of its own."
        raise ConfigurationError(message)
