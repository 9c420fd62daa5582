"""All errors of the library.

FastSessionError
├── ConfigurationError            a programming mistake, raised at start-up or on first use
├── SessionTooLargeError          the session does not fit into the cookies it may use
├── SessionNotSerializableError   the session would not open again as it is
├── LateSessionChangeError        the session was changed after the response had started
├── SessionLimitError             the subject already has the maximum number of sessions
└── StoreUnavailableError         the system behind the session did not answer

`Rejected` is not one of them: it carries the reason for rejecting a cookie to the one place that catches
it, and never leaves the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastsession.status import SessionStatus


class FastSessionError(Exception):
    """Root of the errors that FastSession raises."""


class ConfigurationError(FastSessionError, ValueError):
    """An option, a model or a call is wrong. The message says what to write instead."""


class SessionTooLargeError(FastSessionError):
    """The session is larger than its cookies, or a store's record, may be.

    `size` and `limit` are bytes: of all cookie values together, or of JSON for a store. `fields` lists the
    largest top-level fields with their size in bytes of JSON, largest first.
    """

    def __init__(
        self, *, size: int, limit: int, fields: list[tuple[str, int]], stored: bool = False, way_out: str = ""
    ) -> None:
        self.size = size
        self.limit = limit
        self.fields = fields
        largest = ", ".join(f"{name!r} ({length} bytes)" for name, length in fields)
        if stored:
            measured = f"The session takes {size} bytes and a store's record holds at most {limit}."
        else:
            measured = f"The sealed session takes {size} bytes and its cookies carry at most {limit}."
        super().__init__(
            f"{measured} Largest fields: {largest or 'none'}. "
            f"Keep references instead of records in the session{way_out}.",
        )


class SessionNotSerializableError(FastSessionError):
    """The session holds a value that would not come back from the cookie unchanged.

    `field` is the top-level field or the `request.session` key. The value is never shown.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"The session's {field!r} cannot be sealed: {reason}.")


class LateSessionChangeError(FastSessionError):
    """The session was changed after the response had started, so no cookie can carry the change."""


class SessionLimitError(FastSessionError):
    """The subject already has `max_sessions` sessions, and another one was refused."""


class StoreUnavailableError(FastSessionError):
    """The store or the revocations behind the session could not be reached."""


class Rejected(Exception):  # noqa: N818  (an outcome, not an error: the client's cookie was rejected)
    """A cookie was rejected. `detail` is for operators and never contains any part of the cookie.

    `outdated`: the session's own browser was sent a newer cookie, or a deletion, a moment ago.
    """

    def __init__(self, status: SessionStatus, detail: str = "", *, outdated: bool = False) -> None:
        self.status = status
        self.detail = detail
        self.outdated = outdated

    def again(self) -> Rejected:
        """Return a copy that was never raised: keeping the raised one makes a reference cycle through its traceback."""
        return Rejected(self.status, self.detail, outdated=self.outdated)
