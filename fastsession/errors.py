"""Every error of the library.

FastSessionError
├── ConfigurationError            the programmer's mistake, raised at start-up or first use
├── SessionTooLargeError          the session does not fit into the cookies it may use
├── SessionNotSerializableError   the session would not open again as it is
├── LateSessionChangeError        a session was told to change after the response had started
├── SessionLimitError             a subject has as many sessions as it may
└── StoreUnavailableError         the system behind the session did not answer

`Rejected` is not one of them: it carries the reason why a cookie was turned away from the code that
found it to the one place that catches it, and never leaves the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastsession.status import SessionStatus


class FastSessionError(Exception):
    """Root of the errors that FastSession raises."""


class ConfigurationError(FastSessionError, ValueError):
    """Options, a model or a call contradict each other; the message says what to write instead."""


class SessionTooLargeError(FastSessionError):
    """The session needs more bytes than its cookies may carry, or its record in a store.

    `size` and `limit` are bytes of cookie value over all cookies, of JSON for a store; `fields` lists
    the largest top-level fields with their size in bytes of JSON, largest first.
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
    """The session holds a value that would not come back from the cookie as it went in.

    `field` names the top-level field or the `request.session` key; the value is never shown.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"The session's {field!r} cannot be sealed: {reason}.")


class LateSessionChangeError(FastSessionError):
    """The session was told to change after the response, and with it the cookie, had left."""


class SessionLimitError(FastSessionError):
    """A subject has as many sessions as it may; a further one was refused."""


class StoreUnavailableError(FastSessionError):
    """The store or the revocations behind the session could not be reached."""


class Rejected(Exception):  # noqa: N818  (an outcome, not an error: the client's cookie was turned away)
    """A cookie is turned away. `detail` is for operators and never holds any of the cookie.

    `outdated` says that a moment ago the session's own browser was given another cookie in its place, or none.
    """

    def __init__(self, status: SessionStatus, detail: str = "", *, outdated: bool = False) -> None:
        self.status = status
        self.detail = detail
        self.outdated = outdated
