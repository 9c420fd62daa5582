"""A clock of the time in which this process could run.

An answer is asked for within 0.3 seconds of the time that the code under test had. A garbage collection of the test
runner's heap takes longer than that, and so do other programs on a busy machine.
"""

import threading
from typing import Self

TURN = 0.002


class ProcessClock:
    """Counts how often a thread that always sleeps for one `TURN` gets its turn, as long as it is entered.

    While the interpreter's lock is held for a collection, or others have the processors, the thread waits for its
    turn as the event loop does. An event loop that is blocked does not stop it, and is counted.
    """

    def __init__(self) -> None:
        self._turns = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    @property
    def seconds(self) -> float:
        return self._turns * TURN

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _count(self) -> None:
        while not self._over.wait(TURN):
            self._turns += 1
