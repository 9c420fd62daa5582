"""The reference jar by itself: what is stored, replaced, deleted and evicted (RFC 6265bis, section 5.7)."""

import pytest

from tests.reference.cookie_jar import MOST_BYTES_OF_A_PARTITION, MOST_OF_A_DOMAIN, MOST_OF_ALL, CookieJar, Request
from tests.shop import DAY

PAGE = Request("https://shop.example.org/a/b")
PLAIN = Request("http://shop.example.org/a/b")
SCRIPT = Request("https://shop.example.org/a/b", script=True)


@pytest.fixture
def jar(clock):
    return CookieJar(clock, public_suffixes=(b"org", b"example"))


def stored(jar):
    return {cookie.name + b"=" + cookie.value for cookie in jar.cookies()}


@pytest.mark.parametrize(
    ("line", "host_only", "domain", "path"),
    [
        (b"s=1", True, b"shop.example.org", b"/a"),
        (b"s=1; Path=/", True, b"shop.example.org", b"/"),
        (b"s=1; Path=/x/", True, b"shop.example.org", b"/x/"),
        (b"s=1; Path=x", True, b"shop.example.org", b"/a"),
        (b"s=1; Domain=", True, b"shop.example.org", b"/a"),
        (b"s=1; Domain=example.org", False, b"example.org", b"/a"),
        (b"s=1; Domain=.shop.EXAMPLE.org", False, b"shop.example.org", b"/a"),
    ],
)
def test_a_cookie_is_of_the_request_unless_its_attributes_say_otherwise(jar, line, host_only, domain, path):
    cookie = jar.receive(PAGE, line)
    assert (cookie.host_only, cookie.domain, cookie.path) == (host_only, domain, path)


@pytest.mark.parametrize(("url", "path"), [("", b"/"), ("/", b"/"), ("/a", b"/"), ("/a/", b"/a"), ("/a/b/c", b"/a/b")])
def test_the_default_path_is_the_folder_of_the_request(jar, url, path):
    assert jar.receive(Request(f"https://example.org{url}"), b"s=1").path == path


@pytest.mark.parametrize(
    "domain", [b"other.org", b"x.shop.example.org", b"hop.example.org", b"org", b"ex\xe4mple.org", b"shop.example.org."]
)
def test_a_domain_that_is_not_the_requests_to_name_is_ignored(jar, domain):
    assert jar.receive(PAGE, b"s=1; Domain=" + domain) is None


def test_a_public_suffix_may_name_itself_only(jar):
    assert jar.receive(Request("https://example/"), b"s=1; Domain=example").host_only


def test_an_address_has_no_subdomains(jar):
    assert jar.receive(Request("https://192.0.2.7/"), b"s=1; Domain=0.2.7") is None
    assert jar.receive(Request("https://192.0.2.7/"), b"s=1; Domain=192.0.2.7")


@pytest.mark.parametrize("line", [b"", b"=", b" = ; Path=/", b"s=\0"])
def test_a_cookie_of_nothing_is_ignored(jar, line):
    assert jar.receive(PAGE, line) is None


@pytest.mark.parametrize(
    ("line", "secure_page", "plain_page"),
    [
        (b"s=1; Secure", True, False),
        (b"s=1", True, True),
        (b"s=1; SameSite=None", False, False),
        (b"s=1; SameSite=None; Secure", True, False),
        (b"s=1; Partitioned", False, False),
        (b"s=1; Partitioned; Secure", True, False),
        (b"__Secure-s=1", False, False),
        (b"__Secure-s=1; Secure", True, False),
        (b"__SECURE-s=1; Domain=example.org", False, False),
        (b"__SECURE-s=1; Domain=example.org; Secure", True, False),
        (b"__Host-s=1; Secure; Path=/", True, False),
        (b"__host-s=1; Secure; Path=/", True, False),
        (b"__Host-s=1; Path=/", False, False),
        (b"__Host-s=1; Secure", False, False),
        (b"__HOST-s=1; Secure; Path=/a", False, False),
        (b"__Host-s=1; Secure; Path=/; Domain=shop.example.org", False, False),
        (b"__Http-s=1; Secure; HttpOnly", True, False),
        (b"__Http-s=1; Secure", False, False),
        (b"__Http-s=1; HttpOnly", False, False),
        (b"__Host-Http-s=1; Secure; HttpOnly; Path=/", True, False),
        (b"__Host-Http-s=1; Secure; Path=/", False, False),
        (b"__Host-Http-s=1; Secure; HttpOnly", False, False),
        (b"=__Host-s=1; Secure; Path=/", False, False),
        (b"__secure-s; Secure; Path=/", False, False),
        (b"=__Http-s; Secure; HttpOnly; Path=/", False, False),
        (b"_Host-s=1", True, True),
    ],
)
def test_prefixes_and_attributes_demand_each_other(clock, line, secure_page, plain_page):
    assert (CookieJar(clock).receive(PAGE, line) is not None) is secure_page
    assert (CookieJar(clock).receive(PLAIN, line) is not None) is plain_page


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_this_machine_is_trusted_without_tls(jar, host):
    assert jar.receive(Request(f"http://{host}:8000/"), b"__Host-s=1; Secure; Path=/")


@pytest.mark.parametrize(
    ("existing", "line", "kept"),
    [
        (b"s=1; Secure; Path=/login", b"s=2; Path=/login", False),
        (b"s=1; Secure; Path=/login", b"s=2; Path=/login/en", False),
        (b"s=1; Secure; Path=/login", b"s=2; Path=/", True),
        (b"s=1; Secure; Path=/login", b"t=2; Path=/login", True),
        (b"s=1; Secure; Path=/; Domain=example.org", b"s=2; Path=/", False),
        (b"s=1; Secure; Path=/", b"s=2; Path=/; Domain=example.org", False),
        (b"s=1; Path=/", b"s=2; Path=/", True),
    ],
)
def test_a_plain_page_cannot_overlay_a_secure_cookie(jar, existing, line, kept):
    assert jar.receive(PAGE, existing)
    assert (jar.receive(PLAIN, line) is not None) is kept


