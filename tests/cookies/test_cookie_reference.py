"""The Cookie header against RFC 6265bis, and what other parsers make of it (security.md I-14 to I-17, T-07)."""

from http.cookies import CookieError, SimpleCookie

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import cookie_parser

from fastsession.cookies import cookie_header as joined
from fastsession.cookies import find_values
from tests.reference import cookie_header

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

AGREED = [
    *("", ";", "s", "s=", "s=1", "s=1;", " s=1", "\ts=1", "s= 1", "s=1 ", "s=\t1", "s =1", "s\t=1"),
    *("s=1; t=2", "t=2; s=1", "t=2;s=1", "t=2 ; s=1", "s=1;;t=2", "s==1", "s=a=b", "s=1,s=2", "s=%31", "s='1'"),
    *("S=1", "xs=1", "sx=1", "s.x=1", "$s=1", "$Version=1; s=1", "t=(1); s=1", "s=1; path=/"),
]
# Headers that Starlette reads otherwise, and the value it finds: it unquotes, strips what Unicode calls
# white space, and keeps one cookie of a name.
STARLETTE_DIFFERS = {
    's="1"': "1",
    's="a b"': "a b",
    's="\\061"': "1",
    's="a\\"b"': 'a"b',
    '$Version="1"; s="1"; $Path="/"': "1",
    "s=1; s=2": "2",
    "\xa0s=1": "1",
    "\x85s=1": "1",
    "\x0bs=1": "1",
    "\x0cs=1": "1",
    "\x1cs=1": "1",
    "s\xa0=1": "1",
    "s=1\xa0": "1",
    "s=\xa01": "1",
    "s=\x851": "1",
}
# The same for the standard library, which stops at the first pair that it does not like; None where it finds nothing.
HTTP_COOKIES_DIFFERS = {
    "=s=1": CookieError,
    "=__Host-x=bad; s=1": CookieError,
    "t@=1; s=1": CookieError,
    's="1"': "1",
    's="a b"': "a b",
    's="\\061"': "1",
    's="a\\"b"': 'a"b',
    's="a;b"': "a;b",
    's="a; t=2': None,
    't="; s=1': None,
    't="a;s=1"': None,
    '$Version="1"; s="1"; $Path="/"': "1",
    "s=1; s=2": "2",
    "s=1, t=2": "1,",
    "\x0bs=1": "1",
    "\x0cs=1": "1",
    "s=1\xa0": None,
    "s=\xa01": None,
    "s=\x851": None,
    ";s=1": None,
    ";;;s=1;": None,
    "s=a b": None,
    "s=a\0b": None,
    "s=\x7f": None,
    "s=\xe9": None,
    "t=\xe9; s=1": None,
    "t=a b; s=1": None,
    "t; s=1": None,
    "t=\0; s=1": None,
    "t[x]=1; s=1": None,
    "expires=Wed, 09 Jun 2021; s=1": None,
    "s=1 t=2": "1",
    "s=1\r\nt=2": "1",
    "s=1\nt=2": "1",
}
HEADERS = list(dict.fromkeys([*AGREED, *STARLETTE_DIFFERS, *HTTP_COOKIES_DIFFERS]))


def ours(*lines):
    return find_values(joined([(b"cookie", line) for line in lines]), b"s")


def reference(*lines):
    values = cookie_header.values([(b"cookie", line) for line in lines], b"s")
    return [value.decode("latin-1") for value in values]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_read_as_the_rfc_says(header):
    assert ours(header.encode("latin-1")) == reference(header.encode("latin-1"))


@pytest.mark.parametrize("header", HEADERS)
def test_starlette_reads_the_header_alike_or_as_listed(header):
    found = cookie_parser(header).get("s")
    if header in STARLETTE_DIFFERS:
        assert found == STARLETTE_DIFFERS[header]
    assert differs(found, header) is (header in STARLETTE_DIFFERS)


@pytest.mark.parametrize("header", HEADERS)
def test_the_standard_library_reads_the_header_alike_or_as_listed(header):
    try:
        cookie = SimpleCookie(header).get("s")
        found = cookie.value if cookie else None
    except CookieError:
        found = CookieError
    if header in HTTP_COOKIES_DIFFERS:
        assert found == HTTP_COOKIES_DIFFERS[header]
    assert differs(found, header) is (header in HTTP_COOKIES_DIFFERS)


def differs(found, header):
    return reference(header.encode("latin-1")) != ([] if found is None else [found])


@pytest.mark.parametrize("byte", range(256))
def test_a_byte_beside_the_name_hides_the_cookie_unless_it_is_a_blank(byte):
    before, after = bytes([byte]) + b"s=1", b"s" + bytes([byte]) + b"=1"
    assert ours(before) == (["1"] if byte in b" \t;" else [])
    assert ours(after) == (["1"] if byte in b" \t" else ["=1"] if byte in b"=" else [])


@pytest.mark.parametrize("name", ["__Host-s", "__Secure-s"])
@pytest.mark.parametrize("byte", range(256))
def test_no_byte_lets_another_cookie_pass_for_a_prefixed_one(byte, name):
    """A page may set any cookie whose name does not begin with the prefix; browsers trim blanks before they look."""
    for pair in (bytes([byte]) + name.encode() + b"=bad", b"=" + bytes([byte]) + name.encode() + b"=bad"):
        if byte not in b" \t;" or (pair.startswith(b"=") and byte != ord(";")):
            assert find_values(pair, name.encode()) == []


def test_every_cookie_header_counts_and_no_other():
    headers = [(b"cookie", b"s=1"), (b"x-cookie", b"s=2"), (b"cookie", b"t=3; s=4"), (b"set-cookie", b"s=5")]
    assert find_values(joined(headers), b"s") == ["1", "4"]


PIECES = (b"s", b"s=", b"=", b";", b"; ", b" ", b"\t", b'"', b"\\", b",", b"1", b"t", b"ss", b"\xa0", b"\x0b", b"\n")
# A byte stands for a piece of a cookie, a line break, or itself: one draw makes all the headers.
ALPHABET = [PIECES[code % len(PIECES)] if code < 192 else bytes([code]) for code in range(256)]
LINES = st.binary(max_size=24).map(lambda seed: b"".join(ALPHABET[code] for code in seed).split(b"\n"))


@given(LINES)
@settings(max_examples=10_000, deadline=None)
def test_any_headers_are_read_as_the_rfc_says(lines):
    assert ours(*lines) == reference(*lines)


OTHER_COOKIE = st.binary(max_size=30).map(lambda pair: b"o" + pair.replace(b";", b""))


@given(st.lists(OTHER_COOKIE, max_size=8), st.integers(0, 8))
@settings(max_examples=1000, deadline=None)
def test_other_cookies_never_change_ours(others, place):
    cookies = [*others[:place], b"s=mine", *others[place:]]
    assert ours(b"; ".join(cookies)) == ["mine"]
