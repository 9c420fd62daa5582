"""What every store must do. Add a store of your own to `KINDS` and to `opened`."""

import asyncio
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest

from fastsession.stores import MemoryStore, Page, Record, RedisStore, SQLiteStore
from tests.processes import PATIENCE
from tests.stores.conftest import KINDS_OF_REDIS, client_of
from tests.stores.everything import owned_by

pytestmark = pytest.mark.anyio

KINDS = ["memory", "sqlite", *(f"redis-{kind}" for kind in KINDS_OF_REDIS)]
SHARED = [kind for kind in KINDS if kind != "memory"]


@asynccontextmanager
async def opened(kind, fixture, workers=1):
    """Stores on one home of data, as that many workers would have them."""
    if kind == "memory":
        yield [MemoryStore()]
    elif kind == "sqlite":
        path = fixture("tmp_path") / "sessions.db"
        async with started([SQLiteStore(path, timeout=PATIENCE) for _ in range(workers)]) as stores:
            yield stores
    else:
        async with client_of(kind.removeprefix("redis-"), fixture) as client:
            prefix = fixture("prefix")
            async with started([RedisStore(client, prefix=prefix, timeout=PATIENCE) for _ in range(workers)]) as stores:
                yield stores


@asynccontextmanager
async def started(stores):
    for store in stores:
        await store.start()
    try:
        yield stores
    finally:
        for store in stores:
            await store.stop()


@pytest.fixture(params=KINDS)
async def store(request):
    async with opened(request.param, request.getfixturevalue) as stores:
        yield stores[0]


@pytest.fixture(params=SHARED)
async def workers(request):
    async with opened(request.param, request.getfixturevalue, workers=2) as stores:
        yield stores


@pytest.fixture
def key():
    return token_hex(16)


@pytest.fixture
def owner():
    return token_hex(16)


@pytest.fixture
def past(now):
    return now - 1


async def test_a_created_record_is_read_with_version_1(store, key, later):
    await store.create(key, b"sealed \x00\xff", expires_at=later, owner=None)
    assert await store.read(key) == Record(b"sealed \x00\xff", 1)


async def test_a_record_that_is_created_again_is_the_new_one(store, key, owner, later):
    await store.create(key, b"first", expires_at=later, owner=owner)
    await store.replace(key, b"written", version=1, expires_at=later, owner=owner)
    await store.create(key, b"second", expires_at=later + 10, owner=None)
    assert await store.read(key) == Record(b"second", 1)
    assert await owned_by(store, owner) == {}


async def test_an_unknown_key_is_an_answer_for_every_operation(store, key, owner, later):
    assert await store.read(key) is None
    assert await store.replace(key, b"new", version=1, expires_at=later, owner=owner) is False
    assert await store.touch(key, expires_at=later) is False
    assert await store.delete(key) is False
    assert await owned_by(store, owner) == {}
    assert await store.read(key) is None


async def test_replacing_the_version_read_raises_it_by_one(store, key, later):
    await store.create(key, b"old", expires_at=later, owner=None)
    assert await store.replace(key, b"new", version=1, expires_at=later, owner=None) is True
    assert await store.replace(key, b"newer", version=2, expires_at=later, owner=None) is True
    assert await store.read(key) == Record(b"newer", 3)


@pytest.mark.parametrize("version", [0, 1, 3, 10])
async def test_replacing_another_version_changes_nothing(store, key, owner, later, version):
    await store.create(key, b"old", expires_at=later, owner=None)
    await store.replace(key, b"new", version=1, expires_at=later, owner=None)
    assert await store.replace(key, b"lost", version=version, expires_at=later, owner=owner) is False
    assert await store.read(key) == Record(b"new", 2)
    assert await owned_by(store, owner) == {}


async def test_of_many_replacing_one_version_exactly_one_does(store, key, later):
    await store.create(key, b"old", expires_at=later, owner=None)
    attempts = [store.replace(key, b"%d" % n, version=1, expires_at=later, owner=None) for n in range(20)]
    answers = await asyncio.gather(*attempts)
    assert answers.count(True) == 1
    assert await store.read(key) == Record(b"%d" % answers.index(True), 2)


