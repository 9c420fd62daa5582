"""The inspector's memory of a session, by handle: earlier cookies, and events."""

from __future__ import annotations

import logging
from dataclasses import fields
from typing import NamedTuple

from fastsession.events import SessionEvent
from fastsession.events import logger as library_logger
from fastsession.sealing.recent import Recent

# Bounds of the memory: a session's cookies take up to 12 KB.
_SESSIONS = 32
_COOKIES = 4
_EVENTS = 20
_FIELDS = tuple(field.name for field in fields(SessionEvent))


class Look(NamedTuple):
    """A session as it was at one visit of the page: its cookies and its contents."""

    cookies: tuple[tuple[str, str], ...]
    payload: bytes


class Looks:
    """The last visits of the page by each session. Only the session's own cookie leads to its handle."""

    def __init__(self) -> None:
        self._by_handle: Recent[str, tuple[Look, ...]] = Recent(_SESSIONS)

    def before(self, handle: str) -> tuple[Look, ...]:
        """Return the earlier visits of a session, oldest first."""
        return self._by_handle.get(handle) or ()

    def remember(self, handle: str, look: Look) -> None:
        """Keep a visit, unless nothing changed since the last."""
        looks = self.before(handle)
        if not looks or looks[-1] != look:
            self._by_handle.put(handle, (*looks, look)[-_COOKIES:])


class EventMemory(logging.Handler):
    """Keeps the last events of each session from the library's logger."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._by_handle: Recent[str, tuple[SessionEvent, ...]] = Recent(_SESSIONS)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an event that names its session. Rejections name none, because the session is unknown."""
        handle = getattr(record, "session", "")
        if handle:
            self.keep(handle, SessionEvent(**{name: getattr(record, name) for name in _FIELDS}))

    def keep(self, handle: str, event: SessionEvent) -> None:
        """Keep an event for this session."""
        self._by_handle.put(handle, (*self.of(handle), event)[-_EVENTS:])

    def of(self, handle: str) -> tuple[SessionEvent, ...]:
        """Return the session's last events, oldest first."""
        return self._by_handle.get(handle) or ()

    def listen(self) -> None:
        """Receive all of the library's log records, unless the application has set a level."""
        library_logger.addHandler(self)
        if library_logger.level == logging.NOTSET:
            library_logger.setLevel(logging.DEBUG)


# One per process, like the logger: an application that is built repeatedly adds no more handlers.
heard = EventMemory()
