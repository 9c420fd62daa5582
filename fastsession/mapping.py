"""`request.session`: the same session as a dict, for code that knows nothing of the model."""

from __future__ import annotations

import copy
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

if TYPE_CHECKING:
    from fastsession.lifecycle import Lifecycle
    from fastsession.request import RequestSession
    from fastsession.session import Session

# Where the scope keeps the sessions of all middlewares, the outermost first.
SCOPE_KEY = "fastsession"
# Twice as fast as by `super()`, and every request has one.
_store = dict[str, Any].__setitem__


class SessionDict(dict[str, Any]):
    """A real dict that opens the session when it is first used.

    Declared names read and write the model, validated on assignment; one at its default counts as
    absent. Every other key is kept in the extras. The dict's own storage always holds both when it is
    handed out, because C code (json.dumps, copy) reads it past these methods.
    """

    __slots__ = ("binding", "failed_at", "header", "lifecycle", "model", "over", "request", "response_started")

    def __init__(self, lifecycle: Lifecycle, header: bytes, binding: bytes = b"") -> None:
        self.lifecycle = lifecycle
        self.header = header
        self.binding = binding
        # Nothing until somebody looks.
        self.request: RequestSession | None = None
        self.model: Session | None = None
        self.response_started = False
        # Whether the middleware has returned, so that nobody would find a change any more; and where it left the
        # request if by an exception, for reports. Not the scope, which holds this dict.
        self.over = False
        self.failed_at: Mapping[str, Any] | None = None
        # C's JSON encoder takes an empty dict's word for it; anything else it asks for its items.
        _store(self, "", None)

    def open(self) -> RequestSession:
        """The record of the session, with the cookie opened now if nobody has needed it before."""
        if self.request is None:
            self.request = self.lifecycle.arrive(self.header, self.binding)
            self.request.response_started = self.response_started
        return self.request

    def session(self) -> Session:
        """The session's model, loaded now if nobody has looked before."""
        if self.model is None:
            self.model = self.lifecycle.load(self.request or self.open())
        return self.model

    @property
    def accessed(self) -> bool:
        """Whether anybody looked at the session."""
        return self.model is not None

    @property
    def modified(self) -> bool:
        """Whether anybody wrote to this dict. Edits of values in place are noticed without it."""
        return self.request is not None and self.request.written

    def mark_accessed(self) -> None:
        """Open the session and fill the dict; Starlette's `request.session` calls it."""
        self._fill()

    def mark_modified(self) -> None:
        """Have the session saved with this response even if nothing in it differs."""
        self._refuse_when_over()
        self._fill()
        request = self.open()
        request.written = request.to_be_saved = True

    def _fill(self) -> None:
        """Bring the storage up to date with the model and the extras, keeping it as it is while a loop reads it."""
        session = self.session()
        codec, assigned = self.lifecycle.codec, self.open().assigned
        view = {name: getattr(session, name) for name in codec.fields}
        untouched = self.open().untouched.session if codec.pristine is None else codec.pristine
        view = {name: value for name, value in view.items() if value != getattr(untouched, name) or name in assigned}
        view.update(self.open().extras)
        if view.keys() != super().keys():
            super().clear()
        super().update(view)

    def _refuse_when_over(self) -> None:
        """Raise `LateSessionChangeError` for a write that nobody would find any more."""
        if self.over:
            request = self.open()
            if self.failed_at is not None:
                self.lifecycle.refused(self, request, self.failed_at)
            request.refuse_late("A write to request.session")

    def _write(self, key: str, value: Any) -> None:
        self._refuse_when_over()
        session, request = self.session(), self.open()
        request.written = True
        if key in self.lifecycle.codec.fields:
            session.__pydantic_validator__.validate_assignment(session, key, value)
            request.assigned |= {key}
        else:
            request.extras[key] = value

    def _remove(self, key: str) -> None:
        self._refuse_when_over()
        request = self.open()
        if key in self.lifecycle.codec.fields:
            self._write(key, getattr(self.lifecycle.codec.fresh(), key))
            self.open().assigned -= {key}
        else:
            request.written = True
            del request.extras[key]

    def __getitem__(self, key: str) -> Any:
        self._fill()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._fill()
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __reversed__(self) -> Iterator[str]:
        self._fill()
        return super().__reversed__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # a dict has none; saying so keeps __eq__ honest

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def get(self, key: str, default: Any = None) -> Any:
        self._fill()
        return super().get(key, default)

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # typeshed's own class is private to C
        self._fill()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self._fill()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self._fill()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """A plain dict of what the session holds now."""
        self._fill()
        return dict(super().items())

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(self.copy(), memo)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (self.copy(),)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return self.__reduce__()

    def __setitem__(self, key: str, value: Any) -> None:
        self._write(key, value)
        self._fill()

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._remove(key)
        self._fill()

    def pop(self, key: str, *default: Any) -> Any:
        if key not in self:
            return super().pop(key, *default)
        value = super().__getitem__(key)
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        self._fill()
        key, value = super().popitem()
        self._remove(key)
        return key, value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return super().__getitem__(key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self._write(key, value)
        self._fill()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]  # dict's overloads are for new dicts
        self.update(other)
        return self

    def clear(self) -> None:
        self._refuse_when_over()
        for key in list(self):
            self._remove(key)
        super().clear()
