"""The reference parser of Set-Cookie by itself: cases from the rules of RFC 6265bis, sections 5.1.1 and 5.6."""

from datetime import UTC, datetime

import pytest

from tests.reference.cookie_date import seconds_of
from tests.reference.set_cookie import EARLIEST, MOST_SECONDS, parse
from tests.shop import START

NOW = START


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (b"s=1", b"s", b"1"),
        (b" \ts \t=\t 1 \t; Path=/", b"s", b"1"),
        (b"s=", b"s", b""),
        (b"=1", b"", b"1"),
        (b"1", b"", b"1"),
        (b"", b"", b""),
        (b";s=1", b"", b""),
        (b"s=a=b", b"s", b"a=b"),
        (b's="1"', b"s", b'"1"'),
        (b"s=%31", b"s", b"%31"),
        (b"s=a\tb", b"s", b"a\tb"),
        (b"s=\xe9", b"s", b"\xe9"),
        (b"s\xa0=1", b"s\xa0", b"1"),
        (b"s=a, t=b", b"s", b"a, t=b"),
    ],
)
def test_name_and_value_are_what_is_before_the_first_semicolon(line, name, value):
    received = parse(line, now=NOW)
    assert (received.name, received.value) == (name, value)


@pytest.mark.parametrize("byte", [*range(9), *range(0x0A, 0x20), 0x7F])
@pytest.mark.parametrize("line", [b"s%c=1", b"s=1%c", b"s=1; Path=/%c"])
def test_a_control_character_anywhere_makes_the_line_nothing(byte, line):
    assert parse(line % byte, now=NOW) is None


@pytest.mark.parametrize(("size", "kept"), [(4095, True), (4096, True), (4097, False)])
@pytest.mark.parametrize("name", [b"s", b"s" * 1000, b""])
def test_name_and_value_have_4096_bytes_together_at_most(size, kept, name):
    line = name + b"=" + b"v" * (size - len(name)) + b"; Path=/" + b"p" * 900
    assert (parse(line, now=NOW) is not None) is kept


@pytest.mark.parametrize(("size", "kept"), [(1023, True), (1024, True), (1025, False)])
def test_an_attribute_whose_value_is_longer_than_1024_bytes_is_not_there(size, kept):
    path = b"/" + b"p" * (size - 1)
    assert parse(b"s=1; Path=/shop; Path=" + path, now=NOW).attributes["path"] == (path if kept else b"/shop")


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        (b"Secure", {"secure": True}),
        (b"seCURE=no", {"secure": True}),
        (b"HTTPOnly; partitioned", {"httponly": True, "partitioned": True}),
        (b"Path=/a; path=/b", {"path": b"/b"}),
        (b"Path=a", {"path": b""}),
        (b"Path", {"path": b""}),
        (b"Domain=.Example.ORG", {"domain": b"example.org"}),
        (b"Domain=", {"domain": b""}),
        (b"SameSite=lAX", {"samesite": "Lax"}),
        (b"SameSite=Strict; SameSite=whatever", {"samesite": "Default"}),
        (b"SameSite", {"samesite": "Default"}),
        (b"Max-Age=60", {"max-age": NOW + 60}),
        (b"Max-Age=0", {"max-age": EARLIEST}),
        (b"Max-Age=-1", {"max-age": EARLIEST}),
        (b"Max-Age=" + b"0" * 500 + b"7", {"max-age": NOW + 7}),
        (b"Max-Age=" + b"9" * 1000, {"max-age": NOW + MOST_SECONDS}),
        (b"Max-Age=5; Max-Age=x", {"max-age": NOW + 5}),
        (b"Max-Age", {}),
        (b"Max-Age=-", {}),
        (b"Max-Age=+1", {}),
        (b"Max-Age=1.5", {}),
        (b"Max-Age=1 2", {}),
        (b"Expires=Thu, 01 Jan 1970 00:00:00 GMT", {"expires": 0.0}),
        (b"Expires=Fri, 31 Dec 9999 23:59:59 GMT", {"expires": NOW + MOST_SECONDS}),
        (b"Expires=tomorrow", {}),
        (b" ;; = ; Priority=High; Secure ", {"secure": True}),
    ],
)
def test_attributes_are_read_as_section_5_6_says(text, attributes):
    assert parse(b"s=1; " + text, now=NOW).attributes == attributes


@pytest.mark.parametrize(
    "text",
    [
        b"Wed, 09 Jun 2021 10:18:14 GMT",
        b"Wednesday, 09-Jun-21 10:18:14 GMT",
        b"Wed Jun  9 10:18:14 2021",
        b"2021 jUNE 9 10:18:14",
        b"10:18:14 9 Jun 2021",
        b"9th June 2021 10:18:14.5 +0900",
        b"\t09/Jun/2021/10:18:14",
    ],
)
def test_a_date_is_read_whatever_its_order_and_delimiters(text):
    assert seconds_of(text) == datetime(2021, 6, 9, 10, 18, 14, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "year"),
    [
        (b"1 Jan 70 0:0:0", 1970),
        (b"1 Jan 99 0:0:0", 1999),
        (b"1 Jan 00 0:0:0", 2000),
        (b"1 Jan 69 0:0:0", 2069),
        (b"1 Jan 1601 0:0:0", 1601),
    ],
)
def test_a_year_of_two_digits_is_between_1970_and_2069(text, year):
    assert seconds_of(text) == datetime(year, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"Jun 2021 10:18:14", b"9 2021 10:18:14", b"9 Jun 10:18:14", b"9 Jun 2021"),
        *(b"0 Jun 2021 10:18:14", b"31 Jun 2021 10:18:14", b"32 Jan 2021 10:18:14", b"9 Jun 1600 10:18:14"),
        *(b"9 Jun 2021 24:00:00", b"9 Jun 2021 10:60:14", b"9 Jun 2021 10:18:60", b"9 Jun 2021 10:18:140"),
        *(b"9 Jun 20210 10:18:14", b"009 Jun 2021 10:18:14", b"9 Ju 2021 10:18:14", b"9 Jun 2021 10:18"),
    ],
)
def test_what_lacks_a_part_or_names_no_moment_is_no_date(text):
    assert seconds_of(text) is None
