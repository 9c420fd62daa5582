"""Every Set-Cookie that the middleware sends, put through a browser's rules by the reference jar (security.md T-16)."""

import itertools

import pytest

from fastsession import ConfigurationError, Lifetime, SessionTooLargeError
from fastsession.formats import IronSession
from tests.reference.cookie_jar import CookieJar, Request
from tests.shop import DAY, HOUR, router, shop
from tests.wire import call, http_scope

MOST_BYTES = 4096
# Characters of note that make a session of so many cookies.
NOTES = {1: 10, 2: 5_000, 3: 8_000, 4: 10_800, 5: 14_000, 6: 16_800, 7: 19_600, 8: 22_500}


class Browser:
    """Visits an app, and keeps and sends cookies as RFC 6265bis says."""

    def __init__(self, app, clock, *, scheme="https"):
        self.app, self.jar, self.scheme = app, CookieJar(clock), scheme
        # The lines of the last response, and what the jar made of each.
        self.received = []

    def post(self, path):
        request = Request(f"{self.scheme}://www.example.org{path}", method="POST")
        cookie = self.jar.header(request)
        headers = [] if cookie is None else [(b"cookie", cookie)]
        start, *_ = call(self.app, http_scope(path, method="POST", scheme=self.scheme, headers=headers))
        lines = [value for name, value in start["headers"] if name == b"set-cookie"]
        self.received = [(line, self.jar.receive(request, line)) for line in lines]
        return start["status"]

    def names(self):
        return [cookie.name.decode() for cookie in self.jar.cookies()]


def site(**options):
    """The shop, under a folder too."""
    app = shop(**options)
    app.include_router(router, prefix="/shop")
    return app


def combinations():
    for path, domain, same_site, https_only, partitioned, remembered in itertools.product(
        ("/", "/shop"), (None, "example.org"), ("lax", "strict", "none"), (True, False), (True, False), (True, False)
    ):
        if https_only or (same_site != "none" and not partitioned):
            options = {"path": path, "domain": domain, "same_site": same_site, "https_only": https_only}
            yield pytest.param({**options, "partitioned": partitioned}, remembered, id=f"{options} {remembered}")


@pytest.mark.parametrize(("options", "remembered"), list(combinations()))
def test_whatever_the_options_every_chunk_is_stored_as_they_say_and_logout_deletes_it(options, remembered, clock):
    # Browsers keep 10 KB of partitioned cookies.
    most = 2 if options["partitioned"] else 3
    app = site(**options, max_cookies=most, remember=Lifetime(HOUR, 30 * DAY), clock=clock)
    browser = Browser(app, clock, scheme="https" if options["https_only"] else "http")
    if remembered:
        assert browser.post("/shop/remember/true") == 200
    for count in (1, most, 2, 1):
        assert browser.post(f"/shop/note/{NOTES[count]}") == 200
        assert None not in [cookie for _, cookie in browser.received]
        stored = browser.jar.cookies()
        assert len(stored) == count
        assert {as_options(cookie) for cookie in stored} == {(*options.values(), True, remembered)}
    browser.jar.end_session()
    assert len(browser.jar.cookies()) == remembered
    browser.post(f"/shop/note/{NOTES[most]}")
    assert browser.post("/shop/logout") == 200
    assert None not in [cookie for _, cookie in browser.received]
    assert browser.jar.cookies() == []


def as_options(cookie):
    """The middleware's options that a stored cookie shows."""
    return (
        cookie.path.decode(),
        None if cookie.host_only else cookie.domain.decode(),
        cookie.same_site.lower(),
        cookie.secure,
        cookie.partition is not None,
        cookie.http_only,
        cookie.persistent,
    )


IRON = {"format": IronSession(password="p" * 16 + "another half of 32", cookie_name="__Host-iron", chunk=True)}


@pytest.mark.parametrize("options", [{"max_cookies": 1}, {"max_cookies": 2}, {"max_cookies": 3}, IRON])
@pytest.mark.parametrize("count", NOTES)
def test_a_session_of_any_size_is_stored_whole_or_refused_and_the_old_one_kept(options, count, clock):
    most = options.get("max_cookies", 4)
    browser = Browser(site(**options, clock=clock), clock)
    browser.post("/note/1")
    before = browser.jar.cookies()
    if count > most:
        with pytest.raises(SessionTooLargeError):
            browser.post(f"/note/{NOTES[count]}")
        assert browser.jar.cookies() == before
    else:
        browser.post(f"/note/{NOTES[count]}")
        assert len(browser.jar.cookies()) == count
        browser.post("/logout")
        assert browser.jar.cookies() == []


@pytest.mark.parametrize("max_cookies", range(4, 9))
def test_more_than_three_cookies_cannot_be_asked_for(max_cookies):
    with pytest.raises(ConfigurationError):
        call(shop(max_cookies=max_cookies))


@pytest.mark.parametrize("size", [MOST_BYTES - 1, MOST_BYTES, MOST_BYTES + 1])
@pytest.mark.parametrize("note", range(2800, 2960, 20))
def test_what_one_cookie_of_4096_bytes_could_just_hold_is_sent_as_two(size, note, clock):
    with pytest.raises(SessionTooLargeError) as too_large:
        Browser(shop(max_cookies=1, clock=clock), clock).post(f"/note/{note}")
    # With a name of the right length, name and value would have exactly so many bytes.
    name = "__Host-".ljust(size - too_large.value.size, "s")
    browser = Browser(shop(max_cookies=2, session_cookie=name, clock=clock), clock)
    browser.post(f"/note/{note}")
    assert browser.names() == [name, f"{name}.1"]
    one_cookie = f"{name}={'v' * too_large.value.size}; path=/; Secure".encode()
    assert (browser.jar.receive(Request("https://www.example.org/"), one_cookie) is not None) is (size <= MOST_BYTES)


def test_every_size_of_session_is_stored_and_none_comes_near_4096_bytes(clock):
    browser = Browser(shop(max_cookies=3, clock=clock), clock)
    largest = 0
    for note in range(1, 8_000, 61):
        browser.post(f"/note/{note}")
        assert None not in [cookie for _, cookie in browser.received]
        largest = max(largest, *(len(cookie.name) + len(cookie.value) for cookie in browser.jar.cookies()))
    assert 3_700 < largest <= 3_800
