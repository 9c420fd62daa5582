"""A browser that follows what `local_path` accepts stays on the site."""

from fastapi.responses import HTMLResponse

from fastsession import local_path
from tests.guards.targets import HOSTILE, LOCAL
from tests.shop import shop

# Where each target leads: as an address in script, as a link, and as a link that was resolved once more.
LEAD = """targets => targets.map(target => {
  const link = document.createElement("a")
  link.setAttribute("href", target)
  const once = new URL(target, location)
  return [once.origin, link.origin, new URL(once.pathname + once.search, location).origin]
})"""


def test_no_accepted_target_leaves_the_origin(serve, page):
    site = serve(shop())
    page.goto(f"{site}/public")
    accepted = [target for target in [*LOCAL, *HOSTILE] if local_path(target) == target]
    assert accepted == LOCAL
    assert page.evaluate(LEAD, accepted) == [[site] * 3] * len(LOCAL)


def test_the_table_of_hostile_targets_is_hostile(serve, page):
    """So that the test above cannot pass because the browser resolves everything to the site."""
    site = serve(shop())
    page.goto(f"{site}/public")
    for target in ("//evil.example", "/\\evil.example", "/\t/evil.example", "/..//evil.example", "/%2e//evil.example"):
        [origins] = page.evaluate(LEAD, [target])
        assert "https://evil.example" in origins


def test_redirects_to_accepted_targets_stay(serve, page):
    app = shop()
    targets = [*LOCAL, *HOSTILE]

    @app.get("/go/{number}")
    async def go(number: int) -> HTMLResponse:
        from starlette.responses import RedirectResponse

        return RedirectResponse(local_path(targets[number]), 303)

    @app.get("/{path:path}")
    async def anything(path: str) -> HTMLResponse:
        return HTMLResponse("<h1>Here</h1>")

    site = serve(app)
    for number in range(len(LOCAL) + 40):
        page.goto(f"{site}/go/{number}")
        assert page.evaluate("location.origin") == site