@pytest.mark.parametrize("same_site", [b"Lax", b"Strict", b"Default"])
def test_across_sites_only_a_navigation_stores_what_is_same_site(jar, same_site):
    line = b"s=1; Secure; SameSite=" + same_site
    assert jar.receive(Request(PAGE.url, same_site=False, navigation=False), line) is None
    assert jar.receive(Request(PAGE.url, same_site=False, script=True), line) is None
    assert jar.receive(Request(PAGE.url, same_site=False, navigation=True), line)
    assert jar.receive(Request(PAGE.url, same_site=False, navigation=False), b"s=1; Secure; SameSite=None")


def test_a_script_neither_sets_nor_replaces_what_is_http_only(jar):
    assert jar.receive(SCRIPT, b"s=1; HttpOnly") is None
    jar.receive(PAGE, b"s=2; HttpOnly")
    assert jar.receive(SCRIPT, b"s=3") is None
    assert stored(jar) == {b"s=2"}


@pytest.mark.parametrize(
    ("line", "replaced"),
    [
        (b"s=2; Path=/", True),
        (b"s=2; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60", True),
        (b"s=2; Path=/a", False),
        (b"s=2; Path=/; Domain=shop.example.org", False),
        (b"s=2; Path=/; Secure; Partitioned", False),
        (b"S=2; Path=/", False),
    ],
)
def test_a_cookie_of_the_same_name_domain_path_and_partition_is_replaced(jar, clock, line, replaced):
    first = jar.receive(PAGE, b"s=1; Path=/")
    clock.advance(5)
    second = jar.receive(PAGE, line)
    assert (len(jar.cookies()) == 1) is replaced
    assert (second.created_at == first.created_at) is replaced


def test_the_4097th_byte_leaves_the_old_cookie_in_place(jar):
    jar.receive(PAGE, b"s=1")
    assert jar.receive(PAGE, b"s=" + b"v" * 4096) is None
    assert stored(jar) == {b"s=1"}


@pytest.mark.parametrize(
    ("attributes", "lasts"),
    [
        (b"Max-Age=60", 60),
        (b"Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
        (b"Expires=Fri, 31 Dec 9999 23:59:59 GMT", 400 * DAY),
        (b"Max-Age=999999999", 400 * DAY),
    ],
)
def test_a_cookie_with_an_age_is_gone_after_it(jar, clock, attributes, lasts):
    assert jar.receive(PAGE, b"s=1; " + attributes).persistent
    jar.end_session()
    clock.advance(lasts)
    assert stored(jar) == {b"s=1"}
    clock.advance(1)
    assert stored(jar) == set()


def test_a_cookie_without_an_age_lasts_as_long_as_the_browser(jar, clock):
    assert not jar.receive(PAGE, b"s=1").persistent
    clock.advance(1000 * DAY)
    assert stored(jar) == {b"s=1"}
    jar.end_session()
    assert stored(jar) == set()


@pytest.mark.parametrize("age", [b"Max-Age=0", b"Max-Age=-1", b"Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_is_deleted_with_its_own_path_domain_partition_and_prefix_only(jar, age):
    jar.receive(PAGE, b"__Host-s=1; Path=/; Secure")
    for attributes in (b"Path=/", b"Secure", b"Path=/; Secure; Partitioned", b"Path=/; Secure; Domain=example.org"):
        jar.receive(PAGE, b"__Host-s=; " + attributes + b"; " + age)
        assert stored(jar) == {b"__Host-s=1"}
    jar.receive(PAGE, b"__Host-s=; Path=/; Secure; " + age)
    assert stored(jar) == set()


def test_of_too_many_cookies_of_a_domain_the_least_recently_sent_goes_and_those_without_secure_first(jar, clock):
    for number in range(MOST_OF_A_DOMAIN):
        secure = b"" if number in {70, 80} else b"; Secure"
        jar.receive(PAGE, b"c%d=1; Path=/%d%s" % (number, number, secure))
        clock.advance(1)
    jar.header(Request("https://shop.example.org/70"))
    jar.header(Request("https://shop.example.org/0"))
    for gone in (b"c80=1", b"c70=1", b"c1=1"):
        jar.receive(PAGE, b"new%s; Secure" % gone)
        assert gone not in stored(jar)
        assert len(jar.cookies()) == MOST_OF_A_DOMAIN


def test_of_too_many_cookies_the_least_recently_sent_goes(jar):
    for number in range(MOST_OF_ALL + 1):
        jar.receive(Request(f"https://h{number}.example.org/"), b"c%d=1" % number)
    assert len(jar.cookies()) == MOST_OF_ALL
    assert b"c0=1" not in stored(jar)


@pytest.mark.parametrize(("attributes", "excess", "kept"), [("Partitioned", 0, 3), ("Partitioned", 1, 2), ("", 1, 3)])
def test_a_partition_keeps_10_kb_of_a_domain_and_evicts_the_least_recently_sent(jar, attributes, excess, kept):
    sizes = (4000, 4000, MOST_BYTES_OF_A_PARTITION - 8000 + excess)
    for name, size in zip("abc", sizes, strict=True):
        jar.receive(PAGE, f"{name}={'v' * (size - 1)}; Secure; {attributes}".encode())
    assert [cookie.name for cookie in jar.cookies()] == [b"a", b"b", b"c"][3 - kept :]
