"""The edges of what counts as a chunk."""

import pytest

from fastsession.cookies import MAX_COOKIE_SIZE, MOST_HEADER_BYTES
from fastsession.sealing.chunks import Chunks


def test_a_stale_chunk_is_found_by_chunks_of_any_number():
    for max_cookies in (1, 2, 3):
        assert Chunks("s", max_cookies).following(b"s=x; s.2=y") == ["s.2"]


@pytest.mark.parametrize(("size", "found"), [(MOST_HEADER_BYTES, []), (MOST_HEADER_BYTES + 1, ["s.1"])])
def test_in_a_header_too_long_to_be_searched_what_looks_like_a_chunk_counts_as_one(size, found):
    header = b"t=s.1".ljust(size, b"x")
    assert Chunks("s", 3).following(header) == found


def test_a_chunk_may_be_as_long_as_a_cookie():
    piece = "x" * (MAX_COOKIE_SIZE - len("2.setsetse."))
    assert Chunks("s", 2).join(f"2.setsetse.{piece}", b"s.1=2.setsetse.y") == f"{piece}y"


def test_a_full_stop_in_a_piece_is_left_to_the_opener_to_reject():
    assert Chunks("s", 2).join("2.setsetse.a.b", b"s.1=2.setsetse.c") == "a.bc"
