"""A shop in a frame of another site: one session for each site that it is embedded in."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tests.browser.fetching import fetch
from tests.shop import COOKIE, shop


@pytest.fixture
def embedded(serve, page):
    """`embedded(address, top)` is the frame of a page under the host `top` that shows the address."""

    def show(address, top):
        app = FastAPI()

        @app.get("/")
        async def outer() -> HTMLResponse:
            return HTMLResponse(f'<!doctype html><title>Outside</title><iframe src="{address}/public"></iframe>')

        page.goto(serve(app, top))
        return page.frame(url=f"{address}/public")

    return show


@pytest.fixture
def partitioned_shop(serve):
    return serve(shop(same_site="none", partitioned=True), "b.test")


def test_a_partitioned_session_works_in_a_cross_site_frame(embedded, partitioned_shop, context):
    frame = embedded(partitioned_shop, "a.test")
    fetch(frame, "/cart/tea", "POST")
    assert fetch(frame, "/cart/milk", "POST") == ["tea", "milk"]
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["domain"], cookie["partitionKey"]) == (COOKIE, "b.test", "https://a.test")


def test_each_top_level_site_has_a_session_of_its_own(embedded, partitioned_shop, page, context):
    fetch(embedded(partitioned_shop, "a.test"), "/cart/tea", "POST")
    page.goto(f"{partitioned_shop}/public")
    assert fetch(page, "/cart/milk", "POST") == ["milk"]
    assert fetch(embedded(partitioned_shop, "www.a.test"), "/cart") == ["tea"]
    assert sorted(cookie["partitionKey"] for cookie in context.cookies()) == ["https://a.test", "https://b.test"]


def test_logging_out_in_a_frame_ends_the_session_of_that_site_only(embedded, partitioned_shop, page, context):
    page.goto(f"{partitioned_shop}/public")
    fetch(page, "/cart/milk", "POST")
    frame = embedded(partitioned_shop, "a.test")
    fetch(frame, "/cart/tea", "POST")
    fetch(frame, "/logout", "POST")
    assert fetch(frame, "/cart") == []
    assert [cookie["partitionKey"] for cookie in context.cookies()] == ["https://b.test"]


@pytest.mark.parametrize("same_site", ["lax", "strict", "none"])
def test_without_a_partition_a_cross_site_frame_has_no_session(serve, embedded, page, same_site):
    site = serve(shop(same_site=same_site), "b.test")
    page.goto(f"{site}/public")
    fetch(page, "/cart/milk", "POST")
    frame = embedded(site, "a.test")
    # SameSite=None would allow it; Chromium blocks third-party cookies in private profiles, as these are.
    assert fetch(frame, "/cart/tea", "POST") == ["tea"]
    assert fetch(frame, "/cart") == []
    page.goto(f"{site}/public")
    assert fetch(page, "/cart") == ["milk"]
