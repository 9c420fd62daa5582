"""Names and times for the tests of stores, and all pages of a store at once."""

from __future__ import annotations

import time
from secrets import token_hex

from fastsession.stores.contract import Record, SessionStore


def new_key() -> str:
    """A key or an owner that no other test has."""
    return token_hex(16)


def now() -> int:
    """The present second."""
    return int(time.time())


def later() -> int:
    """Longer than any test takes."""
    return now() + 600


def past() -> int:
    """Over, on every clock that agrees to the second."""
    return now() - 2


async def all_owned(store: SessionStore, owner: str) -> dict[str, Record]:
    """The owner's live records, by key."""
    page = await store.owned(owner)
    records = dict(page.records)
    while page.after is not None:
        page = await store.owned(owner, after=page.after)
        records |= page.records
    return records


async def superseded(
    store: SessionStore,
    old: str,
    key: str,
    data: bytes,
    *,
    version: int,
    owner: str | None,
    note_until: int | None = None,
) -> bool:
    """What `supersede` says, with the note `b"note"`."""
    until = later() if note_until is None else note_until
    return await store.supersede(
        old, key, data, version=version, expires_at=later(), owner=owner, note=b"note", note_until=until
    )
