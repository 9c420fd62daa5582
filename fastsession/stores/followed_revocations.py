"""Revocations that are kept in memory and followed from a system that all processes share."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable

from fastsession.stores.denials import Denials, all_text, all_until, denies, owner_text, session_text
from fastsession.stores.following import Follower

_logger = logging.getLogger("fastsession")


class FollowedRevocations(ABC):
    """What is common to `Revocations` in a system of their own: where that is, its subclasses know.

    A subclass says how to take in what is new (`_look`, into `_denials`), how to wait for it (`_wait`), how to store a
    denial (`_store`) and how to give everything back (`_close`). `_prepare` may find out what would fail for good.
    """

    def __init__(
        self, *, max_staleness: float = 60.0, timeout: float = 0.25, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._denials = Denials()
        self._listener: Callable[[str], None] | None = None
        # What is being stored is in force here already: a session that is being ended must get no new id meanwhile.
        self._being_stored: Counter[str] = Counter()
        self._follower = Follower(
            type(self).__name__, look=self._look, wait=self._wait, max_staleness=max_staleness, patience=timeout
        )

    async def start(self) -> None:
        """Read what is denied and begin to follow changes; raises `ConfigurationError` for a system that refuses us."""
        await self._prepare()
        await self._follower.start()

    async def stop(self) -> None:
        """Stop following, and give back what the system was reached by."""
        await self._follower.stop()
        await self._close()

    async def catch_up(self) -> None:
        """Look once, for all that wait, when what is known is too old."""
        await self._follower.catch_up()

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        """Whether this session is denied, from memory."""
        self._follower.check_fresh()
        if self._denials.denied(session, owner, created_at):
            return True
        return bool(self._being_stored) and any(
            denies(denial, session, owner, created_at) for denial in self._being_stored
        )

    async def deny_session(self, session: str, *, until: int) -> None:
        """Deny one session."""
        await self._deny(session_text(session), until)

    async def deny_owner(self, owner: str, *, before: int, until: int) -> None:
        """Deny the owner's sessions that were created before `before`."""
        await self._deny(owner_text(owner, before), until)

    async def deny_all(self, *, before: int) -> None:
        """Deny every session that was created before `before`."""
        await self._deny(all_text(before), all_until(before))

    async def _deny(self, denial: str, until: int) -> None:
        self._being_stored[denial] += 1
        try:
            await self._store(denial, until)
            self._denials.add(denial, until)
        finally:
            self._being_stored[denial] -= 1
            if not self._being_stored[denial]:
                del self._being_stored[denial]

    def tell_to(self, listener: Callable[[str], None]) -> None:
        """Let somebody know what operators have to hear of; without a listener it is logged."""
        self._listener = listener

    def _tell(self, detail: str) -> None:
        if self._listener is None:
            _logger.warning("%s: %s", type(self).__name__, detail)
        else:
            self._listener(detail)

    async def _prepare(self) -> None:  # noqa: B027  (not every system can refuse us)
        """Find out what would fail for good."""

    @abstractmethod
    async def _look(self) -> None:
        """Take in what others have denied since the last time; raises `StoreUnavailableError`."""

    @abstractmethod
    async def _wait(self) -> None:
        """Return when others may have denied something, and before long in any case."""

    @abstractmethod
    async def _store(self, denial: str, until: int) -> None:
        """Let the system keep a denial; raises `StoreUnavailableError`."""

    @abstractmethod
    async def _close(self) -> None:
        """Give back connections, threads and files."""
