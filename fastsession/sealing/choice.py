"""Which of several cookies of one name is the session, in our format and in others' (security.md R-22)."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from fastsession.cookies import MOST_CANDIDATES
from fastsession.errors import Rejected
from fastsession.status import SessionStatus

FoundT = TypeVar("FoundT")

# A cookie that is turned away for one of these has cost neither a decryption nor a key: it was never opened.
_UNOPENED: Final = (
    SessionStatus.ABSENT,
    SessionStatus.MALFORMED,
    SessionStatus.OVERSIZE,
    SessionStatus.UNKNOWN_KEY,
    SessionStatus.INCOMPLETE,
)


class Choice(Generic[FoundT]):
    """Collects the valid sessions among one request's cookies, and why the others were rejected.

    Cookies of one name may come from several paths or domains in any order (RFC 6265bis, section 4.2.2).
    Of one session the newest counts. Different sessions cannot be told apart, so none of them is believed.
    """

    def __init__(self, *, most_tried: int) -> None:
        """Four cookies are opened at most, and `most_tried` are looked at, opened or not."""
        self._most_tried = most_tried
        self._found: list[tuple[object, float, FoundT]] = []
        self._rejections: list[Rejected] = []
        self._opened = 0

    @property
    def is_empty(self) -> bool:
        """Whether no cookie was tried."""
        return not self._found and not self._rejections

    @property
    def is_full(self) -> bool:
        """Whether one request may cost no more."""
        tried = len(self._found) + len(self._rejections)
        return self._opened >= MOST_CANDIDATES or tried >= self._most_tried

    def accept(self, found: FoundT, *, identity: object, written_at: float) -> None:
        """Add a valid session. Two are the same one when their identities are equal."""
        self._opened += 1
        self._found.append((identity, written_at, found))

    def reject(self, rejected: Rejected) -> None:
        """Note why a cookie is no session."""
        self._opened += rejected.status not in _UNOPENED
        self._rejections.append(rejected)

    def newest(self) -> FoundT:
        """The session; raises `Rejected`: ambiguous, or for the cookie that came closest to being one."""
        if not self._found:
            raise next((each for each in self._rejections if each.status not in _UNOPENED), self._rejections[0])
        first, *_ = self._found
        if any(identity != first[0] for identity, _, _ in self._found):
            raise Rejected(SessionStatus.AMBIGUOUS, "valid cookies of different sessions")
        # Of two from the same second the later: browsers send the older cookie first.
        return max(reversed(self._found), key=lambda each: each[1])[2]
