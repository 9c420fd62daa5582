"""What a foreign format is to the rest of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, runtime_checkable

from fastsession.errors import ConfigurationError

# Under this key a shared session's JSON carries what the other format has no place for.
METADATA_KEY = "_fastsession"


@dataclass(frozen=True, slots=True)
class ForeignSession:
    """A session in another system's terms. Times are Unix seconds.

    When it is read, a time is None where the format tells none. When it is written, None is what the
    format would choose now. `id` is the other system's own id of the session, and `subject` the user's,
    where it has one. `renewed_at` is when the cookie was written, where the format tells that beside
    `created_at`.
    """

    # Neither shows in a repr: the data is the user's, and an id may be all that a request needs.
    data: dict[str, Any] = field(repr=False)
    created_at: float | None = None
    expires_at: float | None = None
    id: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)
    renewed_at: float | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> NoReturn:
        """Raise `ConfigurationError`: a route that took one from the request would let the client say who it is."""
        message = (
            "A ForeignSession is neither a parameter that the client may send nor a response: write "
            "user: Annotated[ForeignSession, Depends(SignedIn(...))], and return the fields that the client may see."
        )
        raise ConfigurationError(message)


class CookieReader(Protocol):
    """Reads one foreign format: what `migrate_from` and `SignedIn` take.

    One of a front end that stays in use has an attribute `of_front_end`, True: its sessions are those of
    users who are signed in, and `migrate_from` refuses it, because that deletes the cookie.
    """

    cookie_name: str

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The session in the request's cookies, given as raw names and values, undecoded.

        Raises `Rejected`, with `absent` when nothing of this format is there, and nothing else.
        """
        ...


class CookieFormat(CookieReader, Protocol):
    """Reads and writes one foreign format: what `format` takes.

    One whose cookies can be without a time has an attribute `timed`, False when the options it was given
    make them so: `format` refuses that. One whose `created_at` is when the session began, whoever wrote the
    cookie last, has an attribute `tells_beginning`, True; otherwise it is when the cookie was written.
    """

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """The cookies that carry the session, name to value, ready for Set-Cookie.

        Raises `SessionTooLargeError`, and `SessionNotSerializableError` for data that is not JSON.
        """
        ...


@runtime_checkable
class StoredReader(Protocol):
    """A reader whose cookies hold an id only; the data is in a store, which takes I/O to ask."""

    async def load(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """As `CookieReader.read`; raises `StoreUnavailableError` when the store does not answer."""
        ...


@runtime_checkable
class SpreadReader(Protocol):
    """A reader whose session takes more cookies than the one of its name: chunks, signatures."""

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """The names among the request's cookies that belong to the session."""
        ...


def names_of(reader: CookieReader, cookies: Mapping[str, str]) -> list[str]:
    """The request's cookies to delete with a session of this format."""
    # Asking whether it is a `SpreadReader` would cost as much as opening some cookies does.
    names: Callable[[Mapping[str, str]], list[str]] | None = getattr(reader, "names", None)
    if names is not None:
        return names(cookies)
    return [reader.cookie_name] if reader.cookie_name in cookies else []
