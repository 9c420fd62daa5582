"""What browsers send for cookies that follow the RFC's grammar is read alike by everybody (security.md T-07).

Outside the grammar the readers differ; test_cookie_reference.py lists where.
"""

from http.cookies import SimpleCookie

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import cookie_parser

from fastsession.cookies import cookie_header, cookie_pairs, find_values
from tests.reference.cookie_header import pairs
from tests.reference.cookie_jar import CookieJar, Request
from tests.shop import START

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

PAGE = Request("https://shop.example.org/")
# RFC 6265bis, section 4.1.1: a token, and cookie-octets. Quotes and backslashes are none.
TOKEN = "!#$%&'*+-.^_`|~09AZaz"
OCTETS = "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~"
# What http.cookies takes for an attribute, whatever stands before it.
RESERVED = {"expires", "path", "comment", "domain", "max-age", "secure", "httponly", "version", "samesite"}
NAMES = st.text(TOKEN, min_size=1, max_size=8).filter(lambda name: name not in RESERVED and not name.startswith("$"))
COOKIES = st.dictionaries(NAMES, st.text(OCTETS, max_size=12), min_size=1, max_size=6)


def sent(cookies):
    """The Cookie header of a browser that has been given these cookies."""
    jar = CookieJar(lambda: START)
    for name, value in cookies.items():
        assert jar.receive(PAGE, f"{name}={value}; Path=/; Secure".encode())
    return jar.header(PAGE)


@given(COOKIES)
@settings(max_examples=1_000, deadline=None)
def test_every_reader_finds_what_was_set(cookies):
    header = sent(cookies)
    assert pairs([(b"cookie", header)]) == [(name.encode(), value.encode()) for name, value in cookies.items()]
    assert cookie_pairs(header) == cookies
    assert {name: find_values(header, name.encode()) for name in cookies} == {
        name: [value] for name, value in cookies.items()
    }
    assert cookie_parser(header.decode()) == cookies
    assert {name: morsel.value for name, morsel in SimpleCookie(header.decode()).items()} == cookies


@given(st.lists(st.binary(max_size=20), max_size=4))
@settings(max_examples=1_000, deadline=None)
def test_all_cookies_of_any_headers_are_those_of_the_reference_the_first_of_a_name_and_none_without_one(lines):
    headers = [(b"cookie", line) for line in lines]
    expected = {}
    for name, value in pairs(headers):
        if name:
            expected.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    assert cookie_pairs(cookie_header(headers)) == expected


QUIRKS = '"' + "".join(chr(code) for code in range(256) if chr(code).isspace() and chr(code) not in " \t")


@given(st.binary(max_size=24).map(lambda header: header.decode("latin-1")))
@settings(max_examples=2_000, deadline=None)
def test_starlette_differs_for_quotes_and_foreign_white_space_only_and_takes_the_last_of_a_name(header):
    found = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in pairs([(b"cookie", header.encode("latin-1"))])
    ]
    found = [(name, value) for name, value in found if name or value]
    alike = cookie_parser(header) == dict(found)
    assert alike or any(quirk in header for quirk in QUIRKS)
