"""What we keep in a shared session under one key, and what the other side may make of it and of the data."""

import pytest

from tests.other_side import FORMATS, OtherSide
from tests.shop import START, browser, shop


@pytest.fixture(params=FORMATS)
def shared(request):
    return FORMATS[request.param]


@pytest.fixture
def client(shared, clock):
    return browser(shop(format=shared, clock=clock))


@pytest.fixture
def other(shared, client, clock):
    return OtherSide(shared, client, clock)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 7},
        {"id": "7"},
        {"id": "z" * 32},
        {"created_at": "yesterday"},
        {"created_at": 1.5},
        {"created_at": -1},
        {"created_at": 2**40},
        {"authenticated_at": None},
        {"renewed_at": True},
        {"remembered": 1},
        {"binding": "00"},
        {"binding": None},
    ],
    ids=str,
)
def test_metadata_that_is_not_ours_is_incompatible(client, other, changed):
    client.post("/cart/tea")
    other.write({**other.data, "_fastsession": {**other.data["_fastsession"], **changed}})
    assert client.get("/info").json()["status"] == "incompatible"


@pytest.mark.parametrize("metadata", [None, [], "text", {}, 7], ids=str)
def test_what_is_no_metadata_at_all_is_incompatible_but_for_null(client, other, metadata):
    other.write({"user_id": 7, "_fastsession": metadata})
    expected = "valid" if metadata is None else "incompatible"
    assert client.get("/info").json()["status"] == expected


def test_a_session_from_the_future_is_rejected(client, other):
    client.post("/cart/tea")
    other.write({**other.data, "_fastsession": {**other.data["_fastsession"], "created_at": START + 31}})
    assert client.get("/info").json()["status"] == "future"


@pytest.mark.parametrize("data", [{"user_id": "nobody"}, {"note": "\ud83c"}, {"k\ud83c": 1}, {"theme": ["\ud83c"]}])
def test_data_that_cannot_be_kept_is_incompatible_and_no_error(client, other, data):
    other.write(data)
    assert client.get("/public").status_code == 200
    assert client.get("/info").json()["status"] == "incompatible"


def test_without_our_key_it_is_another_session(client, other, clock):
    client.post("/login")
    before = client.get("/info").json()
    clock.advance(60)
    other.write({key: value for key, value in other.data.items() if key != "_fastsession"})
    after = client.get("/info").json()
    assert before["id"] != after["id"]
    assert before["created_at"] < after["created_at"]
    assert after["authenticated_at"] is None
