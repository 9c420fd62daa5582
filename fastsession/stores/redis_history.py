"""Which changes of a Redis stream a worker has seen, and whether the stream still tells the same history."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

# An empty stream's last change.
NOTHING = "0-0"
# Changes that are remembered after they were read: enough for the denials that were being stored meanwhile.
_REMEMBERED = 2000


class SeenHistory:
    """Finds out that the server has forgotten something which this worker knows.

    Every change has an id, `<number>-<random>`, that is never given twice. A server that was restored, or a
    replica that was promoted too early, may use the numbers again, but not the ids. So what this worker knows
    is all there as long as the last change it read is, and every change that it made itself was read, too.
    """

    def __init__(self) -> None:
        # The last change that was read; None before everything was read for the first time.
        self.last: str | None = None
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._unread: set[str] = set()

    def made(self, change: str) -> None:
        """The server has confirmed a denial of this worker: it is among the changes up to this one."""
        if change not in self._recent:
            self._unread.add(change)

    def unread(self) -> set[str]:
        """Changes that were made here and have not been read back."""
        return set(self._unread)

    def read_everything(self, last: str, settled: set[str]) -> None:
        """All was read up to this change, and what the server lacked was given back: `settled` is no more awaited."""
        self.last = last
        self._recent.clear()
        self._recent.append(last)
        self._unread -= settled
        self._unread.discard(last)

    def read(self, changes: Iterable[str]) -> bool:
        """Changes were read that follow the last one; whether none that was made here is missing before them."""
        for change in changes:
            self.last = change
            self._recent.append(change)
            self._unread.discard(change)
        return self.last is None or all(_number(change) > _number(self.last) for change in self._unread)


def _number(change: str) -> int:
    return int(change.partition("-")[0])
