"""Which rows of a growing table a worker has read, and whether the table still tells the same history."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

# Numbers that are looked for at a time: more than statements that can be under way.
_MOST_MISSING = 1000
# Rows of the last look that are looked for again.
_MOST_ANCHORS = 20
# Marks that are remembered after they were read: enough for the denials that were being stored meanwhile.
_REMEMBERED = 2000


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
    Of all rows the one that lasts longest is looked for, too: when that has expired, no row is known that still counts,
    and numbers may begin anew.
    """

    def __init__(self, *, patience: float) -> None:
        self.last = 0
        self._patience = patience
        # When each missing number is given up.
        self._missing: dict[int, float] = {}
        self._anchors: dict[int, Row] = {}
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)
        # Until when each row counts that was made here and has not been read back.
        self._unread: dict[int, int] = {}

    def watched(self) -> list[int]:
        """The numbers to ask for, besides those after the last one."""
        return [*self._missing, *self._anchors]

    def made(self, mark: int, until: int) -> None:
        """The database has confirmed a row of this worker."""
        if mark not in self._recent:
            self._unread[mark] = until

    def unread(self, now: float) -> dict[int, int]:
        """The marks of rows that were made here, have not been read back and count still, with their expiries."""
        self._unread = {mark: until for mark, until in self._unread.items() if until > now}
        return dict(self._unread)

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
            self._unread.pop(row.mark, None)
        for number in list(self._missing)[:-_MOST_MISSING]:
            del self._missing[number]
        known = [*self._anchors.values(), *new]
        looked_for = [*new[-_MOST_ANCHORS:], max(known, key=_until)] if new else known
        self._anchors = {row.number: row for row in looked_for if row.until > now}
        if not self._anchors:
            self.last = 0
            self._missing.clear()
        return new

    def is_whole(self, rows: Sequence[Row], *, made: Collection[int], now: float) -> bool:
        """Whether the answer to a question for what is watched and what follows has all that must be there.

        `made` are the unread marks from before the question. To be asked before the rows are taken in.
        """
        there = {row.mark for row in rows}
        anchors = {row.mark for row in self._anchors.values() if row.until > now}
        return anchors <= there and self._unread.keys() & made <= there


def _until(row: Row) -> int:
    return row.until
