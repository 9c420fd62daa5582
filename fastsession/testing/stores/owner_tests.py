"""What every store must do with the records of an owner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastsession.stores.contract import Page, Record, SessionStore
from fastsession.testing.stores.samples import all_owned, later, new_key, past
from fastsession.testing.stores.workers import Suite, Workers, alone

_MANY = 1_100
_AT_A_TIME = 5


async def _create_all(store: SessionStore, keys: Sequence[str], owner: str) -> None:
    for first in range(0, len(keys), _AT_A_TIME):
        some = keys[first : first + _AT_A_TIME]
        await asyncio.gather(*(store.create(key, b"sealed", expires_at=later(), owner=owner) for key in some))


class OwnerTests(Suite):
    """List and end them, in pages."""

    @alone
    async def test_an_owner_has_the_live_records_that_are_his_now(self, workers: Workers[SessionStore]) -> None:
        """Renewed or not, and none that moved, ended or expired."""
        store, owner, other = await workers.start(), new_key(), new_key()
        mine, renewed, moved, ended, expired, foreign = keys = [new_key() for _ in range(6)]
        for key in keys:
            await store.create(key, key.encode(), expires_at=later(), owner=other if key == foreign else owner)
        await store.touch(renewed, expires_at=later() + 600)
        await store.replace(moved, b"moved", version=1, expires_at=later(), owner=other)
        await store.delete(ended)
        await store.replace(expired, b"expired", version=1, expires_at=past(), owner=owner)
        assert await all_owned(store, owner) == {mine: Record(mine.encode(), 1), renewed: Record(renewed.encode(), 1)}
        assert await all_owned(store, other) == {foreign: Record(foreign.encode(), 1), moved: Record(b"moved", 2)}

    @alone
    async def test_a_record_may_get_an_owner_and_lose_it(self, workers: Workers[SessionStore]) -> None:
        """Without a new key."""
        store, key, owner = await workers.start(), new_key(), new_key()
        await store.create(key, b"visitor", expires_at=later(), owner=None)
        await store.replace(key, b"signed in", version=1, expires_at=later(), owner=owner)
        assert await all_owned(store, owner) == {key: Record(b"signed in", 2)}
        await store.replace(key, b"visitor", version=2, expires_at=later(), owner=None)
        assert await all_owned(store, owner) == {}

    @alone
    async def test_more_records_than_a_page_are_listed_and_ended(self, workers: Workers[SessionStore]) -> None:
        """All but those to keep, and none of others."""
        store, owner, other = await workers.start(), new_key(), new_key()
        foreign, moved, *mine = keys = [new_key() for _ in range(_MANY)]
        await _create_all(store, keys, owner)
        await store.replace(foreign, b"sealed", version=1, expires_at=later(), owner=other)
        await store.replace(moved, b"sealed", version=1, expires_at=later(), owner=other)
        assert await all_owned(store, owner) == dict.fromkeys(mine, Record(b"sealed", 1))
        first = await store.owned(owner)
        assert 0 < len(first.records) < len(mine)
        kept = {mine[0], mine[700]}
        await store.end_owned(owner, keep=kept)
        assert (await all_owned(store, owner)).keys() == kept
        assert (await all_owned(store, other)).keys() == {foreign, moved}
        await store.end_owned(owner)
        assert await all_owned(store, owner) == {}
        assert await store.read(mine[0]) is None
        assert await store.replace(mine[1], b"back", version=1, expires_at=later(), owner=owner) is False

    @alone
    async def test_records_may_be_deleted_and_created_between_two_pages(self, workers: Workers[SessionStore]) -> None:
        """Those that were there all the time are there."""
        store, owner = await workers.start(), new_key()
        await _create_all(store, [new_key() for _ in range(_MANY)], owner)
        page, seen, new = await store.owned(owner), set[str](), list[str]()
        while page.after is not None:
            seen |= page.records.keys()
            new.append(new_key())
            await store.create(new[-1], b"sealed", expires_at=later(), owner=owner)
            for key in list(page.records)[:50]:
                await store.delete(key)
            page = await store.owned(owner, after=page.after)
        seen |= page.records.keys()
        assert (await all_owned(store, owner)).keys() - set(new) <= seen

    @alone
    async def test_ending_the_records_of_an_owner_without_any_is_no_fault(self, workers: Workers[SessionStore]) -> None:
        """With or without some to keep."""
        store, owner = await workers.start(), new_key()
        await store.end_owned(owner)
        await store.end_owned(owner, keep={"aa"})
        assert await store.owned(owner) == Page({})

    @alone
    async def test_large_records_of_an_owner_are_all_found(self, workers: Workers[SessionStore]) -> None:
        """A page ends before its answer takes too long."""
        store, owner = await workers.start(), new_key()
        large = {new_key(): Record(bytes([number]) * 400_000, 1) for number in range(8)}
        for key, record in large.items():
            await store.create(key, record.data, expires_at=later(), owner=owner)
        assert await all_owned(store, owner) == large
