"""A bounded memory of what was used lately."""

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
        self._young: dict[KeyT, ValueT] = {}
        self._old: dict[KeyT, ValueT] = {}

    def get(self, key: KeyT) -> ValueT | None:
        """What is remembered for the key. An old thing that is still in use becomes young again."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: KeyT, value: ValueT) -> None:
        """Remember, and forget the older generation when this one is full."""
        if len(self._young) >= self._size:
            self._old = self._young
            self._young = {}
        self._young[key] = value
