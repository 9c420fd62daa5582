"""A request that was sent before its browser had the answer to a login or logout, and changes the session.

It does not replace the cookie that the browser has by then. A session that was ended from elsewhere is another
matter: nothing has told its browser, so what its user does begins a new session.
"""

import pytest

from fastsession.testing import Clock
from tests.server_side.site import Control, browser, cookie_header, held_request, site, until
from tests.shop import COOKIE, IDLE, MINUTE, Current, set_cookies

pytestmark = pytest.mark.anyio
WHY = "the browser has been given another session since"


@pytest.fixture
async def app(home, mode, events):
    async with site(**home.options(mode), on_event=events.append) as app:
        yield app


async def late(client, old, path="/cart/milk"):
    """The answer to a request that the browser sent with its old cookie, given to it now."""
    return await client.post(path, headers=old)


def told(events):
    return [(event.kind, event.status, event.detail) for event in events if event.kind == "late_change"]


async def test_a_change_from_before_a_login_leaves_the_login_and_is_reported(app, events):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    await client.post("/login/42")
    assert set_cookies(await late(client, old)) == []
    assert told(events) == [("late_change", "revoked", f"fields: cart ({WHY})")]
    assert (await client.get("/view")).json() == {"user_id": 42, "cart": ["tea"]}


async def test_a_change_from_before_a_logout_leaves_the_login_after_it(app):
    client = browser(app)
    await client.post("/login/1")
    old = cookie_header(client)
    await client.post("/logout")
    await client.post("/login/42")
    assert set_cookies(await late(client, old)) == []
    assert (await client.get("/view")).json() == {"user_id": 42}


async def test_a_change_from_before_all_others_were_ended_leaves_the_session(app):
    client = browser(app)
    await client.post("/login/42")
    old = cookie_header(client)
    await client.post("/end-others")
    assert set_cookies(await late(client, old)) == []
    assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_login_with_a_cookie_from_before_another_login_is_saved(app, events):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    await client.post("/login/1")
    await late(client, old, "/login/42")
    assert (await client.get("/view")).json() == {"user_id": 42}
    assert told(events) == []


async def test_a_logout_with_a_cookie_from_before_a_login_clears(app):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    await client.post("/login/1")
    assert len(set_cookies(await late(client, old, "/logout"))) == 1
    assert not client.cookies


async def test_two_minutes_later_a_change_begins_a_session_of_its_own(app, home, mode, clock):
    if home.kind == "redis" and mode == "store":
        pytest.skip("records expire by Redis's own clock")
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    await client.post("/login/1")
    clock.advance(2 * MINUTE)
    response = await browser(app).post("/cart/milk", headers=old)
    assert response.json() == ["milk"]
    assert len(set_cookies(response)) == 1


async def test_a_change_from_before_it_ended_all_its_sessions_and_its_own_leaves_the_login_after_it(app):
    @app.post("/sign-out-everywhere")
    async def sign_out_everywhere(sessions: Control, session: Current) -> None:
        await sessions.end_all()
        session.destroy()

    client = browser(app)
    await client.post("/login/1")
    old = cookie_header(client)
    assert len(set_cookies(await client.post("/sign-out-everywhere"))) == 1
    await client.post("/login/42")
    assert set_cookies(await late(client, old)) == []


async def test_a_change_from_before_a_logout_during_which_another_request_wrote_leaves_the_login_after_it(app):
    client = browser(app)
    await client.post("/login/1")
    old = cookie_header(client)
    waiting = await held_request(app, client, "destroy")
    await client.post("/cart/tea")
    app.state.released.set()
    assert len(set_cookies(await waiting)) == 1
    await client.post("/login/42")
    assert set_cookies(await late(client, old)) == []
    assert (await who(app, old)) == [None, "revoked"]


