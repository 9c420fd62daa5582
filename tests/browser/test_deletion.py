"""A session that ends is gone from the browser, whatever the cookie's attributes."""

import itertools

from starlette.applications import Starlette
from starlette.routing import Mount

from tests.browser.fetching import fetch, jar
from tests.shop import shop

PREFIXED = [{"session_cookie": "__Host-own"}, {"session_cookie": "__Http-own"}, {"session_cookie": "__Host-Http-own"}]


def combinations():
    """Every combination of attributes that the options allow, each with a cookie of its own."""
    for number, (below, domain, same_site, https_only, partitioned) in enumerate(
        itertools.product((False, True), (None, "a.test"), ("lax", "strict", "none"), (True, False), (True, False))
    ):
        if https_only or not (same_site == "none" or partitioned):
            yield {
                "session_cookie": f"s{number}",
                "path": f"/s{number}" if below else "/",
                "domain": domain,
                "same_site": same_site,
                "https_only": https_only,
                "partitioned": partitioned,
            }
    yield from PREFIXED


OPTIONS = {options["session_cookie"]: options for options in combinations()}


def test_every_combination_of_attributes_is_kept_and_deleted(serve, page, context):
    shops = [Mount(f"/{name}", shop(**options)) for name, options in OPTIONS.items()]
    page.goto(serve(Starlette(routes=shops), "www.a.test") + "/s0/public")
    carts = {name: (fetch(page, f"/{name}/cart/tea", "POST"), fetch(page, f"/{name}/cart")) for name in OPTIONS}
    assert carts == dict.fromkeys(OPTIONS, (["tea"], ["tea"]))
    assert len(context.cookies()) == len(OPTIONS)

    for name in OPTIONS:
        fetch(page, f"/{name}/logout", "POST")
    assert jar(context) == {}
