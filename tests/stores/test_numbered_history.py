"""Rows are read in the order of their numbers, and come in another one."""

import pytest

from fastsession.stores.numbered_history import NumberedHistory, Row

LATER = 10_000


def row(number, mark=None, until=LATER):
    return Row(number, f"s{number:016x}", until, number * 7 if mark is None else mark)


@pytest.fixture
def history():
    return NumberedHistory(patience=60.0)


def read(history, *numbers, at=0.0):
    return [new.number for new in history.read([row(number) for number in numbers], now=0, at=at)]


def asked(history, table):
    """What the table answers: the rows that are watched, and all after the last one."""
    return [row for row in sorted(table) if row.number > history.last or row.number in history.watched()]


def test_a_row_is_new_once(history):
    assert read(history, 1, 2) == [1, 2]
    assert read(history, 1, 2, 3) == [3]


def test_a_number_that_is_missing_is_watched_and_found_when_it_comes(history):
    read(history, 1, 4)
    assert {2, 3} <= set(history.watched())
    assert read(history, 2) == [2]
    assert history.last == 4
    assert read(history, 3, 5) == [3, 5]


def test_a_missing_number_is_given_up_when_whoever_stores_it_no_longer_waits(history):
    read(history, 1, 3, at=0.0)
    read(history, at=59.0)
    assert 2 in history.watched()
    read(history, at=60.0)
    assert 2 not in history.watched()


def test_a_jump_of_the_numbers_is_watched_only_near_its_end(history):
    read(history, 1_000_000)
    watched = history.watched()
    assert len(watched) < 1100
    assert 999_999 in watched


def test_no_more_than_a_thousand_missing_numbers_are_watched_whatever_the_jumps(history):
    read(history, 900, 1_800, 2_700)
    watched = set(history.watched()) - {900, 1_800, 2_700}
    assert len(watched) == 1_000
    assert min(watched) > 1_600
    assert {2_699, 1_801, 1_799} <= watched


def test_rows_are_found_in_whatever_order_they_are_committed(history):
    table, seen = [], []
    for number in (2, 1, 5, 3, 7, 6, 4):
        table.append(row(number))
        answer = asked(history, table)
        assert history.is_whole(answer, made=(), now=0)
        seen += [new.number for new in history.read(answer, now=0, at=0.0)]
    assert sorted(seen) == [1, 2, 3, 4, 5, 6, 7]


def test_the_rows_of_the_last_look_have_to_be_there(history):
    table = [row(1), row(2)]
    history.read(table, now=0, at=0.0)
    assert history.is_whole(asked(history, table), made=(), now=0)
    assert not history.is_whole(asked(history, table[:1]), made=(), now=0)


def test_a_number_that_was_given_twice_is_another_row(history):
    history.read([row(1), row(2)], now=0, at=0.0)
    table = [row(1), row(2, mark=99)]
    assert not history.is_whole(asked(history, table), made=(), now=0)
    assert [new.mark for new in history.read(asked(history, table), now=0, at=0.0)] == [99]


def test_a_row_may_be_gone_when_it_has_expired(history):
    history.read([row(1, until=1000)], now=0, at=0.0)
    assert not history.is_whole([], made=(), now=999)
    assert history.is_whole([], made=(), now=1000)


def test_the_row_that_lasts_longest_has_to_be_there_when_those_of_the_last_look_have_expired(history):
    history.read([row(1, until=5000)], now=0, at=0.0)
    history.read([row(2, until=1000)], now=0, at=0.0)
    history.read([], now=2000, at=0.0)
    assert history.watched() == [1]
    assert not history.is_whole([], made=(), now=2000)


def test_when_no_row_counts_any_more_numbers_may_begin_anew(history):
    history.read([row(1000, until=1000)], now=0, at=0.0)
    history.read([], now=1000, at=0.0)
    assert history.last == 0
    # A database that was restored from an old backup gives numbers again that it has given before.
    assert [new.number for new in history.read([row(500, mark=3)], now=1000, at=0.0)] == [500]


def test_what_was_made_here_has_to_be_read_back(history):
    history.read([row(1)], now=0, at=0.0)
    history.made(row(2).mark, LATER)
    made = history.unread(0)
    assert not history.is_whole([row(1)], made=made, now=0)
    assert history.is_whole([row(1), row(2)], made=made, now=0)
    history.read([row(1), row(2)], now=0, at=0.0)
    assert history.unread(0) == {}


def test_what_was_read_before_it_was_confirmed_is_not_awaited(history):
    history.read([row(1)], now=0, at=0.0)
    history.made(row(1).mark, LATER)
    assert history.unread(0) == {}


def test_what_was_made_here_and_has_expired_is_not_awaited(history):
    history.made(5, 1000)
    assert history.unread(999) == {5: 1000}
    assert history.unread(1000) == {}
