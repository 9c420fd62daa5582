"""Vary and Cache-Control for every combination of what the application said and what we did."""

import pytest

from fastsession.response_headers import protect

OURS = [(b"set-cookie", b"s=v"), (b"set-cookie", b"s.1=; Max-Age=0")]
VARY = (b"vary", b"Cookie")
NO_STORE = (b"cache-control", b"no-store")
TEXT = (b"content-type", b"text/plain")
PUBLIC = (b"cache-control", b"public, s-maxage=600")
FOR_NETWORKS = [(b"cdn-cache-control", b"max-age=600"), (b"surrogate-control", b"max-age=600")]


@pytest.mark.parametrize(
    ("said", "cookies", "private", "headers"),
    [
        ([], [], False, [VARY]),
        ([TEXT], [], False, [TEXT, VARY]),
        ([PUBLIC], [], False, [PUBLIC, VARY]),
        ([], [], True, [NO_STORE, VARY]),
        ([PUBLIC], [], True, [PUBLIC, VARY]),
        ([], OURS, False, [NO_STORE, VARY, *OURS]),
        ([], OURS, True, [NO_STORE, VARY, *OURS]),
        ([PUBLIC, TEXT], OURS, False, [TEXT, NO_STORE, VARY, *OURS]),
        ([PUBLIC, *FOR_NETWORKS], OURS, True, [NO_STORE, VARY, *OURS]),
        ([NO_STORE, NO_STORE], OURS, True, [NO_STORE, VARY, *OURS]),
    ],
)
def test_the_response_varies_by_cookie_and_is_stored_only_where_that_is_safe(said, cookies, private, headers):
    assert protect(said, cookies=cookies, private=private) == headers


@pytest.mark.parametrize(
    "vary", [b"Cookie", b"cookie", b"COOKIE", b"*", b"Accept, Cookie", b"accept ,\tcookie ,origin"]
)
def test_vary_is_left_alone_where_it_names_the_cookie(vary):
    assert protect([(b"vary", vary)], cookies=[], private=False) == [(b"vary", vary)]


@pytest.mark.parametrize("vary", [b"", b"Accept", b"Cookies", b"X-Cookie", b"Accept, X*"])
def test_vary_is_added_beside_one_that_does_not_name_the_cookie(vary):
    assert protect([(b"vary", vary)], cookies=[], private=False) == [(b"vary", vary), VARY]


def test_the_second_of_two_vary_headers_counts():
    said = [(b"vary", b"Accept"), (b"vary", b"Cookie")]
    assert protect(said, cookies=[], private=False) == said


def test_the_applications_own_cookies_are_untouched():
    theirs = [(b"set-cookie", b"theme=dark"), (b"set-cookie", b"s=theirs; Path=/elsewhere")]
    assert protect(theirs, cookies=OURS, private=True) == [*theirs, NO_STORE, VARY, *OURS]


def test_the_applications_list_is_not_changed():
    said = [PUBLIC]
    protect(said, cookies=OURS, private=True)
    assert said == [PUBLIC]
