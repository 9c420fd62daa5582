"""Revocations in this process: for tests, and for one process that may forget."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastsession.stores.denials import Denials, all_text, all_until, owner_text, session_text


class MemoryRevocations:
    """`Revocations` in memory. Gone with the process, unknown to every other."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._denials = Denials()
        self._swept_in = 0

    async def start(self) -> None:
        """Nothing to learn."""

    async def stop(self) -> None:
        """Nothing to give back; what is denied stays so."""

    async def catch_up(self) -> None:
        """Nothing is ever too old."""

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        """Whether this session is denied; never raises."""
        return self._denials.denied(session, owner, created_at)

    async def deny_session(self, session: str, *, until: int) -> None:
        """Deny one session."""
        self._deny(session_text(session), until)

    async def deny_owner(self, owner: str, *, before: int, until: int) -> None:
        """Deny the owner's sessions that were created before `before`."""
        self._deny(owner_text(owner, before), until)

    async def deny_all(self, *, before: int) -> None:
        """Deny every session that was created before `before`."""
        self._deny(all_text(before), all_until(before))

    def _deny(self, denial: str, until: int) -> None:
        self._denials.add(denial, until)
        second = int(self._clock())
        if second != self._swept_in:
            self._swept_in = second
            self._denials.sweep(second)
