"""docs/comparison.md: what its table says of Python's libraries is what they do, one after the other."""

import base64
import binascii
import re
import zlib
from importlib.metadata import version

import pytest

from tests.peer_shops import SHOPS
from tests.project.test_comparison import PAGE, tables

pytestmark = pytest.mark.parametrize("name", SHOPS)

VERSIONS = dict(re.findall(r"(\w+)\s(\d+\.\d+\.\d+)", PAGE.partition("## In Python")[0]))
IN_PYTHON = {
    row[0]: dict(zip(SHOPS, (re.sub(r"\[([^\]]+)\].*", r"\1", cell) for cell in row[1:]), strict=True))
    for row in next(tables())
}


@pytest.fixture
def shop(name):
    """A browser at the library's shop, with tea in its cart."""
    if name in VERSIONS and version(name) != VERSIONS[name]:
        pytest.skip(f"the page tells of {name} {VERSIONS[name]}, and {version(name)} is installed")
    client = SHOPS[name]()
    assert client.get("/fill").json() == ["tea"]
    return client


def readable(cookie):
    """Whether anybody can find the tea in it."""
    parts = re.split(r"[.:]", cookie)
    for part in parts:
        try:
            raw = base64.urlsafe_b64decode(part.replace("+", "-").replace("/", "_") + "=" * (-len(part) % 4))
        except binascii.Error:
            continue
        if b"tea" in raw or (raw[:1] == b"\x78" and b"tea" in zlib.decompress(raw)):
            return True
    return False


def test_who_can_read_the_contents(name, shop):
    told = IN_PYTHON["Who can read the contents"][name]
    assert any(map(readable, shop.cookies.values())) is ("anybody with the cookie" in told)


def test_whether_a_nested_change_is_saved(name, shop):
    shop.get("/append")
    kept = shop.get("/look").json() == ["tea", "milk"]
    assert IN_PYTHON["A nested change is saved"][name] == ("yes" if kept else "no")


def test_whether_a_page_that_reads_sets_a_cookie(name, shop):
    sent = "set-cookie" in shop.get("/look").headers
    told = IN_PYTHON["`Set-Cookie` on a page that reads"][name]
    assert sent is (told == "always")


def test_what_caches_are_told(name, shop):
    headers = shop.get("/look").headers
    told = {"`Vary`": "Cookie" in headers.get("vary", ""), "`no-store`": "no-store" in headers.get("cache-control", "")}
    assert (", ".join(text for text, there in told.items() if there) or "none") == IN_PYTHON["Headers for caches"][name]


def test_a_copy_of_a_cookie_outlives_the_logout(name, shop):
    copy = dict(shop.cookies)
    shop.get("/empty")
    assert shop.get("/look").json() == []
    shop.cookies.clear()
    header = "; ".join(f"{cookie}={value}" for cookie, value in copy.items())
    assert shop.get("/look", headers={"cookie": header}).json() == ["tea"]
