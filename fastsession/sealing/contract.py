"""What a session's cookies are to the rest of the library: our own, a shared format's, or ours with a migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from fastsession.cookies import Header
    from fastsession.lifetime import Window
    from fastsession.sealing.token import Token


class Origin(NamedTuple):
    """Where a session came from that was another system's until now.

    `format` is its name, and `deletions` are the headers that delete its cookies. `mark` is what is denied
    of them. `began` is when it was created there, in Unix seconds; 0 where the format does not say, so that
    every cut-off counts.
    """

    format: str
    deletions: Sequence[Header]
    mark: bytes
    began: int


class Arrival(NamedTuple):
    """A valid session in the request's cookies: its token, when it is valid, and its origin if it was not ours."""

    token: Token
    window: Window
    origin: Origin | None = None


class SessionCookies(Protocol):
    """How sessions are written into cookies. Pure: time is a parameter."""

    name: str
    # What `SessionInfo.origin` calls it.
    origin: str

    def open(self, header: bytes, binding: bytes, now: float) -> Arrival | None:
        """The valid session in the request's cookies, None without any; raises `Rejected`."""
        ...

    def may_be_due(self, header: bytes, now: float) -> bool:
        """Whether a session that nobody looks at has to be opened to move its idle deadline."""
        ...

    def brought(self, header: bytes) -> list[str]:
        """The names of the session's cookies that the request brought, stale ones too."""
        ...

    def stale(self, header: bytes, values: Mapping[str, str]) -> list[str]:
        """The names of those that the response, which sets `values`, leaves over."""
        ...

    def seal(self, token: Token, *, now: float) -> dict[str, str]:
        """Cookie names and values; raises `SessionTooLargeError`."""
        ...

    def presented(self, header: bytes) -> Hashable:
        """The values of all cookies in which the request's session may have come."""
        ...

    def other_deletions(self, header: bytes, now: float) -> list[Header]:
        """The headers that delete cookies of other systems, in which an ended session would come back."""
        ...
