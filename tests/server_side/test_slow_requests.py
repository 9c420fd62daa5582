"""A request that is still under way while its session is ended elsewhere brings nothing back (security.md I-05)."""

import pytest

from fastsession.stores import MemoryStore
from tests.server_side.site import browser, cookie_header, held_request, replayed, site, until
from tests.shop import IDLE, set_cookies

pytestmark = pytest.mark.anyio

ENDINGS = {
    "logout": "/logout",
    "end all": "/end-all",
    "regenerate": "/login/42",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("verb", ["write", "regenerate", "hand over"])
async def test_what_a_slow_request_writes_ends_with_its_session(home, mode, verb, ending, events):
    async with site(**home.options(mode), on_event=events.append) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        slow = await held_request(app, client, verb)
        await client.post(ENDINGS[ending])
        app.state.released.set()
        response = await slow
        assert "set-cookie" not in response.headers
        assert await replayed(app, copied) == [None, "revoked"]
    assert [event.path for event in events if event.kind == "revoked"] == [f"/held/{verb.replace(' ', '%20')}"]


async def test_a_renewal_that_nobody_asked_for_brings_nothing_back(home, mode, clock):
    async with site(**home.options(mode)) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        clock.advance(IDLE // 2)
        slow = await held_request(app, client, "read")
        await client.post("/logout")
        app.state.released.set()
        assert "set-cookie" not in (await slow).headers
        assert "set-cookie" not in (await browser(app).get("/public", headers=copied)).headers
        assert await replayed(app, copied) == [None, "revoked"]


async def test_it_leaves_the_cookie_of_the_login_that_came_meanwhile(home, mode):
    async with site(**home.options(mode)) as app:
        client = browser(app)
        await client.post("/login/42")
        slow = await held_request(app, client, "write")
        await client.post("/logout")
        await client.post("/login/42")
        app.state.released.set()
        # What the browser does with the late response.
        client.cookies.extract_cookies(await slow)
        assert (await client.get("/who")).json() == [42, "valid"]


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_in_another_worker_too(home, mode):
    async with site(**home.options(mode)) as app, site(**home.options(mode)) as other:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        slow = await held_request(other, client, "write")
        await client.post("/logout")
        # With revocations alone another worker learns of it in 100 ms, at the 99th percentile.
        await until(lambda: replayed(other, copied), [None, "revoked"])
        other.state.released.set()
        assert "set-cookie" not in (await slow).headers


class Vanishing(MemoryStore):
    """A store whose record is ended by somebody else between the two steps of a renewal."""

    async def replace(self, *values, **options):
        return False

    async def touch(self, key, *, expires_at):
        await self.delete(key)
        return await super().touch(key, expires_at=expires_at)


async def test_a_session_that_is_ended_while_its_record_is_renewed_is_not_renewed(clock, events):
    async with site(store=Vanishing(clock=clock), clock=clock, on_event=events.append) as app:
        client = browser(app)
        await client.post("/login/42")
        clock.advance(IDLE // 2)
        response = await client.get("/who")
        assert (response.json(), set_cookies(response)) == ([42, "valid"], [])
        assert events[-1].kind == "revoked"
        assert (await client.get("/who")).json() == [None, "revoked"]
