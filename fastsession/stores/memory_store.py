"""Session data in this process: for tests, and for one process that may forget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import nsmallest

from fastsession.stores.contract import Page, Record

# Below this number of records, expired ones are not worth looking for.
_LEAST_TO_SWEEP = 1024
# Records at a time.
_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    expires_at: int
    owner: str | None


class MemoryStore:
    """A `SessionStore` in a dictionary. Gone with the process, unknown to every other."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._owners: dict[str, set[str]] = {}
        self._sweep_at = _LEAST_TO_SWEEP

    async def start(self) -> None:
        """Nothing to make ready."""

    async def stop(self) -> None:
        """Nothing to give back; what is stored stays."""

    async def read(self, key: str) -> Record | None:
        """The record."""
        entry = self._live(key)
        return entry.record if entry else None

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record."""
        if len(self._entries) >= self._sweep_at:
            for known in list(self._entries):
                self._live(known)
            self._sweep_at = max(_LEAST_TO_SWEEP, 2 * len(self._entries))
        self._put(key, _Entry(Record(data, 1), expires_at, owner))

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put a new record in place of the one with this version."""
        entry = self._live(key)
        if entry is None or entry.record.version != version:
            return False
        self._put(key, _Entry(Record(data, version + 1), expires_at, owner))
        return True

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry."""
        entry = self._live(key)
        if entry is None:
            return False
        self._put(key, _Entry(entry.record, expires_at, entry.owner))
        return True

    async def delete(self, key: str) -> bool:
        """End the record."""
        found = self._live(key) is not None
        self._remove(key)
        return found

    async def supersede(
        self,
        old: str,
        key: str,
        data: bytes,
        *,
        version: int,
        expires_at: int,
        owner: str | None,
        note: bytes,
        note_until: int,
    ) -> bool:
        """Let a new record take the place of the one with this version."""
        entry = self._live(old)
        if entry is None or entry.record.version != version:
            return False
        self._put(old, _Entry(Record(note, version + 1), note_until, None))
        await self.create(key, data, expires_at=expires_at, owner=owner)
        return True

    async def owned(self, owner: str, *, after: str | None = None) -> Page:
        """Some of the owner's live records, in the order of their keys."""
        page = nsmallest(_PAGE, (key for key in self._owners.get(owner, ()) if key > (after or "")))
        entries = {key: self._live(key) for key in page}
        records = {key: entry.record for key, entry in entries.items() if entry}
        return Page(records, page[-1] if len(page) == _PAGE else None)

    async def end_owned(self, owner: str, *, keep: Collection[str] = ()) -> None:
        """End the owner's records."""
        keys = [key for key in self._owners.get(owner, ()) if key not in keep]
        for number, key in enumerate(keys):
            self._remove(key)
            if number % _PAGE == _PAGE - 1:
                # Others have a turn.
                await asyncio.sleep(0)

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None or entry.expires_at > self._clock():
            return entry
        self._remove(key)
        return None

    def _put(self, key: str, entry: _Entry) -> None:
        self._remove(key)
        self._entries[key] = entry
        if entry.owner is not None:
            self._owners.setdefault(entry.owner, set()).add(key)

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None and entry.owner is not None:
            keys = self._owners[entry.owner]
            keys.discard(key)
            if not keys:
                del self._owners[entry.owner]
