"""Records: sealed under a key of their own, bound to their name, readable to nobody else."""

import asyncio

import pytest
from cryptography.exceptions import InvalidTag

from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.keyring import KeyRing
from fastsession.sealing.token import ID_SIZE, Token
from fastsession.server_side.records import MAX_RECORD_SIZE, Records, record_name
from fastsession.stores import MemoryStore
from tests.shop import IDLE, OLD_SECRET, SECRET, START

NEW, OLD = KeyRing([SECRET.encode()]), KeyRing([OLD_SECRET.encode()])
BOTH = KeyRing([SECRET.encode(), OLD_SECRET.encode()])
ID, OTHER_ID = bytes(range(ID_SIZE)), bytes(reversed(range(ID_SIZE)))


def token(payload=b'{"user_id":42}', session_id=ID, created_at=START):
    return Token(session_id, created_at, START, START + 5, remembered=False, payload=payload)


@pytest.fixture
def store():
    return MemoryStore()


def kept(store, kept_token, keys=NEW, owner=None):
    asyncio.run(Records(store, keys).create(kept_token, expires_at=START + IDLE, owner=owner, now=START))


def read(store, session_id=ID, keys=NEW):
    return asyncio.run(Records(store, keys).read(session_id))


def rejection(store, **options):
    with pytest.raises(Rejected) as rejected:
        read(store, **options)
    return rejected.value.status


def data_of(store, session_id=ID):
    return asyncio.run(store.read(record_name(session_id))).data


def put(store, data, session_id=ID):
    asyncio.run(store.create(record_name(session_id), data, expires_at=START + IDLE, owner=None))


def test_a_record_comes_back_as_it_was(store):
    kept(store, token())
    entry = read(store)
    assert (entry.id, entry.created_at, entry.renewed_at) == (ID, START, START + 5)
    assert (entry.payload, entry.version, entry.stale) == (b'{"user_id":42}', 1, False)


def test_one_that_is_not_there_is_revoked(store):
    assert rejection(store) == "revoked"


def test_no_byte_of_a_record_can_be_changed(store):
    kept(store, token())
    data = data_of(store)
    for place in range(len(data)):
        put(store, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert rejection(store) == ("unknown_key" if place < 3 else "forged")


@pytest.mark.parametrize("length", [0, 1, 3, 10, 42, 80])
def test_a_record_that_was_cut_off_is_rejected(store, length):
    kept(store, token())
    put(store, data_of(store)[:length])
    assert rejection(store) == "forged"


def test_another_session_s_record_under_this_name_is_rejected(store):
    kept(store, token(session_id=OTHER_ID))
    put(store, data_of(store, OTHER_ID))
    assert rejection(store) == "forged"


def test_two_records_of_one_session_have_nothing_in_common(store):
    kept(store, token())
    first = data_of(store)
    kept(store, token())
    second = data_of(store)
    # The key id is the only part that is not random or sealed.
    assert first[:3] == second[:3]
    assert sum(a == b for a, b in zip(first[3:], second[3:], strict=True)) < len(first) // 4


def test_a_record_s_name_tells_nothing_of_the_id_and_outlives_a_rotation():
    assert ID.hex() not in record_name(ID)
    assert len({record_name(bytes([number] * ID_SIZE)) for number in range(256)}) == 256


def test_a_cookie_s_key_does_not_open_a_record(store):
    kept(store, token())
    key, data, label = NEW.primary, data_of(store)[3:], b"fastsession/v1/store" + record_name(ID).encode()
    assert ID in key.record_cipher.open(data, label)
    with pytest.raises(InvalidTag):
        key.cipher.open(data, label)


def test_a_record_under_a_fallback_opens_and_is_stale(store):
    kept(store, token(), keys=OLD)
    assert read(store, keys=BOTH).stale
    assert rejection(store, keys=NEW) == "unknown_key"


def test_the_sessions_of_an_owner_are_listed_the_oldest_first_without_those_that_do_not_open(store):
    kept(store, token(session_id=OTHER_ID, created_at=START + 1), owner="new name")
    kept(store, token(), keys=OLD, owner="old name")
    asyncio.run(store.create("ab" * 16, b"garbage", expires_at=START + IDLE, owner="new name"))
    entries = asyncio.run(Records(store, BOTH).owned(["new name", "old name"]))
    assert [entry.id for entry in entries] == [ID, OTHER_ID]


def outdated(store):
    """Whether it is known that the session's own browser has ended it, where it has ended."""
    with pytest.raises(Rejected) as raised:
        read(store)
    assert raised.value.status == "revoked"
    return raised.value.outdated


@pytest.mark.parametrize("version", [1, 2])
def test_a_record_is_retired_whoever_has_written_to_it_since(store, version):
    kept(store, token())
    asyncio.run(Records(store, NEW).retire(ID, version=version, now=START))
    assert outdated(store)


def test_a_record_that_others_write_to_faster_is_retired_all_the_same():
    class Busy(MemoryStore):
        async def replace(self, *arguments, **keywords):
            return False

    busy = Busy()
    kept(busy, token())
    asyncio.run(Records(busy, NEW).retire(ID, version=1, now=START))
    assert outdated(busy)


def test_a_record_that_was_ended_elsewhere_is_retired_by_its_own_browser(store):
    kept(store, token())
    records = Records(store, NEW)
    asyncio.run(records.delete(ID))
    assert not outdated(store)
    asyncio.run(records.retire(ID, version=1, now=START))
    assert outdated(store)


def test_a_record_is_superseded_only_at_the_version_that_was_read(store):
    kept(store, token())
    records, new = Records(store, NEW), token(session_id=OTHER_ID)

    def supersede(version):
        arguments = {"version": version, "expires_at": START + IDLE, "owner": None, "now": START}
        return asyncio.run(records.supersede(ID, new, **arguments))

    assert supersede(2) is False
    assert read(store).version == 1
    assert supersede(1) is True
    assert rejection(store) == "revoked"
    assert asyncio.run(records.read(OTHER_ID)).id == OTHER_ID
    assert supersede(1) is False


def test_the_largest_record_is_kept_and_a_larger_one_names_its_fields(store):
    def of_size(size):
        return token(payload=b'{"note":"%s"}' % (b"n" * (size - len('{"note":""}'))))

    kept(store, of_size(MAX_RECORD_SIZE))
    with pytest.raises(SessionTooLargeError) as raised:
        kept(store, of_size(MAX_RECORD_SIZE + 1))
    assert (raised.value.size, raised.value.limit) == (MAX_RECORD_SIZE + 1, MAX_RECORD_SIZE)
    assert raised.value.fields[0][0] == "note"


@pytest.mark.parametrize("data", [b"", b"short", bytes(40), NEW.primary.id + bytes(60)], ids=range(4))
def test_a_note_that_is_not_ours_is_rejected(store, data):
    asyncio.run(store.create("noted", data, expires_at=START + IDLE, owner=None))
    with pytest.raises(Rejected) as rejected:
        asyncio.run(Records(store, NEW).noted("noted"))
    assert (rejected.value.status, rejected.value.detail) == ("forged", "a note of the store's is not ours")


def test_a_note_under_another_name_is_rejected(store):
    async def moved():
        records = Records(store, NEW)
        await records.note("one", START, expires_at=START + IDLE, now=START)
        assert await records.noted("one") == START
        await store.create("two", (await store.read("one")).data, expires_at=START + IDLE, owner=None)
        await records.noted("two")

    with pytest.raises(Rejected):
        asyncio.run(moved())
