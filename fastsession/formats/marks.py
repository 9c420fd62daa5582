"""Recognise another system's session by its contents, so that an ended one can be rejected. Pure."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import Any

from pydantic_core import to_jsonable_python

from fastsession.formats.contract import CookieReader, ForeignSession
from fastsession.sealing.token import ID_SIZE

# An id of a session that was taken over begins with the mark and its check. Of 1,000,000 ended cookies,
# none is taken for another with a probability of 1 - 2^-28.
MARK_SIZE = 6
_CHECK_SIZE = 2


def digest_of(reader: CookieReader, session: ForeignSession) -> bytes:
    """Return 32 bytes that are equal for all cookies of one session and differ between sessions.

    Hashes the contents and not the cookie's text: many texts decode to one authentic value (percent signs,
    quotes, padding, anything after iron-session's `~`), and each would pass for a cookie that was not ended.
    If the other system has its own id, that identifies the session; otherwise its time and data do.
    """
    held: list[Any] = [type(reader).__name__, reader.cookie_name]
    if session.id is not None:
        held.append(session.id)
    else:
        time = session.expires_at if session.created_at is None else session.created_at
        held += [time, to_jsonable_python(session.data)]
    return sha256(json.dumps(held, sort_keys=True).encode()).digest()


def shared_id(digest: bytes) -> bytes:
    """Return the id of a session that the other system began and that has no id of ours yet."""
    return digest[:ID_SIZE]


def adopted_id(digest: bytes) -> bytes:
    """Return a new id for a migrated session, from which `mark_in` recovers the mark of the old cookie."""
    mark = digest[:MARK_SIZE]
    return mark + _check(mark) + os.urandom(ID_SIZE - MARK_SIZE - _CHECK_SIZE)


def mark_of(digest: bytes) -> bytes:
    """Return the mark under which a cookie with this digest is denied."""
    return digest[:MARK_SIZE]


def mark_in(session_id: bytes) -> bytes | None:
    """Return the mark in the id of a migrated session; None for all other ids but one in 65,536."""
    mark = session_id[:MARK_SIZE]
    return mark if session_id[MARK_SIZE : MARK_SIZE + _CHECK_SIZE] == _check(mark) else None


def _check(mark: bytes) -> bytes:
    return sha256(b"adopted:" + mark).digest()[:_CHECK_SIZE]
