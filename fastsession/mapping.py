"""`request.session`: the same session as a dict, for code that knows nothing of the model."""

from __future__ import annotations

import copy
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from fastsession.events import EventKind
from fastsession.payload.entries import ABSENT, Entries
from fastsession.reports import report, shown

if TYPE_CHECKING:
    from fastsession.lifecycle import Lifecycle
    from fastsession.session import Session
    from fastsession.visit import Visit


class SessionDict(dict[str, Any]):
    """A real dict that opens the session when it is first used.

    Declared names read and write the model; one at its default counts as absent. Every other key is kept in
    the extras. Each operation is one change: the model is validated as it is after all of it, and what was
    refused has not been made. C code (orjson, copy) reads the dict's own storage past these methods: it is
    empty until somebody looks, and then holds the session as it was last looked at.
    """

    # Without them `request.session.user_id = 42` would be taken, and lost.
    __slots__ = ("__weakref__", "entries", "lifecycle", "model", "visit")
    # The middleware makes an empty one for each request, which costs no call, and then gives it these two.
    lifecycle: Lifecycle
    visit: Visit
    # None until the session is first looked at, as a model and by key.
    model: Session | None
    entries: Entries | None

    def opened(self) -> Visit:
        """The request's visit, with the cookie opened now if it was not needed before."""
        if not self.visit.opened:
            self.lifecycle.open(self.visit)
        return self.visit

    def session(self) -> Session:
        """The session's model, loaded now if this is the first look."""
        if self.model is None:
            self.model = self.lifecycle.load(self.visit)
        return self.model

    @property
    def accessed(self) -> bool:
        """Whether anybody looked at the session."""
        return self.model is not None

    @accessed.setter
    def accessed(self, accessed: bool) -> None:
        """As `mark_accessed()`; a look cannot be taken back."""
        if accessed:
            self.mark_accessed()

    @property
    def modified(self) -> bool:
        """Whether anybody wrote to this dict. Edits of values in place are noticed without it."""
        return self.visit.written

    @modified.setter
    def modified(self, modified: bool) -> None:
        """As `mark_modified()`. Raises `AttributeError` when a write is to be forgotten: it has been made."""
        if modified:
            self.mark_modified()
        elif self.visit.written:
            message = "What was written to the session is saved: modified cannot become False."
            raise AttributeError(message)

    def mark_accessed(self) -> None:
        """Open the session and fill the dict; Starlette's `request.session` calls it."""
        shown = (self.entries or self._look()).shown()
        # A loop that reads the storage goes on where the keys are the same.
        if shown.keys() != dict.keys(self):  # pyright: ignore[reportUnknownMemberType]
            dict.clear(self)  # pyright: ignore[reportUnknownMemberType]
        dict.update(self, shown)  # pyright: ignore[reportUnknownMemberType]

    def mark_modified(self) -> None:
        """Have the session saved with this response even if nothing in it differs."""
        self._refuse_when_over()
        self.session()
        self.visit.asks = self.visit.written = self.visit.to_be_saved = True

    def _refuse_when_over(self) -> None:
        """Raise `LateSessionChangeError` for a write that nobody would find any more."""
        if self.visit.over:
            visit = self.opened()
            if visit.failed_at is not None:
                # The error may be lost in another's.
                report(EventKind.LATE_CHANGE, self, visit.failed_at, detail="after the request was over")
            visit.refuse_late("A write to request.session")

    def _look(self) -> Entries:
        """The session by key, loaded now if nobody has looked before."""
        if self.entries is None:
            if self.model is None:
                self.model = self.lifecycle.load(self.visit)
            visit, declared = self.visit, self.visit.setup.declared
            defaults = declared.constants if visit.defaults is None else visit.defaults
            defaults = declared.defaults() if defaults is None else defaults
            self.entries = Entries(declared, self.model, visit.extras, defaults)
        return self.entries

    def __getitem__(self, key: str) -> Any:
        value = (self.entries or self._look()).value(key)
        if value is ABSENT:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return (self.entries or self._look()).value(key) is not ABSENT

    def __iter__(self) -> Iterator[str]:
        self.mark_accessed()
        return super().__iter__()

    def __reversed__(self) -> Iterator[str]:
        self.mark_accessed()
        return super().__reversed__()

    def __len__(self) -> int:
        self.mark_accessed()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self.mark_accessed()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # a dict has none; saying so keeps __eq__ honest

    def __repr__(self) -> str:
        return shown(self)

    __sentry_repr__ = __repr__

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def get(self, key: str, default: Any = None) -> Any:
        value = (self.entries or self._look()).value(key)
        return default if value is ABSENT else value

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # typeshed's own class is private to C
        self.mark_accessed()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self.mark_accessed()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self.mark_accessed()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """A plain dict of what the session holds now."""
        self.mark_accessed()
        return dict(super().items())

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(self.copy(), memo)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (self.copy(),)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return self.__reduce__()

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self._refuse_when_over()
        self.mark_accessed()
        if not super().__contains__(key):
            raise KeyError(key)
        if super().__len__() == 1 and not self._look().hidden:
            self._empty(drained=True)
        else:
            self._look().remove(key)
            self.visit.asks = self.visit.written = True
            super().__delitem__(key)

    def pop(self, key: str, *default: Any) -> Any:
        self.mark_accessed()
        if not super().__contains__(key):
            return super().pop(key, *default)
        value = super().__getitem__(key)
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last entry. As with `clear()` no rule of the model can refuse it, so that a loop ends."""
        self._refuse_when_over()
        self.mark_accessed()
        key, value = super().popitem()
        if super().__len__() or self._look().hidden:
            self._look().drop(key)
            self.visit.asks = self.visit.written = True
        else:
            self._empty(drained=True)
        return key, value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.update({key: default})
        return (self.entries or self._look()).value(key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_when_over()
        values = dict(*args, **kwargs)
        for key in values:
            if not isinstance(key, str):
                message = f"A key of request.session is text, as in JSON: str(key) in place of {key!r}."
                raise TypeError(message)
        if values:
            self._look().write(values)
            self.visit.asks = self.visit.written = True
            self.mark_accessed()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]  # dict's overloads are for new dicts
        self.update(other)
        return self

    def clear(self) -> None:
        """End the session that arrived; what is written after that begins a new one.

        Raises `LateSessionChangeError` after the response has started.
        """
        self._refuse_when_over()
        self.opened().refuse_late("request.session.clear()")
        self._empty()

    def _empty(self, *, drained: bool = False) -> None:
        entries = self._look()
        self.visit.empty(self.visit.setup.events.subject(self.model), drained=drained)
        entries.clear()
        super().clear()
