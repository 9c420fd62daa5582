"""Which paths and domains a browser keeps a cookie for: those that the options take, and no others."""

import pytest

from fastsession import ConfigurationError
from fastsession.cookies import check_place

# A path and an address below it, as a person would write both.
PATHS = {
    "/shop": "/shop/cart",
    "/shop/": "/shop/cart",
    "/my%20projects": "/my projects/1",
    "/m%C3%BCll": "/müll/1",
    "/a//b": "/a//b/c",
    "/a...b": "/a...b/c",
    "/.well-known": "/.well-known/x",
    "/~ada/a+b,c='(d)'!@$&*|[e]:f": "/~ada/a+b,c='(d)'!@$&*|[e]:f/1",
    "/a%zz": "/a%zz/1",
    "/my projects": "/my projects/1",
    "/shop?x=1": "/shop?x=1",
    "/a#b": "/a#b",
    '/a"b': '/a"b/c',
    "/a<b": "/a<b/c",
    "/a`b": "/a`b/c",
    "/a{b}": "/a{b}/c",
    "/a^b": "/a^b/c",
    "/a\\b": "/a\\b/c",
    "/a/../b": "/a/../b/c",
    "/a/./b": "/a/./b/c",
    "/a/%2e%2E/b": "/a/%2e%2E/b/c",
    "/a/..": "/a/../c",
}
DOMAINS = {
    "a.test": "www.a.test",
    ".a.test": "www.a.test",
    "A.Test": "www.a.test",
    "localhost": "localhost",
    "127.0.0.1": "127.0.0.1",
    "..a.test": "www.a.test",
    "a.test.": "www.a.test",
    "*.a.test": "www.a.test",
    "a.test:443": "www.a.test",
    "https://a.test": "www.a.test",
    "a.test/": "www.a.test",
    "a .test": "www.a.test",
    "a..test": "www.a.test",
    "-a.test": "www.a.test",
}


class Setter:
    """Sets a cookie with the attribute, whatever our options would say of it, and tells what comes back."""

    def __init__(self, attribute):
        self.attribute = attribute
        self.received = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        self.received.append(headers.get(b"cookie", b""))
        cookie = f"s=1; HttpOnly; {self.attribute}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", cookie)]})
        await send({"type": "http.response.body", "body": b"seen"})


def comes_back(page, serve, attribute, host, path):
    app = Setter(attribute)
    site = serve(app, host, tls=False)
    page.goto(site + path)
    before = len(app.received)
    page.goto("about:blank")
    page.goto(site + path)
    return b"s=1" in app.received[before:]


def accepted(path, domain):
    try:
        check_place(path, domain)
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_taken_if_the_browser_sends_the_cookie_back(serve, page, path):
    assert accepted(path, None) is comes_back(page, serve, f"path={path}", "a.test", PATHS[path])


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_taken_if_the_browser_sends_the_cookie_back(serve, page, domain):
    assert accepted("/", domain) is comes_back(page, serve, f"path=/; domain={domain}", DOMAINS[domain], "/")