@pytest.mark.parametrize("off", [-20, 20])
async def test_it_is_known_to_a_server_whose_clock_is_off(home, mode, clock, off):
    async with site(**home.options(mode)) as one, site(**home.options(mode) | {"clock": Clock(clock() + off)}) as other:
        client = browser(one)
        await client.post("/cart/tea")
        old = cookie_header(client)
        await client.post("/login/42")
        await until(lambda: who(other, old), [None, "revoked"])
        assert set_cookies(await browser(other).post("/cart/milk", headers=old)) == []


async def who(app, headers):
    return (await browser(app).get("/who", headers=headers)).json()


@pytest.mark.parametrize("ended_by", ["/end-all?subject=user-42", "another browser's own list"])
async def test_what_a_user_does_whose_session_was_ended_elsewhere_begins_a_new_one(app, ended_by):
    client, elsewhere = browser(app), browser(app)
    await client.post("/login/42")
    handle = (await client.get("/info")).json()["id"]
    await elsewhere.post("/login/42")
    await elsewhere.post(ended_by if ended_by.startswith("/") else f"/end/{handle}")
    response = await client.post("/cart/milk")
    assert response.json() == ["milk"]
    assert len(set_cookies(response)) == 1
    assert (await client.get("/cart")).json() == ["milk"]


@pytest.mark.parametrize("status", ["expired_idle", "revoked"])
async def test_a_change_with_the_cookie_that_a_login_came_with_leaves_the_login(app, events, clock, status):
    client = browser(app)
    await client.post("/login/42")
    if status == "revoked":
        await browser(app).post("/end-all?subject=user-42")
    else:
        clock.advance(IDLE)
    old = cookie_header(client)
    await client.post("/login/42")
    assert set_cookies(await late(client, old)) == []
    assert told(events) == [("late_change", status, f"fields: cart ({WHY})")]
    assert (await client.get("/view")).json() == {"user_id": 42}


async def test_what_many_browsers_may_hold_is_not_taken_for_one_browser(app):
    guests = {"cookie": f"{COOKIE}=guest"}
    await browser(app).post("/login/42", headers=guests)
    assert len(set_cookies(await browser(app).post("/cart/milk", headers=guests))) == 1


async def test_a_login_with_the_cookie_that_another_login_came_with_is_saved(app, clock):
    client = browser(app)
    await client.post("/login/1")
    clock.advance(IDLE)
    old = cookie_header(client)
    await client.post("/login/1")
    await late(client, old, "/login/42")
    assert (await client.get("/view")).json() == {"user_id": 42}


async def test_two_minutes_after_a_login_its_old_cookie_may_begin_a_session(app, clock, home, mode):
    if home.kind == "redis" and mode == "store":
        pytest.skip("records expire by Redis's own clock")
    client = browser(app)
    await client.post("/login/1")
    clock.advance(IDLE)
    old = cookie_header(client)
    await client.post("/login/42")
    clock.advance(2 * MINUTE)
    assert len(set_cookies(await browser(app).post("/cart/milk", headers=old))) == 1


async def test_visitors_without_a_cookie_are_not_taken_for_one_another(app):
    await browser(app).post("/login/42")
    assert len(set_cookies(await browser(app).post("/cart/milk"))) == 1


async def test_a_renewal_that_meets_a_login_does_not_bring_the_old_cookie_back(app, clock):
    client = browser(app)
    await client.post("/cart/tea")
    old = cookie_header(client)
    clock.advance(10 * MINUTE)
    waiting = await held_request(app, client, "read")
    await client.post("/login/42")
    app.state.released.set()
    assert set_cookies(await waiting) == []
    assert await who(app, old) == [None, "revoked"]


async def test_who_ended_all_sessions_and_was_told_nothing_begins_a_new_one_at_once(app):
    """The response to `end_all()` alone deletes no cookie, so a sign-in form may need to keep its token beside it."""
    client = browser(app)
    await client.post("/login/1")
    await client.post("/end-all")
    assert len(set_cookies(await client.post("/cart/tea"))) == 1
