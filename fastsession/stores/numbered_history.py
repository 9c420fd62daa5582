"""Which rows of a growing table a worker has read, and whether the table still tells the same history."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# Numbers that are looked for at a time: more than statements that can be under way.
_MOST_MISSING = 1000
# Rows of the last look that are looked for again.
_MOST_ANCHORS = 20
# Marks that are remembered after they were read: enough for the denials that were being stored meanwhile.
_REMEMBERED = 2000
# Seconds before its expiry from which on a row may be gone: other workers' clocks may be ahead.
_MARGIN = 120


class Row(NamedTuple):
    """A denial as the table holds it. `mark` is random: a number can be given twice, a mark is not."""

    number: int
    denial: str
    until: int
    mark: int


class NumberedHistory:
    """Misses no row that was confirmed, and finds out that the database has forgotten something.

    Numbers are given in order, but a transaction may end after one that has got a later number. So a number that is
    not there below one that is may still come, and is looked for as long as whoever stores it may wait.

    A database that was restored, or a replica that took over too early, has lost the end of what it confirmed. So what
    this worker knows is all there as long as the rows of its last look are, and every row that it made itself was read.
    """

    def __init__(self, *, patience: float) -> None:
        self.last = 0
        self._patience = patience
        # When each missing number is given up.
        self._missing: dict[int, float] = {}
        self._anchors: dict[int, Row] = {}
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)
        self._unread: set[int] = set()

    def watched(self) -> list[int]:
        """The numbers to ask for, besides those after the last one."""
        return [*self._missing, *self._anchors]

    def made(self, mark: int) -> None:
        """The database has confirmed a row of this worker."""
        if mark not in self._recent:
            self._unread.add(mark)

    def unread(self) -> set[int]:
        """The marks of rows that were made here and have not been read back."""
        return set(self._unread)

    def read(self, rows: Iterable[Row], *, now: float, at: float) -> list[Row]:
        """Take in rows that were asked for; returns those that are new.

        `now` is what a row's expiry is compared with, `at` is seconds of a clock that never jumps.
        """
        self._missing = {number: until for number, until in self._missing.items() if until > at}
        new = [row for row in rows if row.number not in self._anchors or self._anchors[row.number].mark != row.mark]
        new.sort()
        for row in new:
            self._missing.pop(row.number, None)
            if row.number > self.last:
                for number in range(max(self.last + 1, row.number - _MOST_MISSING), row.number):
                    self._missing[number] = at + self._patience
                self.last = row.number
            self._recent.append(row.mark)
            self._unread.discard(row.mark)
        for number in list(self._missing)[:-_MOST_MISSING]:
            del self._missing[number]
        if new:
            self._anchors = {row.number: row for row in new[-_MOST_ANCHORS:]}
        else:
            self._anchors = {number: row for number, row in self._anchors.items() if row.until > now + _MARGIN}
        return new

    def is_whole(self, rows: Sequence[Row], *, made: set[int], now: float) -> bool:
        """Whether the answer to a question for what is watched, and all that follows, has what must be there.

        `made` are the unread marks from before the question. To be asked before the rows are taken in.
        """
        there = {row.mark for row in rows}
        anchors = {row.mark for row in self._anchors.values() if row.until > now + _MARGIN}
        return anchors <= there and made & self._unread <= there