async def test_touching_changes_neither_data_nor_version(store, key, later):
    await store.create(key, b"sealed", expires_at=later, owner=None)
    assert await store.touch(key, expires_at=later + 600) is True
    assert await store.read(key) == Record(b"sealed", 1)


async def test_a_deleted_record_stays_gone(store, key, owner, later):
    await store.create(key, b"sealed", expires_at=later, owner=owner)
    assert await store.delete(key) is True
    assert await store.delete(key) is False
    assert await store.replace(key, b"back", version=1, expires_at=later, owner=owner) is False
    assert await store.touch(key, expires_at=later) is False
    assert await store.read(key) is None
    assert await owned_by(store, owner) == {}


@pytest.mark.parametrize("how", ["created", "replaced", "touched"])
async def test_an_expired_record_does_not_exist(store, key, owner, later, how):
    past = later - 1200
    await store.create(key, b"sealed", expires_at=past if how == "created" else later, owner=owner)
    if how == "replaced":
        await store.replace(key, b"new", version=1, expires_at=past, owner=owner)
    if how == "touched":
        await store.touch(key, expires_at=past)
    assert await store.read(key) is None
    assert await owned_by(store, owner) == {}
    assert await store.replace(key, b"back", version=1, expires_at=later, owner=owner) is False
    assert await store.touch(key, expires_at=later) is False
    assert await store.delete(key) is False
    assert await store.read(key) is None


async def test_an_owner_has_the_live_records_that_are_his_now(store, owner, later, past):
    other = token_hex(16)
    mine, renewed, moved, ended, expired, foreign = keys = [token_hex(16) for _ in range(6)]
    for key in keys:
        await store.create(key, key.encode(), expires_at=later, owner=other if key == foreign else owner)
    await store.touch(renewed, expires_at=later + 600)
    await store.replace(moved, b"moved", version=1, expires_at=later, owner=other)
    await store.delete(ended)
    await store.replace(expired, b"expired", version=1, expires_at=past, owner=owner)
    assert await owned_by(store, owner) == {mine: Record(mine.encode(), 1), renewed: Record(renewed.encode(), 1)}
    assert await owned_by(store, other) == {foreign: Record(foreign.encode(), 1), moved: Record(b"moved", 2)}


async def test_a_record_may_get_an_owner_and_lose_it(store, key, owner, later):
    await store.create(key, b"visitor", expires_at=later, owner=None)
    await store.replace(key, b"signed in", version=1, expires_at=later, owner=owner)
    assert await owned_by(store, owner) == {key: Record(b"signed in", 2)}
    await store.replace(key, b"visitor", version=2, expires_at=later, owner=None)
    assert await owned_by(store, owner) == {}


async def test_a_megabyte_comes_back_as_it_was(store, key, later):
    data = bytes(range(256)) * 4096
    await store.create(key, data, expires_at=later, owner=None)
    assert await store.read(key) == Record(data, 1)


async def test_starting_and_stopping_again_and_again_loses_nothing(store, key, later):
    await store.start()
    await store.create(key, b"sealed", expires_at=later, owner=None)
    for _ in range(2):
        await store.stop()
        await store.stop()
        await store.start()
        await store.start()
        assert await store.read(key) == Record(b"sealed", 1)
    await store.stop()
    assert await store.read(key) == Record(b"sealed", 1)


async def test_what_one_worker_writes_another_reads(workers, key, owner, later):
    first, second = workers
    await first.create(key, b"sealed", expires_at=later, owner=owner)
    assert await second.replace(key, b"new", version=1, expires_at=later, owner=owner) is True
    assert await first.read(key) == Record(b"new", 2)
    assert await owned_by(first, owner) == {key: Record(b"new", 2)}
    assert await first.delete(key) is True
    assert await second.read(key) is None
    assert await second.replace(key, b"back", version=2, expires_at=later, owner=owner) is False


def superseded(store, old, key, data=b"signed in", **options):
    return store.supersede(old, key, data, **{"version": 1, "owner": None, "note": b"note"} | options)


