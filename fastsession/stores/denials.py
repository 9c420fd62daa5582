"""What is denied, in memory: 22 bytes a session, and one look-up."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from fastsession.errors import StoreUnavailableError
from fastsession.lifetime import MAX_LIFETIME

# A session's name is kept as its first 64 bits, of which the first 12 choose a shelf.
NAME_DIGITS = 16
_SHELF_BITS = 12
SHELVES = 2**_SHELF_BITS
_SHIFT = 4 * NAME_DIGITS - _SHELF_BITS
# Shelves that one call of `sweep` looks at: at a call a second, all of them within about a minute.
_SWEPT = 64


class Denials:
    """Denied sessions with their expiries, owners' cut-offs, and the cut-off for all.

    A dictionary of a million takes 160 MB, and stops the event loop for tens of milliseconds whenever it
    has to grow. Here each shelf keeps two small sorted arrays, which grow a little at a time.

    Every denial has a text, which is how it is stored and sent: `s<name>`, `o<before>:<owner>` or `a<before>`.
    """

    def __init__(self) -> None:
        self._shelves: list[tuple[array[int], array[int]] | None] = [None] * SHELVES
        self._owners: dict[str, tuple[int, int]] = {}
        self._all_before = self._all_until = 0
        self._next_swept = 0

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        """Whether a session with this name, owner and time of creation is denied."""
        if created_at < self._all_before:
            return True
        if owner is not None and owner in self._owners and created_at < self._owners[owner][0]:
            return True
        name = int(session[:NAME_DIGITS], 16)
        shelf = self._shelves[name >> _SHIFT]
        if shelf is None:
            return False
        names, _ = shelf
        place = bisect_left(names, name)
        return place < len(names) and names[place] == name

    def add(self, denial: str, until: int) -> None:
        """Know one more denial, or the same one for longer; raises `StoreUnavailableError` for a text unknown."""
        kind, content = denial[:1], denial[1:]
        try:
            if kind == "s":
                self._add_session(int(content, 16), until)
            elif kind == "o":
                before, _, owner = content.partition(":")
                self._add_owner(owner, int(before), until)
            elif kind == "a":
                self._all_before, self._all_until = max(self._all_before, int(content)), max(self._all_until, until)
            else:
                raise _unreadable()
        except ValueError as error:
            raise _unreadable() from error

    def texts(self, now: float) -> Iterator[tuple[str, int]]:
        """Every denial that has not expired, as text with its expiry. They may grow while this is iterated."""
        return self.beyond(Denials(), now)

    def beyond(self, other: Denials, now: float, *, first_shelf: int = 0) -> Iterator[tuple[str, int]]:
        """Every denial, as `texts` gives them, that `other` does not have or has for a shorter time."""
        for number in (*range(first_shelf, SHELVES), *range(first_shelf)):
            shelf = self._shelves[number]
            if shelf is None or shelf == other._shelves[number]:
                continue
            theirs = other._shelves[number]
            held = dict(zip(*theirs, strict=True)) if theirs else {}
            for name, until in zip(*shelf, strict=False):
                if until > now and held.get(name, 0) < until:
                    yield f"s{name:0{NAME_DIGITS}x}", until
        for owner, (before, until) in list(self._owners.items()):
            known_before, known_until = other._owners.get(owner, (0, 0))
            if until > now and (known_before < before or known_until < until):
                yield owner_text(owner, before), until
        if self._all_until > now and (other._all_before < self._all_before or other._all_until < self._all_until):
            yield all_text(self._all_before), self._all_until

    def sweep(self, now: float) -> None:
        """Forget what has expired, on the next few shelves; with the first of them, owners too."""
        if self._next_swept == 0:
            self._owners = {owner: cut_off for owner, cut_off in self._owners.items() if cut_off[1] > now}
        for number in range(self._next_swept, self._next_swept + _SWEPT):
            shelf = self._shelves[number]
            if shelf is not None and min(shelf[1]) <= now:
                self._shelves[number] = _kept(*shelf, now)
        self._next_swept = (self._next_swept + _SWEPT) % SHELVES

    def __len__(self) -> int:
        """How many sessions and owners are denied."""
        return len(self._owners) + sum(len(shelf[0]) for shelf in self._shelves if shelf)

    def _add_owner(self, owner: str, before: int, until: int) -> None:
        known_before, known_until = self._owners.get(owner, (0, 0))
        self._owners[owner] = max(known_before, before), max(known_until, until)

    def _add_session(self, name: int, until: int) -> None:
        shelf = self._shelves[name >> _SHIFT]
        if shelf is None:
            self._shelves[name >> _SHIFT] = array("Q", [name]), array("Q", [until])
            return
        names, untils = shelf
        place = bisect_left(names, name)
        if place < len(names) and names[place] == name:
            untils[place] = max(untils[place], until)
        else:
            names.insert(place, name)
            untils.insert(place, until)


def _unreadable() -> StoreUnavailableError:
    # Not passed over: it may be about a session that is presented here.
    return StoreUnavailableError("A denial was found that this version cannot read.")


def denies(denial: str, session: str, owner: str | None, created_at: int) -> bool:
    """Whether one denial's text is about this session."""
    kind, content = denial[:1], denial[1:]
    if kind == "s":
        return content == session[:NAME_DIGITS]
    before, _, its_owner = content.partition(":")
    return created_at < int(before) and (kind == "a" or its_owner == owner)


def session_text(session: str) -> str:
    """The text of a session's denial."""
    return f"s{session[:NAME_DIGITS]}"


def owner_text(owner: str, before: int) -> str:
    """The text of an owner's cut-off."""
    return f"o{before}:{owner}"


def all_text(before: int) -> str:
    """The text of a cut-off for all."""
    return f"a{before}"


def all_until(before: int) -> int:
    """When the last session that was created before the cut-off for all is over, whatever its lifetime."""
    return before + MAX_LIFETIME


def _kept(names: array[int], untils: array[int], now: float) -> tuple[array[int], array[int]] | None:
    kept = [(name, until) for name, until in zip(names, untils, strict=True) if until > now]
    if not kept:
        return None
    return array("Q", [name for name, _ in kept]), array("Q", [until for _, until in kept])
