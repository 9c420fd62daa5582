"""What one session holds by key: the model's declared fields that are not absent, and the extras."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fastsession.payload.declared import DeclaredFields
from fastsession.session import Session

ABSENT: Any = object()


@dataclass(slots=True, eq=False, repr=False)
class Entries:
    """Reads and writes a session by key. Each write is made as a whole or not at all."""

    _declared: DeclaredFields
    _session: Session
    _extras: dict[str, Any]
    # The values that count as absent.
    _defaults: Mapping[str, Any]
    # Fields that were written by key: they show even when they are at their default.
    _assigned: frozenset[str] = frozenset()

    def shown(self) -> dict[str, Any]:
        """All of it as a dict, fields first."""
        values = vars(self._session)
        shown: dict[str, Any] = {}
        for name, default in self._defaults.items():
            if name in values and (values[name] != default or name in self._assigned):
                shown[name] = values[name]
        shown.update(self._extras)
        return shown

    def value(self, key: Any) -> Any:
        """What stands under a key, `ABSENT` for nothing."""
        if key not in self._defaults:
            return self._extras.get(key, ABSENT)
        value = vars(self._session).get(key, ABSENT)
        return ABSENT if key not in self._assigned and value == self._defaults[key] else value

    def is_empty(self) -> bool:
        """Whether the next request would find nothing."""
        if self._extras or self.hidden:
            return False
        values = vars(self._session)
        return all(values.get(name, default) == default for name, default in self._defaults.items())

    @property
    def hidden(self) -> bool:
        """Whether the model holds what no key shows: values that `extra="allow"` let it have."""
        return bool(self._session.__pydantic_extra__)

    def write(self, values: Mapping[str, Any]) -> None:
        """Put values under their keys; raises `ValidationError`, and then nothing has been written."""
        fields: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for key, value in values.items():
            (fields if key in self._defaults else others)[key] = value
        if fields:
            self._change(fields, {})
            self._assigned |= fields.keys()
        self._extras.update(others)

    def remove(self, key: str) -> None:
        """Remove a key that is there; raises `ValidationError`, and then it still is."""
        if key in self._defaults:
            self._change({}, {key: self._default(key)})
            self._assigned -= {key}
        else:
            del self._extras[key]

    def drop(self, key: str) -> None:
        """Remove a key that is there, whatever the model's rules say."""
        if key in self._defaults:
            vars(self._session)[key] = self._default(key)
            self._assigned -= {key}
        else:
            del self._extras[key]

    def clear(self) -> None:
        """Make the session what a new one is. No rule can refuse it."""
        self._declared.reset(self._session)
        self._defaults = self._declared.defaults_of(self._session)
        self._assigned = frozenset()
        self._extras.clear()

    def _change(self, changed: Mapping[str, Any], removed: Mapping[str, Any]) -> None:
        try:
            self._declared.change(self._session, changed, removed)
        except ValidationError as error:
            # Without the frames that hold the whole session: error reports show local variables.
            raise error.with_traceback(None) from error.__cause__

    def _default(self, name: str) -> Any:
        """The value of a field that counts as absent, shared with nobody."""
        return copy.deepcopy(self._defaults[name])
