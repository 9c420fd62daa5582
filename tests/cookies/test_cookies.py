"""Names and prefixes, and the attributes of setting and deleting."""

import itertools
from datetime import UTC, datetime

import pytest

from fastsession import ConfigurationError
from fastsession.cookies import CookieWriter, check_name, cookie_name
from fastsession.formats import StarletteSession
from fastsession.formats.migration import Migration

PLAIN = {"path": "/", "domain": None, "https_only": False}
HOST = {"path": "/", "domain": None, "https_only": True}
DOMAIN = {"path": "/", "domain": "example.org", "https_only": True}
FOLDER = {"path": "/shop", "domain": None, "https_only": True}


@pytest.mark.parametrize(
    ("given", "options", "name"),
    [
        ("s", HOST, "__Host-s"),
        ("s", DOMAIN, "__Secure-s"),
        ("s", FOLDER, "__Secure-s"),
        ("s", PLAIN, "s"),
        ("__Host-s", HOST, "__Host-s"),
        ("__Secure-s", HOST, "__Secure-s"),
        ("__Secure-s", DOMAIN, "__Secure-s"),
        ("__Secure-s", FOLDER, "__Secure-s"),
        ("__Http-s", HOST, "__Http-s"),
        ("__Http-s", DOMAIN, "__Http-s"),
        ("__Host-Http-s", HOST, "__Host-Http-s"),
        ("__host-s", HOST, "__host-s"),
        ("_Host-s", PLAIN, "_Host-s"),
        ("__Hosts", HOST, "__Host-__Hosts"),
        ("!#$%&'*+-.^_`|~09AZaz", PLAIN, "!#$%&'*+-.^_`|~09AZaz"),
    ],
)
def test_a_name_gets_the_strongest_prefix_that_the_options_allow(given, options, name):
    assert cookie_name(given, **options) == name


@pytest.mark.parametrize("name", ["__Host-s", "__HOST-s", "__host-s", "__Host-Http-s"])
@pytest.mark.parametrize("options", [PLAIN, DOMAIN, FOLDER, PLAIN | {"domain": "example.org"}])
def test_a_host_prefix_needs_https_the_root_path_and_no_domain(name, options):
    with pytest.raises(ConfigurationError, match=r"https_only=True, path='/' and no domain"):
        check_name(name, **options)


@pytest.mark.parametrize("name", ["__Secure-s", "__SECURE-s", "__secure-s", "__Http-s", "__http-s"])
def test_a_secure_prefix_needs_https(name):
    with pytest.raises(ConfigurationError, match="https_only=True"):
        check_name(name, **PLAIN)


@pytest.mark.parametrize("character", [chr(code) for code in range(33)] + list('"(),/:;<=>?@[\\]{}\x7f\x80é€'))
def test_a_name_holds_token_characters_only(character):
    for name in (character, f"s{character}", f"{character}s"):
        with pytest.raises(ConfigurationError, match="cookie name"):
            cookie_name(name, **PLAIN)


def test_an_empty_name_is_refused():
    with pytest.raises(ConfigurationError, match="cookie name"):
        cookie_name("", **PLAIN)


OPTIONS = [
    dict(zip(("path", "domain", "same_site", "https_only", "partitioned"), values, strict=True))
    for values in itertools.product(
        ("/", "/shop"), (None, "example.org"), ("lax", "strict", "none"), (True, False), (True, False)
    )
]


def allowed(options):
    return options["https_only"] or (options["same_site"] != "none" and not options["partitioned"])


@pytest.mark.parametrize("options", [options for options in OPTIONS if not allowed(options)])
def test_options_that_make_browsers_drop_the_cookie_are_refused(options):
    with pytest.raises(ConfigurationError, match="https_only=True"):
        CookieWriter(**options)


@pytest.mark.parametrize("options", [options for options in OPTIONS if allowed(options)])
def test_clearing_has_the_attributes_of_setting(options):
    writer = CookieWriter(**options)
    written = writer.set({"s": "a", "s.1": "b", "s.2": "c"}, max_age=60)
    cleared = writer.delete(["s", "s.1", "s.2"])
    assert [taken_apart(header) for header in cleared] == [
        (name, "", attributes - {"Max-Age=60"} | {"Max-Age=0"}) for name, _, attributes in map(taken_apart, written)
    ]


@pytest.mark.parametrize("options", [options for options in OPTIONS if allowed(options)])
def test_every_option_is_written_as_its_attribute(options):
    [header] = CookieWriter(**options).set({"s": "v"}, max_age=None)
    expected = {f"path={options['path']}", "HttpOnly", f"SameSite={options['same_site'].capitalize()}"}
    expected |= {f"domain={options['domain']}"} if options["domain"] else set()
    expected |= {"Secure"} if options["https_only"] else set()
    expected |= {"Partitioned"} if options["partitioned"] else set()
    assert taken_apart(header) == ("s", "v", expected)


def taken_apart(header):
    field, value = header
    assert field == b"set-cookie"
    pair, *attributes = value.decode().split("; ")
    assert len(attributes) == len(set(attributes))
    name, _, value = pair.partition("=")
    return name, value, set(attributes)


