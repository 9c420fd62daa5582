"""One token over several cookies: what fits, and every way in which a set can be incomplete."""

import itertools

import pytest

from fastsession import ConfigurationError
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import Rejected
from fastsession.sealing.chunks import Chunks
from fastsession.status import SessionStatus

NAME = "__Host-app_session"
CHUNKS = Chunks(NAME, 3)
CAPACITIES = {count: Chunks(NAME, count).capacity for count in (1, 2, 3)}
NAMES = (NAME, f"{NAME}.1", f"{NAME}.2")


def token(size, seed=0):
    """So many characters, unlike those of another seed at every place."""
    return "".join(chr(ord("A") + (place + seed) % 26) for place in range(size))


def sent(values):
    """The request's Cookie header for pairs of names and values."""
    return "; ".join(f"{name}={value}" for name, value in values).encode()


def join(values):
    [first, *_] = [value for name, value in values if name == NAME]
    return CHUNKS.join(first, sent(values))


def rejection(values):
    with pytest.raises(Rejected) as rejected:
        join(values)
    return rejected.value.status


@pytest.mark.parametrize(
    ("bytes_of_cookie", "cookies"),
    [(3799, 1), (3800, 1), (3801, 2)],
)
def test_a_cookie_takes_3800_bytes_of_name_and_value(bytes_of_cookie, cookies):
    values = CHUNKS.split(token(bytes_of_cookie - len(NAME)))
    assert len(values) == cookies
    assert MAX_COOKIE_SIZE == 3800


@pytest.mark.parametrize("max_cookies", [1, 2, 3])
def test_the_capacity_is_what_the_cookies_carry_and_no_more(max_cookies):
    chunks = Chunks(NAME, max_cookies)
    values = chunks.split(token(chunks.capacity))
    assert len(values) == max_cookies
    assert max(len(name) + len(value) for name, value in values.items()) == MAX_COOKIE_SIZE


@pytest.mark.parametrize(
    "size", [*range(3775, 3812), *range(7500, 7560), CAPACITIES[2], CAPACITIES[2] + 1, CAPACITIES[3]]
)
def test_every_size_is_split_into_cookies_that_fit_and_joined_again(size):
    values = CHUNKS.split(token(size))
    assert tuple(values) == NAMES[: len(values)]
    assert all(len(name) + len(value) <= MAX_COOKIE_SIZE for name, value in values.items())
    if len(values) == 1:
        assert values[NAME] == token(size)
    else:
        assert join(values.items()) == token(size)


@pytest.mark.parametrize("max_cookies", [0, 4, -1, 1.5, None, "2", 10**9])
def test_one_to_three_cookies_may_be_used(max_cookies):
    with pytest.raises(ConfigurationError, match="max_cookies must be"):
        Chunks(NAME, max_cookies)


SETS = {2: list(CHUNKS.split(token(5000)).items()), 3: list(CHUNKS.split(token(9000)).items())}
OTHER_SETS = {2: list(CHUNKS.split(token(5000, seed=7)).items()), 3: list(CHUNKS.split(token(9000, seed=7)).items())}
SIZES = {2: 5000, 3: 9000}
BOTH = pytest.mark.parametrize("count", [2, 3])


@BOTH
def test_the_order_of_the_cookies_does_not_matter(count):
    assert {join(order) for order in itertools.permutations(SETS[count])} == {token(SIZES[count])}


@BOTH
def test_a_missing_chunk_is_incomplete(count):
    for missing in range(1, count):
        assert rejection(SETS[count][:missing] + SETS[count][missing + 1 :]) is SessionStatus.INCOMPLETE


