"""Sessions emptied through `request.session` while, or before, something else ends or replaces them."""

import asyncio

import pytest
from fastapi import APIRouter, Request

from tests.server_side.site import Home, browser, cookie_header, replayed, site
from tests.shop import IDLE, set_cookies

pytestmark = pytest.mark.anyio
router = APIRouter()


@pytest.fixture
def home(clock):
    return Home("memory", {}, clock)


@router.post("/sign-in-as-starlette-does/{user_id}")
async def sign_in(user_id: int, request: Request) -> None:
    request.session.clear()
    request.session["user_id"] = user_id


@router.post("/held-dict/{verb}")
async def held_dict(verb: str, request: Request) -> None:
    """A request that has read its session, and empties it when it is let go."""
    kept = dict(request.session)
    request.app.state.arrived.set()
    await request.app.state.released.wait()
    if verb == "pop":
        request.session.pop("flash")
    elif verb == "take-apart":
        for key in list(request.session):
            del request.session[key]
    elif verb == "cycle":
        request.session.clear()
        request.session.update(kept)


@pytest.fixture
async def app(home, mode, events):
    async with site(**home.options(mode), on_event=events.append) as app:
        app.include_router(router)
        yield app


async def held(app, client, verb):
    app.state.arrived.clear()
    app.state.released.clear()
    task = asyncio.create_task(browser(app).post(f"/held-dict/{verb}", headers=cookie_header(client)))
    await app.state.arrived.wait()
    return task


async def released(app, task):
    app.state.released.set()
    return await task


async def test_a_change_from_before_a_login_by_clear_leaves_the_login(app, events):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    await client.post("/sign-in-as-starlette-does/42")
    assert set_cookies(await client.post("/cart/milk", headers=old)) == []
    assert events[-1].kind == "late_change"
    assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_change_from_before_a_login_by_clear_beside_another_change_leaves_the_login(app):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    task = await held(app, client, "cycle")
    await client.post("/cart/milk")
    response = await released(app, task)
    assert len(set_cookies(response)) == 1
    assert set_cookies(await browser(app).post("/cart/beer", headers=old)) == []


async def test_the_last_key_taken_from_a_session_that_was_overtaken_deletes_no_login(app):
    client = browser(app)
    await client.post("/update", json={"flash": "hello"})
    task = await held(app, client, "pop")
    await client.post("/login/42")
    assert set_cookies(await released(app, task)) == []


@pytest.mark.parametrize("mode", ["store", "both"])
async def test_the_last_key_taken_beside_a_renewal_ends_the_session(app, clock):
    client = browser(app)
    await client.post("/update", json={"flash": "hello"})
    old = cookie_header(client)
    clock.advance(IDLE // 2)
    task = await held(app, client, "pop")
    await client.get("/who")
    assert "Max-Age=0" in set_cookies(await released(app, task))[0]
    assert (await replayed(app, old))[1] == "revoked"


async def test_the_last_key_taken_from_a_session_that_was_ended_elsewhere_deletes_no_login(app):
    client, elsewhere = browser(app), browser(app)
    await client.post("/login/42")
    task = await held(app, client, "take-apart")
    await elsewhere.post("/login/42")
    await elsewhere.post("/end-all")
    await client.post("/login/42")
    assert set_cookies(await released(app, task)) == []


@pytest.mark.parametrize("ended_by", ["/end-all", "/logout", "/login/42", "/end-others"])
async def test_a_session_that_was_ended_meanwhile_does_not_come_back_by_clear(app, ended_by):
    client = browser(app)
    await client.post("/login/42")
    task = await held(app, client, "cycle")
    await client.post(ended_by)
    response = await released(app, task)
    assert set_cookies(response) == []


async def test_a_session_that_its_owner_cycles_goes_on_under_another_id(app):
    client = browser(app)
    await client.post("/login/42")
    old = cookie_header(client)
    task = await held(app, client, "cycle")
    client.cookies.update((await released(app, task)).cookies)
    assert await replayed(app, old) == [None, "revoked"]
