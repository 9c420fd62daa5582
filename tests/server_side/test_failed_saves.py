"""Responses that save nothing leave the session that arrived as it was, on the server too."""

import pytest
from fastapi import APIRouter, HTTPException, Request

from tests.server_side.site import Control, Home, browser, site
from tests.shop import Current

pytestmark = pytest.mark.anyio
router = APIRouter()
# More than cookies can hold, and more than a record may.
TOO_LARGE = 5 * 1024 * 1024


@pytest.fixture
def home(clock):
    return Home("memory", {}, clock)


@router.post("/too-large/regenerated")
async def regenerated(session: Current) -> None:
    session.regenerate()
    session.note = "n" * TOO_LARGE


@router.post("/too-large/emptied")
async def emptied(request: Request) -> None:
    request.session.clear()
    request.session["note"] = "n" * TOO_LARGE


@router.post("/end-others/{status_code}")
async def end_others_and_fail(status_code: int, sessions: Control, session: Current) -> None:
    await sessions.end_others()
    session.note = "half a change"
    raise HTTPException(status_code)


@pytest.fixture
async def app(home, mode):
    async with site(**home.options(mode)) as app:
        app.include_router(router)
        yield app


@pytest.fixture
async def client(app):
    client = browser(app)
    client._transport.raise_app_exceptions = False
    await client.post("/login/42")
    return client


@pytest.mark.parametrize("deed", ["regenerated", "emptied"])
async def test_a_session_too_large_to_save_is_as_before(client, deed):
    response = await client.post(f"/too-large/{deed}")
    assert response.status_code == 500
    assert (await client.get("/who")).json() == [42, "valid"]


@pytest.mark.parametrize("status_code", [400, 500, 503])
async def test_end_others_ends_all_but_this_one_whatever_the_status(app, client, clock, status_code):
    other = browser(app)
    await other.post("/login/42")
    clock.advance(2)
    assert (await client.post(f"/end-others/{status_code}")).status_code == status_code
    assert (await other.get("/who")).json() == [None, "revoked"]
    assert (await client.get("/who")).json() == [42, "valid"]
    note = "half a change" if status_code < 500 else None
    assert (await client.get("/view")).json().get("note") == note