@pytest.mark.parametrize("same_site", ["Lax", "", None, "lax; Secure"])
def test_an_unknown_same_site_is_refused(same_site):
    with pytest.raises(ConfigurationError, match="same_site must be"):
        CookieWriter(same_site=same_site)


@pytest.mark.parametrize("path", ["", "shop", "/;Secure", "/\r\nx", "/\0", "/é"])
def test_a_path_that_would_write_other_attributes_is_refused(path):
    with pytest.raises(ConfigurationError, match="path must"):
        CookieWriter(path=path)


@pytest.mark.parametrize("domain", ["", "a;b", "a\nb", "bücher.example"])
def test_a_domain_that_would_write_other_attributes_is_refused(domain):
    with pytest.raises(ConfigurationError, match="domain must"):
        CookieWriter(domain=domain)


@pytest.mark.parametrize(
    ("max_age", "attributes"), [(None, set()), (0, {"Max-Age=0"}), (34_560_000, {"Max-Age=34560000"})]
)
def test_only_a_cookie_with_an_age_outlives_the_browser(max_age, attributes):
    [header] = CookieWriter().set({"s": "v"}, max_age=max_age)
    assert {part for part in taken_apart(header)[2] if part.startswith(("Max-Age", "Expires"))} == attributes


UNSENT = "path must be written as browsers send it"


@pytest.mark.parametrize(
    "path",
    [
        *("/my projects", "/shop?x=1", "/a#b", '/a"b', "/a<b", "/a>b", "/a`b", "/a{b}", "/a|b", "/a^b", "/a\\b"),
        *("/..", "/.", "/a/../b", "/a/./b", "/a/%2e%2E/b", "/a/.%2e", "/" + "a" * 1024, " /a", "/a "),
    ],
)
@pytest.mark.parametrize("place", [lambda path: CookieWriter(path=path), lambda path: migration(path=path)])
def test_a_path_that_no_request_begins_with_is_refused(path, place):
    with pytest.raises(ConfigurationError, match="path must"):
        place(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/shop", "/shop/", "/my%20projects", "/a//b", "/a...b", "/.well-known", "/%2ea", "/~a/b+c,d='(e)'!@$&*[f]:g"],
)
def test_a_path_as_browsers_send_it_is_taken(path):
    [(_, cookie)] = CookieWriter(path=path).set({"s": "v"}, max_age=None)
    assert f"; path={path};" in cookie.decode()
    assert migration(path=path).path == path


def test_a_path_with_a_space_is_told_with_what_to_write():
    with pytest.raises(ConfigurationError, match=UNSENT + r".*'/my%20projects'"):
        CookieWriter(path="/my projects")


@pytest.mark.parametrize(
    "domain",
    [
        *(
            "example.com:443",
            "https://example.com",
            "//example.com",
            "example.com/",
            "*.example.com",
            "*",
            " example.com",
        ),
        *("exam ple.com", "example.com ", "example.com.", "..example.com", "a..b", ".", "-a.com", "a-.com", "[::1]"),
        *(
            "::1",
            "user@example.com",
            "a" * 64 + ".com",
            ".".join(["a" * 50] * 6),
            "example.com\n",
            "a,b",
            "müller.example",
        ),
    ],
)
@pytest.mark.parametrize("place", [lambda domain: CookieWriter(domain=domain), lambda domain: migration(domain=domain)])
def test_a_domain_that_is_no_host_name_is_refused(domain, place):
    with pytest.raises(ConfigurationError, match="domain must be a host name"):
        place(domain)


@pytest.mark.parametrize(
    "domain", ["example.com", ".example.com", "Example.COM", "localhost", "my_app.example.com", "xn--mller-kva.example"]
)
def test_a_host_name_is_taken(domain):
    [(_, cookie)] = CookieWriter(domain=domain).set({"s": "v"}, max_age=None)
    assert f"; domain={domain};" in cookie.decode()
    assert migration(domain=domain).domain == domain


@pytest.mark.parametrize(
    ("domain", "advice"), [("example.com:443", "no scheme, port, path, star"), ("müller.example", "punycode")]
)
def test_a_refused_domain_is_told_with_what_to_write(domain, advice):
    with pytest.raises(ConfigurationError, match=advice):
        CookieWriter(domain=domain)


@pytest.mark.parametrize("place", [{"path": 1}, {"path": b"/"}, {"path": None}, {"domain": 1}, {"domain": b"a.com"}])
def test_a_path_or_domain_of_another_type_is_refused(place):
    with pytest.raises(ConfigurationError, match=r"path must|domain must"):
        CookieWriter(**place)


@pytest.mark.parametrize("name", ["__Host-session", "__host-session", "__HOST-Http-session"])
@pytest.mark.parametrize("place", [{"path": "/app"}, {"domain": "example.com"}])
def test_a_cookie_to_migrate_from_is_where_its_prefix_allows(name, place):
    with pytest.raises(ConfigurationError, match="path='/' and no domain"):
        migration(cookie_name=name, **place)


def migration(*, cookie_name="session", **place):
    reader = StarletteSession(secret_key="eleven blue lanterns hang over the 7th pier", cookie_name=cookie_name)
    return Migration(reader, accept_until=datetime(2030, 1, 1, tzinfo=UTC), **place)
