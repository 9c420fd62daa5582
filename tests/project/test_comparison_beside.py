"""docs/comparison.md, "Beside a front end": its two tables are what the packages answer, side by side."""

import itertools
from importlib.metadata import version

import pytest

from tests.beside_peers import (
    AUTHJS_COOKIES,
    BETTER_AUTH_COOKIES,
    answers,
    authjs_readers,
    better_auth_readers,
)
from tests.project.test_comparison import PAGE

# What the page tells of; others may have mended it.
VERSIONS = {"fastapi-nextauth-jwt": "2.1.1", "fastapi-better-auth-bridge": "0.6.0"}


def told(system):
    """The page's status codes, by cookie and package."""
    lines = iter(PAGE.splitlines())
    heading = next(line for line in lines if line.startswith(f"| {system}: "))
    packages = [cell.strip() for cell in heading.strip("|").split("|")[1:]]
    rows = itertools.takewhile(lambda line: line.startswith("|"), itertools.islice(lines, 1, None))
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    return {cookie: dict(zip(packages, map(int, codes), strict=True)) for cookie, *codes in cells}


def check(readers, codes, cookies):
    for package, reader in readers.items():
        if package == "FastSession" or version(package) == VERSIONS[package]:
            assert answers(reader, cookies) == codes[package], package


def test_the_page_has_every_cookie():
    assert list(told("Auth.js")) == list(AUTHJS_COOKIES)
    assert list(told("Better Auth")) == list(BETTER_AUTH_COOKIES)


@pytest.mark.parametrize("cookie", AUTHJS_COOKIES)
def test_what_a_cookie_of_authjs_is_answered_with(cookie):
    check(authjs_readers(), told("Auth.js")[cookie], AUTHJS_COOKIES[cookie]())


@pytest.mark.parametrize("cookie", BETTER_AUTH_COOKIES)
def test_what_a_cookie_of_better_auth_is_answered_with(cookie):
    rows, make = BETTER_AUTH_COOKIES[cookie]
    check(better_auth_readers(rows), told("Better Auth")[cookie], make())
