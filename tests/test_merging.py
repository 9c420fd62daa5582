"""One session changed twice: what is laid over what."""

import pytest
from pydantic import model_validator

from fastsession import Session
from fastsession.payload.codec import PayloadCodec
from fastsession.server_side.merging import merged


class Booking(Session):
    first_day: int = 1
    last_day: int = 10
    guests: list[str] = []
    tags: set[str] = set()

    @model_validator(mode="after")
    def ends_after_it_begins(self):
        if self.last_day < self.first_day:
            raise ValueError("it ends before it begins")
        return self


CODEC = PayloadCodec(Booking)


def payload(extras=None, **fields):
    return CODEC.dump(Booking(**fields), extras or {})


def merge(before, mine, theirs):
    """The merged session's fields and extras, and what both changed."""
    result, disputed = merged(CODEC, before=before, mine=mine, theirs=theirs)
    model, extras = CODEC.load(result)
    return model.model_dump(exclude_defaults=True) | extras, disputed


def test_different_fields_both_survive():
    assert merge(payload(), payload(first_day=2), payload(last_day=9)) == ({"first_day": 2, "last_day": 9}, [])


def test_of_one_field_mine_counts_and_is_disputed():
    assert merge(payload(), payload(first_day=2), payload(first_day=3)) == ({"first_day": 2}, ["first_day"])


def test_the_same_list_is_one_field():
    assert merge(payload(), payload(guests=["a"]), payload(guests=["b"])) == ({"guests": ["a"]}, ["guests"])


def test_a_field_set_back_to_its_default_is_a_change():
    before = payload(first_day=2, last_day=5)
    assert merge(before, payload(last_day=5), payload(first_day=2, last_day=6)) == ({"last_day": 6}, [])


def test_keys_of_the_dict_come_and_go_on_their_own():
    before = payload({"kept": 1, "removed": 1})
    mine, theirs = payload({"kept": 1, "mine": 2}), payload({"kept": 1, "removed": 1, "theirs": 3})
    assert merge(before, mine, theirs) == ({"kept": 1, "mine": 2, "theirs": 3}, [])


def test_a_key_removed_by_one_and_changed_by_the_other_is_disputed():
    before = payload({"key": 1})
    assert merge(before, payload(), payload({"key": 2})) == ({}, ["key"])
    assert merge(before, payload({"key": 2}), payload()) == ({"key": 2}, ["key"])


def test_a_field_that_the_record_did_not_have_yet_is_not_changed_by_being_dumped():
    before = b'{"first_day":1,"last_day":10}'
    theirs = payload(guests=["a"])
    assert merge(before, payload(first_day=2), theirs) == ({"first_day": 2, "guests": ["a"]}, [])


def test_a_field_that_only_a_newer_model_has_is_kept():
    before = b'{"first_day":1,"newer":1}'
    result, disputed = merged(CODEC, before=before, mine=payload(first_day=2), theirs=b'{"first_day":1,"newer":2}')
    assert (b'"newer":2' in result, disputed) == (True, [])


def test_a_set_in_another_order_is_not_changed():
    before = b'{"tags":["b","a","c"]}'
    mine = CODEC.dump(CODEC.load(before)[0], {"note": "mine"})
    assert merge(before, mine, b'{"tags":["a","b","c","d"]}')[0]["tags"] == {"a", "b", "c", "d"}


@pytest.mark.parametrize("theirs", [payload(last_day=3), b'{"first_day":"not a number"}'])
def test_where_the_mixture_breaks_the_model_s_rules_all_of_mine_counts(theirs):
    fields, disputed = merge(payload(), payload(first_day=5), theirs)
    assert fields == {"first_day": 5}
    assert "first_day" in disputed


def test_what_arrived_need_not_fit_the_model_of_today():
    before = b'{"first_day":"not a number"}'
    assert merge(before, payload(first_day=2), before)[0] == {"first_day": 2}
