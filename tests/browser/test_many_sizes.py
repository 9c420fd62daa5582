"""The largest cookies: what is sent is kept, and no chunk stays behind."""

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount

from fastsession import Lifetime
from tests.browser.fetching import fetch, jar
from tests.shop import COOKIE, DAY, shop

# Contents are padded to a multiple of it, so these are all the sizes that cookies can have.
PADDING = 64
# Save longer and longer notes until one is refused; each time tell how long the session's note is then.
SWEEP = """async ([base, padding]) => {
  for (let size = 1, lengths = []; ; size += padding) {
    const saved = await fetch(`${base}/note/${size}`, {method: "POST"})
    const session = await (await fetch(`${base}/view`)).json()
    lengths.push(session.note?.length)
    if (!saved.ok) return [lengths, await saved.json()]
  }
}"""
REMEMBERED = Lifetime(idle=14 * DAY, absolute=400 * DAY)
# Browsers ignore attributes of more than 1,024 bytes.
LONGEST = {"path": "/" + "p" * 1023, "domain": "a.test", "same_site": "strict", "remember": REMEMBERED}
OPTIONS = {
    "one cookie": {"max_cookies": 1},
    "two cookies": {"max_cookies": 2},
    "three cookies": {"max_cookies": 3},
    "the longest name": {"max_cookies": 3, "session_cookie": "n" * 256},
    "the longest attributes": {"max_cookies": 3, **LONGEST},
    "two partitioned cookies": {"max_cookies": 2, "partitioned": True, **LONGEST},
}


def shop_that_tells_its_errors(**options):
    app = shop(**options)

    @app.exception_handler(Exception)
    async def tell(_, error):
        return JSONResponse(type(error).__name__, status_code=500)

    return app


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_session_of_every_size_is_kept_up_to_the_one_that_is_not_sent(serve, page, context, options):
    path = options.get("path", "").rstrip("/")
    site = serve(Starlette(routes=[Mount(path, shop_that_tells_its_errors(**options))]), "www.a.test")
    page.goto(f"{site}{path}/public")
    if "remember" in options:
        fetch(page, f"{path}/remember/true", "POST")
    lengths, error = page.evaluate(SWEEP, [path, PADDING])
    *kept, after_refusal = lengths
    assert kept == [1 + PADDING * step for step in range(len(kept))]
    assert (error, after_refusal) == ("SessionTooLargeError", kept[-1])
    assert len(context.cookies()) == options["max_cookies"]


def test_a_session_that_grows_and_shrinks_leaves_no_cookie_behind(serve, page, context):
    page.goto(serve(shop(max_cookies=3)) + "/public")
    for note, suffixes in [(10, [""]), (8_000, ["", ".1", ".2"]), (4_000, ["", ".1"]), (8_000, ["", ".1", ".2"])]:
        fetch(page, f"/note/{note}", "POST")
        assert sorted(jar(context)) == [COOKIE + suffix for suffix in suffixes]
        assert fetch(page, "/view") == {"note": "n" * note}
    fetch(page, "/note/1", "POST")
    assert list(jar(context)) == [COOKIE]


def test_a_session_of_three_cookies_ends_with_all_of_them(serve, page, context):
    page.goto(serve(shop(max_cookies=3)) + "/public")
    fetch(page, "/note/8000", "POST")
    fetch(page, "/logout", "POST")
    assert jar(context) == {}


def test_the_chunks_of_a_rejected_session_go_with_the_next_save(serve, page, context, clock):
    page.goto(serve(shop(max_cookies=3, clock=clock)) + "/public")
    fetch(page, "/note/8000", "POST")
    clock.advance(DAY)
    assert fetch(page, "/view") == {}
    assert len(jar(context)) == 3
    fetch(page, "/cart/tea", "POST")
    assert list(jar(context)) == [COOKIE]