async def test_the_note_in_the_place_of_a_superseded_record_expires(store, key, later):
    old = token_hex(16)
    await store.create(old, b"visitor", expires_at=later, owner=None)
    assert await superseded(store, old, key, expires_at=later, note_until=later - 1200) is True
    assert await store.read(old) is None


async def test_a_record_that_supersedes_another_takes_its_place(store, key, owner, later):
    old, other = token_hex(16), token_hex(16)
    await store.create(old, b"visitor", expires_at=later, owner=other)
    assert await superseded(store, old, key, expires_at=later, note_until=later, owner=owner) is True
    assert await store.read(old) == Record(b"note", 2)
    assert await store.read(key) == Record(b"signed in", 1)
    assert await owned_by(store, owner) == {key: Record(b"signed in", 1)}
    assert await owned_by(store, other) == {}
    assert await store.replace(old, b"back", version=1, expires_at=later, owner=other) is False


@pytest.mark.parametrize("how", ["another version", "deleted", "expired", "unknown"])
async def test_what_is_no_longer_there_is_superseded_by_nothing(store, key, owner, later, how):
    old = token_hex(16)
    if how != "unknown":
        await store.create(old, b"visitor", expires_at=later - 1200 if how == "expired" else later, owner=None)
    if how == "another version":
        await store.replace(old, b"written", version=1, expires_at=later, owner=None)
    if how == "deleted":
        await store.delete(old)
    assert await superseded(store, old, key, expires_at=later, note_until=later, owner=owner) is False
    assert await store.read(key) is None
    assert await owned_by(store, owner) == {}
    assert await store.read(old) == (Record(b"written", 2) if how == "another version" else None)


async def test_of_many_that_supersede_one_version_exactly_one_does(store, owner, later):
    old, keys = token_hex(16), [token_hex(16) for _ in range(10)]
    await store.create(old, b"visitor", expires_at=later, owner=None)
    attempts = [superseded(store, old, key, b"new", expires_at=later, note_until=later, owner=owner) for key in keys]
    answers = await asyncio.gather(*attempts)
    assert answers.count(True) == 1
    assert await owned_by(store, owner) == {keys[answers.index(True)]: Record(b"new", 1)}


async def test_more_records_than_a_page_are_listed_and_ended(store, owner, later):
    other, keys = token_hex(16), [token_hex(16) for _ in range(1300)]
    foreign, moved, *mine = keys
    for key in keys:
        await store.create(key, key.encode(), expires_at=later, owner=other if key == foreign else owner)
    await store.replace(moved, b"moved", version=1, expires_at=later, owner=other)
    assert await owned_by(store, owner) == {key: Record(key.encode(), 1) for key in mine}
    first = await store.owned(owner)
    assert 0 < len(first.records) < len(mine)
    kept = {mine[0], mine[700]}
    await store.end_owned(owner, keep=kept)
    assert set(await owned_by(store, owner)) == kept
    assert set(await owned_by(store, other)) == {foreign, moved}
    await store.end_owned(owner)
    assert await owned_by(store, owner) == {}
    assert await store.read(mine[0]) is None
    assert await store.replace(mine[1], b"back", version=1, expires_at=later, owner=owner) is False


async def test_records_may_be_deleted_and_created_between_two_pages(store, owner, later):
    keys = [token_hex(16) for _ in range(1300)]
    for key in keys:
        await store.create(key, b"sealed", expires_at=later, owner=owner)
    page, seen, new = await store.owned(owner), set(), []
    while True:
        seen |= page.records.keys()
        if page.after is None:
            break
        new.append(token_hex(16))
        await store.create(new[-1], b"sealed", expires_at=later, owner=owner)
        for key in list(page.records)[:50]:
            await store.delete(key)
        page = await store.owned(owner, after=page.after)
    # Those that were there all the time are there.
    assert set(await owned_by(store, owner)) - set(new) <= seen


async def test_ending_the_records_of_an_owner_without_any_is_no_fault(store, owner):
    await store.end_owned(owner)
    await store.end_owned(owner, keep={"aa"})
    assert await store.owned(owner) == Page({})
