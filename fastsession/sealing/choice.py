"""Choose the session among several cookies of one name, in our format and others (security.md R-22)."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from fastsession.cookies import MOST_CANDIDATES
from fastsession.errors import Rejected
from fastsession.status import SessionStatus

FoundT = TypeVar("FoundT")

# Rejections that cost neither a decryption nor a key derivation: the cookie was never opened.
_UNOPENED: Final = (
    SessionStatus.ABSENT,
    SessionStatus.MALFORMED,
    SessionStatus.OVERSIZE,
    SessionStatus.UNKNOWN_KEY,
    SessionStatus.INCOMPLETE,
)


class Choice(Generic[FoundT]):
    """Collects the valid sessions among one request's cookies, and the reasons for rejecting the others.

    Cookies of one name may come from several paths or domains in any order (RFC 6265bis, section 4.2.2).
    For one session the newest cookie counts. Among different sessions none is accepted.
    """

    def __init__(self, *, most_tried: int) -> None:
        """Open at most four cookies, and examine at most `most_tried`, opened or not."""
        self._most_tried = most_tried
        self._found: list[tuple[object, float, FoundT]] = []
        # Their facts, not they themselves: through its traceback a kept exception would lead back to here.
        self._rejections: list[tuple[SessionStatus, str]] = []
        self._opened = 0

    @property
    def is_empty(self) -> bool:
        """Return whether no cookie was examined."""
        return not self._found and not self._rejections

    @property
    def is_full(self) -> bool:
        """Return whether the limits of one request are reached."""
        return self._opened >= MOST_CANDIDATES or len(self._found) + len(self._rejections) >= self._most_tried

    def accept(self, found: FoundT, *, identity: object, written_at: float) -> None:
        """Add a valid session. Equal identities mean the same session."""
        self._opened += 1
        self._found.append((identity, written_at, found))

    def reject(self, rejected: Rejected) -> None:
        """Add the reason for rejecting a cookie."""
        self._opened += rejected.status not in _UNOPENED
        self._rejections.append((rejected.status, rejected.detail))

    def newest(self) -> FoundT:
        """Return the session; raises `Rejected`: ambiguous, or the reason of the cookie that came closest."""
        if not self._found:
            raise Rejected(*next((each for each in self._rejections if each[0] not in _UNOPENED), self._rejections[0]))
        first, *_ = self._found
        if any(identity != first[0] for identity, _, _ in self._found):
            raise Rejected(SessionStatus.AMBIGUOUS, "valid cookies of different sessions")
        # In a tie the later one wins: browsers send the older cookie first.
        return max(reversed(self._found), key=lambda each: each[1])[2]
