"""The reference jar by itself: what is sent, and in which order (RFC 6265bis, section 5.8.3)."""

import pytest

from tests.reference.cookie_header import pairs
from tests.reference.cookie_jar import CookieJar, Request

PAGE = "https://shop.example.org/a/b"


@pytest.fixture
def jar(clock):
    return CookieJar(clock)


def sent(jar, url=PAGE, **options):
    return jar.header(Request(url, **options))


@pytest.mark.parametrize(
    ("attributes", "url", "is_sent"),
    [
        (b"", "https://shop.example.org/a", True),
        (b"", "https://shop.example.org/a/", True),
        (b"", "https://shop.example.org/a/c?d=/", True),
        (b"", "https://SHOP.example.org:8443/a", True),
        (b"", "https://shop.example.org/", False),
        (b"", "https://shop.example.org/ab", False),
        (b"", "https://shop.example.org/A", False),
        (b"", "https://x.shop.example.org/a", False),
        (b"", "https://example.org/a", False),
        (b"; Domain=example.org", "https://example.org/a", True),
        (b"; Domain=example.org", "https://x.y.example.org/a", True),
        (b"; Domain=example.org", "https://notexample.org/a", False),
        (b"; Path=/", "https://shop.example.org", True),
        (b"; Path=/x/", "https://shop.example.org/x/y", True),
        (b"; Path=/x/", "https://shop.example.org/x", False),
        (b"; Secure", "https://shop.example.org/a", True),
        (b"; Secure", "wss://shop.example.org/a", True),
        (b"; Secure", "http://shop.example.org/a", False),
        (b"", "http://shop.example.org/a", True),
    ],
)
def test_a_cookie_is_sent_where_host_path_and_scheme_match(jar, attributes, url, is_sent):
    jar.receive(Request(PAGE), b"s=1" + attributes)
    assert sent(jar, url) == (b"s=1" if is_sent else None)


@pytest.mark.parametrize(
    ("same_site", "options", "is_sent"),
    [
        (b"Strict", {}, True),
        (b"Strict", {"same_site": False}, False),
        (b"Lax", {"same_site": False}, True),
        (b"Lax", {"same_site": False, "method": "POST"}, False),
        (b"Lax", {"same_site": False, "navigation": False}, False),
        (b"Lax", {"same_site": False, "script": True}, False),
        (b"Lax", {"method": "POST", "navigation": False}, True),
        (b"None", {"same_site": False, "method": "POST", "navigation": False}, True),
        (b"", {"same_site": False}, True),
        (b"", {"same_site": False, "method": "POST"}, False),
    ],
)
def test_a_cookie_goes_across_sites_as_its_same_site_says(jar, same_site, options, is_sent):
    jar.receive(Request(PAGE), b"s=1; Secure; SameSite=" + same_site)
    assert sent(jar, **options) == (b"s=1" if is_sent else None)


def test_a_script_does_not_see_what_is_http_only(jar):
    jar.receive(Request(PAGE), b"s=1; HttpOnly")
    jar.receive(Request(PAGE), b"t=2")
    assert sent(jar, script=True) == b"t=2"
    assert sent(jar) == b"s=1; t=2"


def test_a_partitioned_cookie_is_sent_under_its_own_top_level_site_only(jar):
    jar.receive(Request(PAGE, partition="one"), b"s=1; Secure; Partitioned")
    jar.receive(Request(PAGE, partition="two"), b"s=2; Secure; Partitioned")
    jar.receive(Request(PAGE, partition="two"), b"t=3")
    assert [sent(jar, partition=site) for site in ("one", "two", "three")] == [b"s=1; t=3", b"s=2; t=3", b"t=3"]


def test_longer_paths_come_first_and_then_older_cookies(jar, clock):
    for line in (b"c=1; Path=/", b"b=1; Path=/a", b"a=1; Path=/a/b", b"d=1; Path=/", b"c=2; Path=/"):
        jar.receive(Request(PAGE), line)
        clock.advance(1)
    assert sent(jar) == b"a=1; b=1; c=2; d=1"


@pytest.mark.parametrize(("line", "header"), [(b"s=", b"s="), (b"=1", b"1"), (b"1", b"1"), (b"s=a=b", b"s=a=b")])
def test_what_is_sent_is_read_by_the_reference_parser_again(jar, line, header):
    jar.receive(Request(PAGE), line)
    assert sent(jar) == header
    [cookie] = jar.cookies()
    assert pairs([(b"cookie", sent(jar))]) == ([(cookie.name, cookie.value)])


def test_a_nameless_cookie_can_look_like_another_on_its_way_back(jar):
    """Why a server cannot tell who set a cookie, and prefixes are refused in nameless values too."""
    jar.receive(Request(PAGE), b"=s=1")
    assert sent(jar) == b"s=1"
    assert jar.receive(Request(PAGE), b"=__Host-s=1; Secure; Path=/") is None
