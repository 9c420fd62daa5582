import pytest

from fastsession.stores import MemoryStore
from fastsession.testing import Clock
from tests.stores.everything import owned_by

pytestmark = pytest.mark.anyio


async def test_a_record_expires_at_its_second():
    clock = Clock(100)
    store = MemoryStore(clock=clock)
    await store.create("aa", b"sealed", expires_at=110, owner="somebody")
    clock.advance(9.9)
    assert await store.read("aa") is not None
    clock.advance(0.1)
    assert await store.read("aa") is None
    assert await owned_by(store, "somebody") == {}


async def test_expired_records_that_nobody_asks_for_do_not_pile_up():
    clock = Clock(0)
    store = MemoryStore(clock=clock)
    for number in range(20_000):
        await store.create(f"{number:032x}", b"sealed", expires_at=number + 100, owner=f"{number}")
        clock.advance(1)
    assert len(store._entries) <= 2048
    assert len(store._owners) == len(store._entries)
