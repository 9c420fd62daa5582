"""Vary and Cache-Control for every combination of what the application said and what we did."""

import pytest

from fastsession.response_headers import for_caches

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
    assert for_caches(said, cookies=cookies, private=private) == headers


@pytest.mark.parametrize(
    "vary", [b"Cookie", b"cookie", b"COOKIE", b"*", b"Accept, Cookie", b"accept ,\tcookie ,origin"]
)
def test_vary_is_left_alone_where_it_names_the_cookie(vary):
    assert for_caches([(b"vary", vary)], cookies=[], private=False) == [(b"vary", vary)]


@pytest.mark.parametrize("vary", [b"", b"Accept", b"Cookies", b"X-Cookie", b"Accept, X*"])
def test_vary_is_added_beside_one_that_does_not_name_the_cookie(vary):
    assert for_caches([(b"vary", vary)], cookies=[], private=False) == [(b"vary", vary), VARY]


def test_the_second_of_two_vary_headers_counts():
    said = [(b"vary", b"Accept"), (b"vary", b"Cookie")]
    assert for_caches(said, cookies=[], private=False) == said


def test_the_applications_own_cookies_are_untouched():
    theirs = [(b"set-cookie", b"theme=dark"), (b"set-cookie", b"s=theirs; Path=/elsewhere")]
    assert for_caches(theirs, cookies=OURS, private=True) == [*theirs, NO_STORE, VARY, *OURS]


def test_the_applications_list_is_not_changed():
    said = [PUBLIC]
    for_caches(said, cookies=OURS, private=True)
    assert said == [PUBLIC]


FIELDS = [
    b"cache-control",
    *(vendor + b"-cache-control" for vendor in (b"cdn", b"vercel-cdn", b"netlify-cdn", b"cloudflare-cdn", b"akamai")),
    b"surrogate-control",
    b"edge-control",
    b"x-accel-expires",
    b"fastly-surrogate-control",
    b"x-vendor-edge-control",
    b"vendor-x-accel-expires",
]
CASES = {"lower": bytes.lower, "upper": bytes.upper, "title": bytes.title}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_lets_a_cache_keep_a_set_cookie(field, case):
    assert for_caches([(case(field), b"max-age=600"), TEXT], cookies=OURS, private=False) == [
        TEXT,
        NO_STORE,
        VARY,
        *OURS,
    ]


@pytest.mark.parametrize("field", FIELDS)
def test_what_the_application_tells_caches_stays_without_a_set_cookie(field):
    said = [(field, b"max-age=600")]
    assert for_caches(said, cookies=[], private=False) == [*said, VARY]


@pytest.mark.parametrize("field", [b"expires", b"pragma", b"x-cache-control-policy", b"control", b"x-accel-redirect"])
def test_other_fields_stay_beside_a_set_cookie(field):
    assert for_caches([(field, b"x")], cookies=OURS, private=False) == [(field, b"x"), NO_STORE, VARY, *OURS]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_application_said_counts_in_any_case(case):
    said = [(case(b"cache-control"), b"private"), (case(b"vary"), b"Cookie")]
    assert for_caches(said, cookies=[], private=True) == said


def test_only_cache_control_itself_says_that_a_page_of_a_session_may_be_kept():
    said = [(b"cdn-cache-control", b"max-age=600")]
    assert for_caches(said, cookies=[], private=True) == [*said, NO_STORE, VARY]