@pytest.mark.parametrize(
    ("names", "brought"),
    [
        ([], []),
        (NAMES, [*NAMES]),
        (NAMES[::-1], [*NAMES]),
        (NAMES[1:], [*NAMES[1:]]),
        ([NAMES[0], NAMES[2]], [NAMES[0], NAMES[2]]),
        (NAMES * 50, [*NAMES]),
        ([f"{NAME}.{number}" for number in range(3, 200)], []),
        ([f"{NAME}.01", f"{NAME}.", f"x{NAME}.1", f"{NAME}.1x", NAME.lower()], []),
    ],
)
def test_what_may_be_deleted_are_names_of_ours_that_the_request_brought(names, brought):
    header = sent([(name, "x") for name in names])
    assert CHUNKS.following(header) == [name for name in brought if name != NAME]
    # The first goes with every session that is deleted: its name cannot be missing without a cookie of ours.
    assert set(brought) <= set(CHUNKS.brought(header)) <= {NAME, *brought}


def test_without_our_name_in_a_cookie_header_nothing_is_deleted():
    assert CHUNKS.brought(sent([("another", "x")])) == []


@BOTH
def test_chunks_of_two_sets_are_incomplete(count):
    for mixed in range(1, count):
        values = [*SETS[count][:mixed], OTHER_SETS[count][mixed], *SETS[count][mixed + 1 :]]
        assert rejection(values) is SessionStatus.INCOMPLETE


@BOTH
def test_swapped_chunks_never_make_the_token(count):
    values = [value for _, value in SETS[count]]
    for order in itertools.permutations(values):
        if list(order) != values:
            assert join(list(zip(NAMES, order, strict=False))) != token(SIZES[count])


def test_chunks_that_disagree_on_their_number_are_incomplete():
    values = [SETS[2][0], (NAMES[1], "3" + SETS[2][1][1][1:])]
    assert rejection(values) is SessionStatus.INCOMPLETE


def test_a_chunk_left_over_from_a_larger_session_is_ignored():
    assert join([*SETS[2], OTHER_SETS[3][2]]) == token(SIZES[2])


LEFT_OVER = ["x", "", "2", "2.", "a.b.c.d", "9.AAAAAAAA.x", OTHER_SETS[2][1][1]]


@pytest.mark.parametrize("value", LEFT_OVER)
@pytest.mark.parametrize("place", [1, 2])
def test_another_cookie_of_a_chunks_name_does_not_hide_the_chunk(value, place):
    duplicated = SETS[2].copy()
    duplicated.insert(place, (NAMES[1], value))
    assert join(duplicated) == token(SIZES[2])


@BOTH
def test_duplicated_chunks_make_one_token(count):
    assert join(SETS[count] * 2) == token(SIZES[count])


def test_a_hundred_cookies_of_a_chunks_name_do_not_hide_the_chunk():
    others = [(NAMES[1], "x")] * 50 + [OTHER_SETS[2][1]] * 50
    assert join([*SETS[2], *others]) == join([*others, *SETS[2]]) == token(SIZES[2])


def test_no_more_than_six_places_with_the_mark_of_a_set_are_looked_at():
    mark = SETS[2][0][1][:11]
    others = [("another", f"x{mark}")] * 4
    assert join([*others, *SETS[2]]) == token(SIZES[2])
    assert rejection([*others, ("another", mark), *SETS[2]]) is SessionStatus.INCOMPLETE


@pytest.mark.parametrize("count", ["0", "1", "4", "9", "10", "99999999999", "-2", "02", "2x", "", " 2", "²"])
def test_the_number_of_chunks_is_never_the_clients_choice(count):
    values = [(NAME, f"{count}.AAAAAAAA.x"), *[(f"{NAME}.{number}", f"{count}.AAAAAAAA.x") for number in range(1, 120)]]
    assert rejection(values) is SessionStatus.MALFORMED


@pytest.mark.parametrize("value", [".", "..", "2.", "2.AAAAAAAA", "2.AAAAAAAA.", "2.AAAAAAA.x", "2.AAAAAAAAA.x"])
def test_a_value_that_is_no_chunk_is_malformed(value):
    assert rejection([(NAME, value), (NAMES[1], value)]) is SessionStatus.MALFORMED


def test_a_chunk_that_no_browser_would_store_is_malformed():
    value = "2.AAAAAAAA." + "x" * (MAX_COOKIE_SIZE - 10)
    assert rejection([(NAME, value), (NAMES[1], "2.AAAAAAAA.x")]) is SessionStatus.MALFORMED
