"""A cookie's characters belong to the fields of docs/token-format.md."""

import pytest

from fastsession.inspector.anatomy import ClearHeader, Part, clear_header, cut_up, held_cookies
from fastsession.inspector.markup import element, joined
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import encode
from tests.shop import COOKIE

# Version, key id, renewed_at, nonce, two blocks of ciphertext, tag: each byte tells its field.
FIELDS = {"version": 1, "key-id": 3, "renewed-at": 5, "nonce": 24, "ciphertext": 128, "tag": 16}
TOKEN = encode(b"".join(bytes([number]) * size for number, size in enumerate(FIELDS.values(), start=1)))


def lengths(parts):
    return {part.field: len(part.text) for part in parts}


def test_every_character_counts_to_the_field_of_its_first_bit():
    [parts] = cut_up([TOKEN])
    assert "".join(part.text for part in parts) == TOKEN
    owner = [name for name, size in FIELDS.items() for _ in range(size)]
    assert [part.field for part in parts for _ in part.text] == [owner[at * 6 // 8] for at in range(len(TOKEN))]


def test_fields_go_on_from_chunk_to_chunk():
    long = encode(bytes(9 + 24 + 64 * 60 + 16))
    values = list(Chunks(COOKIE, 2).split(long).values())
    first, second = cut_up(values)
    assert ["".join(part.text for part in parts) for parts in (first, second)] == values
    assert lengths(first).keys() == {"chunk", *FIELDS.keys() - {"tag"}}
    assert lengths(second).keys() == {"chunk", "ciphertext", "tag"}
    [whole] = cut_up([long])
    assert lengths(first)["ciphertext"] + lengths(second)["ciphertext"] == lengths(whole)["ciphertext"]


@pytest.mark.parametrize("value", ["", "nonsense", "a b", TOKEN[:150], f'"{TOKEN}"', f"9.abcdefgh.{TOKEN}"])
def test_what_is_no_token_is_shown_as_it_is(value):
    assert cut_up([value]) == [(Part("opaque", value),)]


def test_the_clear_bytes_are_read_as_anybody_can():
    held = held_cookies([COOKIE], f"{COOKIE}={TOKEN}".encode(), own_format=True)
    assert clear_header(held) == ClearHeader(1, "020202", 0x0303030303)


def test_there_are_no_clear_bytes_in_anything_else():
    assert clear_header(()) is None
    assert clear_header(held_cookies([COOKIE], f"{COOKIE}=nonsense".encode(), own_format=True)) is None


def test_another_systems_cookie_is_not_cut_up():
    [cookie] = held_cookies(["iron"], f"iron={TOKEN}".encode(), own_format=False)
    assert cookie.parts == (Part("opaque", TOKEN),)


def test_cookies_of_one_name_are_all_shown():
    held = held_cookies([COOKIE], f"{COOKIE}={TOKEN}; {COOKIE}={TOKEN}".encode(), own_format=True)
    assert [cookie.value for cookie in held] == [TOKEN, TOKEN]


def test_a_cookies_size_is_that_of_name_and_value():
    [cookie] = held_cookies(["a"], b"a=bcd", own_format=True)
    assert cookie.size == 4


def test_text_is_escaped_in_elements_and_attributes():
    made = element("p", "a < b", element("b", '"'), title='"><script>', data_at=1, hidden=None)
    assert made == '<p title="&quot;&gt;&lt;script&gt;" data-at="1">a &lt; b<b>&quot;</b></p>'
    assert joined(["<i>", element("i", "&")]) == "&lt;i&gt;<i>&amp;</i>"
