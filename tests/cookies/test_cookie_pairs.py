"""Reading a Cookie header whole, and how much of one is searched."""

import pytest

from fastsession.cookies import MOST_HEADER_BYTES, cookie_header, cookie_pairs, find_values
from fastsession.errors import Rejected
from fastsession.status import SessionStatus


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        (b"", {}),
        (b"a=1", {"a": "1"}),
        (b"a=1; b=2;c=3", {"a": "1", "b": "2", "c": "3"}),
        (b"a=1; a=2", {"a": "1"}),
        (b" \ta\t = \t1 \t; b=2", {"a": "1", "b": "2"}),
        (b"\xa0a=1\xa0", {"\xa0a": "1\xa0"}),
        (b"\xa0=1", {"\xa0": "1"}),
        (b"a=b=c", {"a": "b=c"}),
        (b'a="1"', {"a": '"1"'}),
        (b"a; =1; \t=2; b=", {"b": ""}),
        (b"XX=XX; =; X=", {"XX": "XX", "X": ""}),
        (b"a=\xe9", {"a": "\xe9"}),
    ],
)
def test_the_pairs_of_a_header_are_names_and_raw_values(header, pairs):
    assert cookie_pairs(header) == pairs


def test_several_cookie_headers_are_one_and_no_other_header_counts():
    headers = [(b"cookie", b"a=1"), (b"cookies", b"b=2"), (b"set-cookie", b"c=3"), (b"cookie", b"d=4")]
    assert cookie_header(headers) == b"a=1; d=4"
    assert cookie_header([(b"host", b"testserver")]) == b""


def test_a_header_of_64_kilobytes_is_searched_and_a_longer_one_is_oversize():
    header = b"s=1; t=".ljust(MOST_HEADER_BYTES, b"x")
    assert find_values(header, b"s") == ["1"]
    with pytest.raises(Rejected) as rejected:
        find_values(header + b"x", b"s")
    assert (rejected.value.status, rejected.value.detail) == (SessionStatus.OVERSIZE, "too many bytes of cookies")


@pytest.mark.parametrize(
    ("header", "values"),
    [
        (b"s=1", ["1"]),
        (b"xs=1; sx=2; s.s=3; t=s; s", []),
        (b"xs=s; s=2", ["2"]),
        (b"s; s=1; s=2", ["1", "2"]),
        (b"s=1;s=2; s=3 ;\ts =\t4; s=5", ["1", "2", "3", "4"]),
        (b"s=a=b; t=s=1", ["a=b"]),
        (b"s=\xe9\xa0", ["\xe9\xa0"]),
        (b"t=1;s=X;u=2", ["X"]),
        (b";s=1", ["1"]),
        (b"XsX=1; \x0bs=2; s\x0c=3; s=\x0b4\x0c", ["\x0b4\x0c"]),
    ],
)
def test_the_values_of_a_name_are_found_in_order_and_at_most_four(header, values):
    assert find_values(header, b"s") == values


@pytest.mark.parametrize("others", [64, 512, 5_000])
def test_cookies_that_only_hold_the_name_hide_none(others):
    assert find_values(b"t=s; " * others + b"s=1", b"s") == ["1"]


@pytest.mark.parametrize(("others", "values"), [(15, ["1"]), (16, [])])
def test_no_more_than_16_cookies_whose_names_end_like_ours_are_looked_at(others, values):
    assert find_values(b"t s=2; " * others + b"s=1", b"s") == values


@pytest.mark.parametrize("count", [512, 513, 600])
def test_the_first_512_cookies_are_read(count):
    header = "; ".join(f"n{number}={number}" for number in range(count))
    assert cookie_pairs(header.encode()) == {f"n{number}": str(number) for number in range(512)}
