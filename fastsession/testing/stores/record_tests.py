"""What every store must do with single records."""

from __future__ import annotations

import asyncio

from fastsession.stores.contract import Record, SessionStore
from fastsession.testing.stores.samples import all_owned, later, new_key, past, superseded
from fastsession.testing.stores.workers import Suite, Workers, alone


class RecordTests(Suite):
    """Create, read, replace, supersede, touch, delete."""

    @alone
    async def test_a_created_record_is_read_with_version_1(self, workers: Workers[SessionStore]) -> None:
        """Any bytes."""
        store, key = await workers.start(), new_key()
        await store.create(key, b"sealed \x00\xff", expires_at=later(), owner=None)
        assert await store.read(key) == Record(b"sealed \x00\xff", 1)

    @alone
    async def test_a_record_that_is_created_again_is_the_new_one(self, workers: Workers[SessionStore]) -> None:
        """With nothing of the old one, nor its owner."""
        store, key, owner = await workers.start(), new_key(), new_key()
        await store.create(key, b"first", expires_at=later(), owner=owner)
        await store.replace(key, b"written", version=1, expires_at=later(), owner=owner)
        await store.create(key, b"second", expires_at=later() + 10, owner=None)
        assert await store.read(key) == Record(b"second", 1)
        assert await all_owned(store, owner) == {}

    @alone
    async def test_an_unknown_key_is_an_answer_for_every_operation(self, workers: Workers[SessionStore]) -> None:
        """And none of them makes a record."""
        store, key, new, owner = await workers.start(), new_key(), new_key(), new_key()
        assert await store.read(key) is None
        assert await store.replace(key, b"new", version=1, expires_at=later(), owner=owner) is False
        assert await superseded(store, key, new, b"new", version=1, owner=owner) is False
        assert await store.touch(key, expires_at=later()) is False
        assert await store.delete(key) is False
        await store.end_owned(owner)
        assert await all_owned(store, owner) == {}
        assert await store.read(key) is None
        assert await store.read(new) is None

    @alone
    async def test_replacing_the_version_read_raises_it_by_one(self, workers: Workers[SessionStore]) -> None:
        """Again and again."""
        store, key = await workers.start(), new_key()
        await store.create(key, b"old", expires_at=later(), owner=None)
        assert await store.replace(key, b"new", version=1, expires_at=later(), owner=None) is True
        assert await store.replace(key, b"newer", version=2, expires_at=later(), owner=None) is True
        assert await store.read(key) == Record(b"newer", 3)

    @alone
    async def test_replacing_another_version_changes_nothing(self, workers: Workers[SessionStore]) -> None:
        """Neither data nor owner."""
        store, key, owner = await workers.start(), new_key(), new_key()
        await store.create(key, b"old", expires_at=later(), owner=None)
        await store.replace(key, b"new", version=1, expires_at=later(), owner=None)
        for version in (0, 1, 3, 10):
            assert await store.replace(key, b"lost", version=version, expires_at=later(), owner=owner) is False
            assert await store.read(key) == Record(b"new", 2)
        assert await all_owned(store, owner) == {}

    @alone
    async def test_of_many_replacing_one_version_exactly_one_does(self, workers: Workers[SessionStore]) -> None:
        """Whoever it is."""
        store, key = await workers.start(), new_key()
        await store.create(key, b"old", expires_at=later(), owner=None)
        attempts = (store.replace(key, b"%d" % n, version=1, expires_at=later(), owner=None) for n in range(20))
        answers = await asyncio.gather(*attempts)
        assert answers.count(True) == 1
        assert await store.read(key) == Record(b"%d" % answers.index(True), 2)

    @alone
    async def test_touching_changes_neither_data_nor_version(self, workers: Workers[SessionStore]) -> None:
        """Only the expiry, and it is an answer that there is a record even where that stays the same."""
        store, key, until = await workers.start(), new_key(), later()
        await store.create(key, b"sealed", expires_at=until, owner=None)
        assert await store.touch(key, expires_at=until) is True
        assert await store.touch(key, expires_at=until + 600) is True
        assert await store.read(key) == Record(b"sealed", 1)

    @alone
    async def test_a_deleted_record_stays_gone(self, workers: Workers[SessionStore]) -> None:
        """Whatever is tried with it."""
        store, key, owner = await workers.start(), new_key(), new_key()
        await store.create(key, b"sealed", expires_at=later(), owner=owner)
        assert await store.delete(key) is True
        assert await store.delete(key) is False
        assert await store.replace(key, b"back", version=1, expires_at=later(), owner=owner) is False
        assert await superseded(store, key, new_key(), b"back", version=1, owner=owner) is False
        assert await store.touch(key, expires_at=later()) is False
        assert await store.read(key) is None
        assert await all_owned(store, owner) == {}

    @alone
    async def test_an_expired_record_does_not_exist(self, workers: Workers[SessionStore]) -> None:
        """However it got its expiry, and whether or not its bytes are still somewhere."""
        store = await workers.start()
        for how in ("created", "replaced", "touched"):
            key, owner = new_key(), new_key()
            await store.create(key, b"sealed", expires_at=past() if how == "created" else later(), owner=owner)
            if how == "replaced":
                await store.replace(key, b"new", version=1, expires_at=past(), owner=owner)
            if how == "touched":
                await store.touch(key, expires_at=past())
            assert await store.read(key) is None
            assert await all_owned(store, owner) == {}
            for version in (1, 2):
                assert await store.replace(key, b"back", version=version, expires_at=later(), owner=owner) is False
                new = new_key()
                assert await superseded(store, key, new, b"", version=version, owner=None) is False
                assert await store.read(new) is None
            assert await store.touch(key, expires_at=later()) is False
            assert await store.delete(key) is False
            assert await store.read(key) is None

    @alone
    async def test_a_record_that_supersedes_another_takes_its_place(self, workers: Workers[SessionStore]) -> None:
        """It begins with version 1; the old key has the note, which is nobody's, with the next version."""
        store, old, key, owner, other = await workers.start(), new_key(), new_key(), new_key(), new_key()
        await store.create(old, b"visitor", expires_at=later(), owner=other)
        await store.replace(old, b"cart", version=1, expires_at=later(), owner=other)
        assert await superseded(store, old, key, b"member", version=2, owner=owner) is True
        assert await store.read(old) == Record(b"note", 3)
        assert await store.read(key) == Record(b"member", 1)
        assert await all_owned(store, owner) == {key: Record(b"member", 1)}
        assert await all_owned(store, other) == {}
        assert await store.replace(old, b"back", version=2, expires_at=later(), owner=owner) is False

    @alone
    async def test_the_note_in_the_place_of_a_superseded_record_expires(self, workers: Workers[SessionStore]) -> None:
        """As any record does."""
        store, old, key = await workers.start(), new_key(), new_key()
        await store.create(old, b"visitor", expires_at=later(), owner=None)
        assert await superseded(store, old, key, b"member", version=1, owner=None, note_until=past()) is True
        assert await store.read(old) is None
        assert await store.read(key) == Record(b"member", 1)

    @alone
    async def test_superseding_another_version_changes_nothing(self, workers: Workers[SessionStore]) -> None:
        """Neither record."""
        store, old, owner = await workers.start(), new_key(), new_key()
        await store.create(old, b"old", expires_at=later(), owner=owner)
        await store.replace(old, b"new", version=1, expires_at=later(), owner=owner)
        for version in (0, 1, 3):
            key = new_key()
            assert await superseded(store, old, key, b"lost", version=version, owner=owner) is False
            assert await store.read(key) is None
        assert await all_owned(store, owner) == {old: Record(b"new", 2)}

    @alone
    async def test_of_many_superseding_or_replacing_one_version_exactly_one_does(
        self, workers: Workers[SessionStore]
    ) -> None:
        """So no session is doubled, and no write is lost."""
        store, old, owner = await workers.start(), new_key(), new_key()
        await store.create(old, b"old", expires_at=later(), owner=owner)
        keys = [new_key() for _ in range(10)]
        attempts = [superseded(store, old, key, b"", version=1, owner=owner) for key in keys]
        attempts += [store.replace(old, b"", version=1, expires_at=later(), owner=owner) for _ in keys]
        answers = await asyncio.gather(*attempts)
        assert answers.count(True) == 1
        assert list(await all_owned(store, owner)) == [(keys + [old] * len(keys))[answers.index(True)]]

    @alone
    async def test_a_megabyte_comes_back_as_it_was(self, workers: Workers[SessionStore]) -> None:
        """Every byte."""
        store, key, data = await workers.start(), new_key(), bytes(range(256)) * 4096
        await store.create(key, data, expires_at=later(), owner=None)
        assert await store.read(key) == Record(data, 1)
