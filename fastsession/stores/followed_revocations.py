"""Revocations that are kept in memory and followed from a system that all processes share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from fastsession.stores.denials import Denials, all_text, all_until, owner_text, session_text
from fastsession.stores.following import Follower


class FollowedRevocations(ABC):
    """What is common to `Revocations` in a system of their own: where that is, its subclasses know."""

    def __init__(self, *, max_staleness: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._denials = Denials()
        self._follower = Follower(type(self).__name__, self._advance, max_staleness=max_staleness)

    async def start(self) -> None:
        """Read what is denied and begin to follow changes."""
        await self._follower.start()

    async def stop(self) -> None:
        """Stop following, and give back what the system was reached by."""
        await self._follower.stop()
        await self._close()

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        """Whether this session is denied, from memory."""
        self._follower.check_fresh()
        return self._denials.denied(session, owner, created_at)

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
        await self._store(denial, until)
        self._denials.add(denial, until)

    @abstractmethod
    async def _advance(self) -> None:
        """Take in what others have denied since the last time; raises `StoreUnavailableError`."""

    @abstractmethod
    async def _store(self, denial: str, until: int) -> None:
        """Let the system keep a denial; raises `StoreUnavailableError`."""

    @abstractmethod
    async def _close(self) -> None:
        """Give back connections, threads and files."""
