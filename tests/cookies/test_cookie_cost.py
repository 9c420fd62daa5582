"""What hostile Cookie headers cost (security.md I-12, I-13, T-08)."""

import time

import pytest

from fastsession.cookies import cookie_header as joined
from fastsession.cookies import cookie_pairs, find_values
from fastsession.errors import Rejected
from fastsession.sealing.chunks import Chunks
from fastsession.status import SessionStatus
from tests.reference import cookie_header

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

FIND = b"s"
CHUNKS = Chunks("s", 3)

HOSTILE = {
    "small cookies": lambda size: [b"a=;" * (size // 3)],
    "our name in other cookies": lambda size: [b"xs=;" * (size // 4)],
    "our name in one other cookie": lambda size: [b"x" + b"s=" * (size // 2)],
    "our name behind blanks": lambda size: [b"x=;" + b" " * (size - 5) + b"s="],
    "blanks everywhere": lambda size: [b" \t" * (size // 2)],
    "duplicates": lambda size: [b"s=;" * (size // 3)],
    "quotes": lambda size: [b's="' + b'"' * (size - 3)],
    "backslashes": lambda size: [b's="' + b"\\" * (size - 3)],
    "one long value": lambda size: [b"s=" + b"a" * (size - 2)],
    "no pair at all": lambda size: [b"s" * size],
    "five hundred lines": lambda size: [b"a=b" * 42] * (size // 128),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_the_work_grows_no_faster_than_the_header(make):
    small, large = ([(b"cookie", line) for line in make(size)] for size in (8_000, 64_000))
    # Eight times the bytes: linear work takes 8 times as long, quadratic work 64 times.
    assert costs_less(lambda: search(large), lambda: search(small), times=20, besides=50e-6)
    # And these two searches, for four names, no longer than to take the header apart four times.
    assert costs_less(lambda: search(large), lambda: cookie_header.values(large, b"s"), times=4, besides=1e-3)


def search(headers):
    header = joined(headers)
    find_values(header, FIND)
    CHUNKS.brought(header)


def costs_less(work, other, *, times, besides=0.0):
    """Whether some work costs less than so many times the other, in one of many comparisons.

    What else the machine does makes single measurements larger, and none smaller: what holds undisturbed holds now
    and then, and quadratic work is too far from linear work for that.
    """
    return any(cpu_seconds(work) < times * cpu_seconds(other) + besides for _ in range(30))


def cpu_seconds(work):
    """The least processor time of some work."""
    best = float("inf")
    for _ in range(9):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_cookies_is_not_searched(make):
    headers = [(b"cookie", line) for line in make(1_000_000)]
    with pytest.raises(Rejected) as rejected:
        find_values(joined(headers), FIND)
    assert rejected.value.status is SessionStatus.OVERSIZE


@pytest.mark.parametrize(("size", "found"), [(65_536, True), (65_537, False)])
def test_sixty_four_kilobytes_over_all_cookie_headers_are_searched(size, found):
    # Joined as one: with a semicolon and a blank between them.
    lines = [b"s=1", b"x" * (size - 3 - 100 - 4), b"y" * 100]
    headers = [(b"cookie", line) for line in lines] + [(b"accept", b"z" * 100_000)]
    if found:
        assert find_values(joined(headers), FIND) == ["1"]
    else:
        with pytest.raises(Rejected):
            find_values(joined(headers), FIND)


def test_of_five_hundred_cookies_of_our_name_four_are_read():
    headers = [(b"cookie", f"a{number}=b; s={number}".encode()) for number in range(500)]
    assert find_values(joined(headers), FIND) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(("others", "found"), [(511, ["2"]), (512, [])])
def test_no_more_cookies_are_taken_apart_than_a_browser_keeps(others, found):
    assert [value for name, value in cookie_pairs(b"a=1; " * others + b"s=2").items() if name == "s"] == found


def test_all_cookies_of_a_megabyte_are_not_taken_apart():
    assert cookie_pairs(b"a=" + b"x" * 1_000_000 + b"; s=2").keys() == {"a"}
    assert costs_less(lambda: cookie_pairs(b"a=;" * 333_333), lambda: cookie_pairs(b"a=;" * 21_845), times=4)


def test_work_that_grows_with_the_square_would_be_found():
    def square(size):
        return sum(1 for _ in range(size) for _ in range(size))

    assert not costs_less(lambda: square(320), lambda: square(40), times=20, besides=50e-6)
