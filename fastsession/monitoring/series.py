"""The label values under which events are counted. Two closed lists, so no client can add a series."""

from __future__ import annotations

import logging

from fastsession.events import EventKind
from fastsession.status import SessionStatus

# Counted from zero when the process starts. A series that first appears with the value 1 shows no increase, so an
# alert on the first warning after a deploy would stay silent.
WARNINGS = [(str(kind), str(status)) for kind in EventKind if kind.level >= logging.WARNING for status in SessionStatus]
