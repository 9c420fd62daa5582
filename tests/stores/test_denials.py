import random
import time

import pytest

from fastsession import StoreUnavailableError
from fastsession.lifetime import MAX_LIFETIME
from fastsession.stores import MemoryRevocations, RedisRevocations, SQLiteRevocations
from fastsession.stores.denials import Denials
from fastsession.testing import Clock
from tests.processes import PATIENCE
from tests.stores.conftest import client_of

NOW = 1_800_000_000
ROUND = 64  # Calls of `sweep` that look at every shelf.


def names(count, seed=1):
    made = random.Random(seed)
    return [f"{made.getrandbits(128):032x}" for _ in range(count)]


def known(denials, sessions):
    return [session for session in sessions if denials.denied(session, None, NOW)]


def test_every_denied_name_is_found_and_no_other():
    denials, denied, others = Denials(), names(20_000), names(20_000, seed=2)
    for name in denied:
        denials.add(f"s{name[:16]}", NOW + 1)
    assert known(denials, denied) == denied
    assert known(denials, others) == []
    assert len(denials) == 20_000


def test_the_first_and_the_last_name_there_can_be_are_names_like_others():
    denials = Denials()
    for name in ("0" * 16, "f" * 16):
        assert not denials.denied(name, None, NOW)
        denials.add(f"s{name}", NOW + 1)
        assert denials.denied(name, None, NOW)


def test_expired_denials_are_forgotten_and_the_others_kept():
    denials, soon, later = Denials(), names(5000), names(5000, seed=2)
    for name in soon:
        denials.add(f"s{name[:16]}", NOW)
    for name in later:
        denials.add(f"s{name[:16]}", NOW + 1)
    denials.add(f"o{NOW}:early", NOW)
    denials.add(f"o{NOW}:late", NOW + 1)
    for _ in range(ROUND):
        denials.sweep(NOW)
    assert known(denials, soon) == []
    assert known(denials, later) == later
    assert not denials.denied(later[0][::-1], "early", NOW - 1)
    assert denials.denied(later[0][::-1], "late", NOW - 1)
    for _ in range(ROUND):
        denials.sweep(NOW + 1)
    assert len(denials) == 0


def test_a_denial_made_again_is_kept_for_the_longer_of_both():
    for first, second in ((NOW, NOW + 9), (NOW + 9, NOW)):
        denials = Denials()
        for until in (first, second):
            denials.add("s" + "ab" * 8, until)
            denials.add("o5:somebody", until)
        assert sorted(denials.texts(NOW)) == [("o5:somebody", NOW + 9), ("s" + "ab" * 8, NOW + 9)]


def test_its_texts_rebuild_it():
    denials, copy = Denials(), Denials()
    for name in names(100):
        denials.add(f"s{name[:16]}", NOW + 5)
    denials.add(f"o{NOW}:somebody", NOW + 7)
    denials.add(f"a{NOW - 50}", NOW + 9)
    for text, until in denials.texts(NOW):
        copy.add(text, until)
    assert sorted(copy.texts(NOW)) == sorted(denials.texts(NOW))
    assert copy.denied("0" * 16, None, NOW - 51)
    assert copy.denied("0" * 16, "somebody", NOW - 1)
    assert known(copy, names(100)) == names(100)


@pytest.mark.parametrize("text", ["", "s", "snot hex", "o:somebody", "olater:somebody", "a", "alater", "x1"])
def test_a_denial_that_cannot_be_read_is_not_passed_over(text):
    with pytest.raises(StoreUnavailableError):
        Denials().add(text, NOW)


def test_times_beyond_2106_are_kept():
    denials = Denials()
    denials.add("s" + "ab" * 8, 2**33)
    denials.sweep(2**32)
    assert denials.denied("ab" * 8, None, 2**32)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"])
async def test_expired_denials_disappear_from_memory_and_storage(kind, redis_server, prefix, tmp_path, request):
    clock, now = Clock(), int(time.time())
    path = tmp_path / "revocations.db"
    async with client_of("client", request.getfixturevalue) as client:
        make = {
            "memory": lambda: MemoryRevocations(clock=clock),
            "sqlite": lambda: SQLiteRevocations(path, timeout=PATIENCE, clock=clock),
            "redis": lambda: RedisRevocations(client, prefix=prefix, timeout=PATIENCE, clock=clock),
        }[kind]
        first = make()
        await first.start()
        # Already past for Redis, which goes by its own time; for the others when their clock has moved.
        for name in names(150):
            await first.deny_session(name, until=now - 1 if kind == "redis" else now + 60)
        clock.advance(120)
        for name in names(ROUND + 2, seed=2):
            clock.advance(1)
            await first.deny_session(name, until=now + MAX_LIFETIME)
        if kind == "redis":
            assert await client.zcard(f"{prefix}{{revocations}}:denied") == ROUND + 2
            assert 0 < await client.ttl(f"{prefix}{{revocations}}:denied") <= MAX_LIFETIME
            assert 0 < await client.ttl(f"{prefix}{{revocations}}:changes") <= MAX_LIFETIME
        second = first
        if kind != "memory":
            await first.stop()
            second = make()
            await second.start()
        assert known(second, names(150)) == []
        assert known(second, names(ROUND + 2, seed=2)) == names(ROUND + 2, seed=2)
        await second.stop()


def test_what_is_handed_on_are_the_denials_that_have_not_expired():
    denials, early, late = Denials(), "0" * 16, "f" * 16
    for name, until in ((early, NOW), (late, NOW + 1)):
        denials.add(f"s{name}", until)
        denials.add(f"o{NOW}:{name}", until)
    assert list(denials.texts(NOW)) == [(f"s{late}", NOW + 1), (f"o{NOW}:{late}", NOW + 1)]
