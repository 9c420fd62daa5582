"""What somebody is told who gives an option of the cookie a value that browsers or proxies would not take."""

import pytest

from fastsession import ConfigurationError
from fastsession.cookies import CookieWriter, check_name, cookie_name
from fastsession.sealing.chunks import Chunks

HOST = {"path": "/", "domain": None, "https_only": True}
BOOLEANS = "https_only and partitioned take True or False: any text is true, 'no' too."
NEEDS_HTTPS = "same_site='none' and partitioned=True need https_only=True: browsers drop such cookies."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"same_site": "Lax"}, "same_site must be 'lax', 'strict' or 'none'."),
        ({"same_site": "none", "https_only": False}, NEEDS_HTTPS),
        ({"partitioned": True, "https_only": False}, NEEDS_HTTPS),
        ({"https_only": "no"}, BOOLEANS),
        ({"https_only": None}, BOOLEANS),
        ({"partitioned": "yes"}, BOOLEANS),
        ({"path": "shop"}, "path must begin with a slash and hold neither semicolons nor control characters."),
        ({"domain": "a;b"}, "domain must be a host name, or None for the host that answers."),
    ],
)
def test_a_refused_attribute_is_told_with_what_it_may_be(options, message):
    with pytest.raises(ConfigurationError) as error:
        CookieWriter(**options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a b", HOST, "session_cookie must be a cookie name: letters, digits and !#$%&'*+-.^_`|~, 256 at most."),
        (
            "__Host-s",
            HOST | {"path": "/shop"},
            "The name '__Host-s' needs https_only=True, path='/' and no domain: browsers drop it otherwise.",
        ),
        (
            "__Secure-s",
            HOST | {"https_only": False},
            "The name '__Secure-s' needs https_only=True: browsers drop it otherwise.",
        ),
    ],
)
def test_a_refused_name_is_told_with_what_it_needs(name, options, message):
    with pytest.raises(ConfigurationError) as error:
        check_name(name, **options)
    assert str(error.value) == message


def test_a_name_has_256_characters_at_most():
    assert cookie_name("s" * 256, **HOST | {"https_only": False}) == "s" * 256
    with pytest.raises(ConfigurationError, match="256 at most"):
        cookie_name("s" * 257, **HOST | {"https_only": False})


def test_a_refused_number_of_cookies_is_told_with_those_that_may_be():
    with pytest.raises(ConfigurationError) as error:
        Chunks("s", 4)
    assert str(error.value) == "max_cookies must be 1, 2 or 3: proxies refuse more."


def test_two_partitioned_cookies_may_be_used_and_three_are_refused_with_the_reason():
    assert Chunks("s", 2, partitioned=True).capacity == Chunks("s", 2).capacity
    with pytest.raises(ConfigurationError) as error:
        Chunks("s", 3, partitioned=True)
    assert str(error.value) == "partitioned=True takes max_cookies=2 at most: browsers drop more than 10 KB."


def test_a_cookie_is_secure_and_its_hosts_own_unless_told_otherwise():
    assert CookieWriter().set({"s": "v"}, max_age=None) == [
        (b"set-cookie", b"s=v; path=/; HttpOnly; SameSite=Lax; Secure"),
    ]
    assert (CookieWriter().https_only, CookieWriter(https_only=False).https_only) == (True, False)


@pytest.mark.parametrize("options", [{"path": "/shop"}, {"domain": "example.org"}, {"https_only": False}])
def test_a_name_given_with_a_prefix_is_checked_against_every_option(options):
    with pytest.raises(ConfigurationError, match="__Host-s"):
        cookie_name("__Host-s", **HOST | options)
