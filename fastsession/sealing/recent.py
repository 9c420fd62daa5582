"""Bounded memories of what was used recently."""

from __future__ import annotations

from typing import Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Recent(Generic[KeyT, ValueT]):
    """Remembers at least the last `size` things put in and at most twice as many, in two generations.

    Safe across threads: a race loses an entry at worst, never pairs a key with another's value.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.young: dict[KeyT, ValueT] = {}
        self.old: dict[KeyT, ValueT] = {}

    def get(self, key: KeyT) -> ValueT | None:
        """What is remembered for the key. An old thing that is still in use becomes young again."""
        found = self.young.get(key)
        if found is None:
            found = self.old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: KeyT, value: ValueT) -> None:
        """Remember, and forget the older generation when this one is full."""
        if len(self.young) >= self._size:
            self.old = self.young
            self.young = {}
        self.young[key] = value
