"""`request.session`: the same session as a dict, for code that knows nothing of the model."""

from __future__ import annotations

import copy
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from fastsession.errors import ConfigurationError
from fastsession.payload.entries import ABSENT, Entries

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.lifecycle import Lifecycle
    from fastsession.request import RequestSession
    from fastsession.session import Session

# Where the scope keeps the sessions of all middlewares, the outermost first.
SCOPE_KEY = "fastsession"


class SessionDict(dict[str, Any]):
    """A real dict that opens the session when it is first used.

    Declared names read and write the model; one at its default counts as absent. Every other key is kept in
    the extras. Each operation is one change: the model is validated as it is after all of it, and what was
    refused has not been made. C code (orjson, copy) reads the dict's own storage past these methods: it is
    empty until somebody looks, and then holds the session as it was last looked at.
    """

    __slots__ = (
        "binding",
        "entries",
        "failed_at",
        "header",
        "lifecycle",
        "model",
        "over",
        "request",
        "response_started",
    )

    def __init__(self, lifecycle: Lifecycle, header: bytes, binding: bytes = b"") -> None:
        self.lifecycle = lifecycle
        self.header = header
        self.binding = binding
        # Nothing until somebody looks.
        self.request: RequestSession | None = None
        self.model: Session | None = None
        self.entries: Entries | None = None
        self.response_started = False
        # Whether the middleware has returned, so that nobody would find a change any more; and where it left the
        # request if by an exception, for reports. Not the scope, which holds this dict.
        self.over = False
        self.failed_at: Mapping[str, Any] | None = None

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
        shown = (self.entries or self._look()).shown()
        # A loop that reads the storage goes on where the keys are the same.
        if shown.keys() != super().keys():
            super().clear()
        super().update(shown)

    def mark_modified(self) -> None:
        """Have the session saved with this response even if nothing in it differs."""
        self._refuse_when_over()
        self.session()
        request = self.open()
        request.written = request.to_be_saved = True

    def _refuse_when_over(self) -> None:
        """Raise `LateSessionChangeError` for a write that nobody would find any more."""
        if self.over:
            request = self.open()
            if self.failed_at is not None:
                self.lifecycle.refused(self, request, self.failed_at)
            request.refuse_late("A write to request.session")

    def _look(self) -> Entries:
        """The session by key, loaded now if nobody has looked before."""
        if self.entries is None:
            session, request = self.session(), self.open()
            self.entries = Entries(self.lifecycle.declared, session, request.extras, request.defaults)
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
        # It ends up in logs and error reports, where neither the data nor the cookie belongs.
        return f"<session, {'not looked at' if self.model is None else 'looked at'}>"

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
            self._empty()
        else:
            self._look().remove(key)
            self.open().written = True
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
            self.open().written = True
        else:
            self._empty()
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
            self.open().written = True
            self.mark_accessed()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]  # dict's overloads are for new dicts
        self.update(other)
        return self

    def clear(self) -> None:
        """End the session that arrived; what is written after that begins a new one.

        Raises `LateSessionChangeError` after the response has started.
        """
        self._refuse_when_over()
        self.open().refuse_late("request.session.clear()")
        self._empty()

    def _empty(self) -> None:
        entries = self._look()
        self.open().empty(self.lifecycle.subject(self.model))
        entries.clear()
        super().clear()


def take_back(scope: Scope, session: SessionDict) -> None:
    """End a session that the application has replaced in the scope by an empty dict: a logout may be written so.

    Another session middleware further in puts an object of its own there, which is no business of ours.
    Raises `ConfigurationError` for a dict with contents, which would be lost, and `LateSessionChangeError`.
    """
    found = scope.get("session")
    # starsessions puts a plain dict there as well, beside its handler.
    if (found is not None and type(found) is not dict) or "session_handler" in scope:
        return
    if found:
        message = (
            'scope["session"] was replaced by another dict, which is not saved. Write request.session.clear() and '
            "request.session.update(...); a session middleware further in needs a copy of the scope."
        )
        raise ConfigurationError(message)
    scope["session"] = session
    session.open().refuse_late('scope["session"] = {}')
    session.clear()
    session.lifecycle.warn_once('scope["session"] = {} ends the session: write request.session.clear() instead.')
