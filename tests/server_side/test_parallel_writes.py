"""Requests that change one session at the same time: nothing that was acknowledged is lost."""

import asyncio

import pytest

from tests.server_side.counting import Counting
from tests.server_side.site import browser, cookie_header, held_request, site
from tests.shop import ShopSession

pytestmark = pytest.mark.anyio

PARALLEL = 200


@pytest.fixture
async def app(home, events):
    async with site(**home.options("store"), on_event=events.append) as app:
        yield app


async def together(apps, client, updates):
    """Send the updates of one browser side by side, to each server in turn; their statuses."""
    headers = cookie_header(client)
    pairs = zip(updates, apps * len(updates), strict=False)
    responses = await asyncio.gather(
        *(browser(app).post("/update", json=update, headers=headers) for update, app in pairs)
    )
    return {response.status_code for response in responses}


async def test_200_parallel_requests_that_change_different_fields_all_survive(app, client, events):
    updates = [{f"field {number}": number} for number in range(PARALLEL)]
    assert await together([app], client, updates) == {200}
    kept = (await client.get("/view")).json()
    assert kept == {"user_id": 42} | {f"field {number}": number for number in range(PARALLEL)}
    assert "conflict" not in [event.kind for event in events]


async def test_they_survive_over_several_workers_too(app, client, home):
    async with (
        site(**home.options("store")) as second,
        site(**home.options("store")) as third,
        site(**home.options("store")) as fourth,
    ):
        updates = [{f"field {number}": number} for number in range(PARALLEL)]
        assert await together([app, second, third, fourth], client, updates) == {200}
    assert len((await client.get("/view")).json()) == 1 + PARALLEL


async def test_of_one_field_the_later_write_counts_and_an_event_says_so(app, client, events):
    slow = await held_request(app, client, "write")
    await client.post("/update", json={"note": "earlier", "other": "survives"})
    app.state.released.set()
    assert (await slow).status_code == 200
    assert (await client.get("/view")).json() == {"user_id": 42, "note": "written too late", "other": "survives"}
    [conflict] = [event for event in events if event.kind == "conflict"]
    assert (conflict.path, conflict.detail, conflict.subject) == ("/held/write", "fields: note", "user-42")


async def test_what_is_written_during_a_login_is_in_the_session_that_follows(app, client):
    slow = await held_request(app, client, "regenerate")
    await client.post("/cart/tea")
    app.state.released.set()
    client.cookies.extract_cookies(await slow)
    assert (await client.get("/cart")).json() == ["tea"]
    assert len((await client.get("/sessions")).json()) == 1


async def test_a_login_that_is_sent_twice_ends_in_one_session_that_works(app, client):
    await asyncio.gather(client.post("/login/7"), client.post("/login/7"))
    assert (await client.get("/who")).json() == [7, "valid"]
    assert len((await client.get("/sessions")).json()) == 1


async def test_parallel_renewals_lose_no_write(app, client, clock):
    clock.advance(20 * 60)
    headers = cookie_header(client)
    reads = [browser(app).get("/public", headers=headers) for _ in range(20)]
    writes = [browser(app).post("/update", json={f"field {number}": 1}, headers=headers) for number in range(20)]
    pairs = zip(reads, writes, strict=True)
    responses = await asyncio.gather(*(request for pair in pairs for request in pair))
    assert {response.status_code for response in responses} == {200}
    client.cookies.extract_cookies(responses[-1])
    assert len((await client.get("/view")).json()) == 21


class Contested(Counting):
    """A store in which somebody else is always faster."""

    async def replace(self, key, data, *, version, expires_at, owner):
        return False


async def test_a_write_that_is_always_too_late_is_not_pretended(home, client, clock):
    async with site(store=Contested(home.store()), clock=clock) as contested:
        response = await browser(contested).post("/cart/tea", headers=cookie_header(client))
        assert (response.status_code, "set-cookie" in response.headers) == (503, False)
    assert (await client.get("/cart")).json() == []


class Newer(ShopSession):
    note: int = 0


async def test_a_session_that_today_s_model_does_not_accept_is_renewed_as_it_is(home, client, clock):
    await client.post("/note/3")
    clock.advance(20 * 60)
    async with site(store=home.store(), clock=clock, model=Newer) as newer:
        response = await browser(newer).get("/public", headers=cookie_header(client))
        assert "set-cookie" in response.headers
    client.cookies.extract_cookies(response)
    assert (await client.get("/view")).json() == {"user_id": 42, "note": "nnn"}
    assert len((await client.get("/sessions")).json()) == 1
