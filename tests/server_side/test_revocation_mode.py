"""Sessions in the cookie alone, with denials: what is denied is out, everywhere, at load and at the response."""

import pytest

from fastsession import ConfigurationError, StoreUnavailableError
from fastsession.stores import MemoryRevocations
from tests.server_side.site import Control, browser, cookie_header, replayed, site
from tests.shop import IDLE, OLD_SECRET, SECRET, START

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(home, events):
    async with site(**home.options("revocations"), on_event=events.append) as app:
        yield app


async def test_a_cookie_copied_before_logout_is_revoked(app, client, events):
    copied = cookie_header(client)
    await client.post("/logout")
    assert await replayed(app, copied) == [None, "revoked"]
    assert [(event.kind, event.status) for event in events[-2:]] == [("destroyed", "valid"), ("rejected", "revoked")]


async def test_the_cookie_from_before_a_login_is_revoked_by_it(app):
    client = browser(app)
    await client.post("/cart/tea")
    before = cookie_header(client)
    await client.post("/login/42")
    assert (await client.get("/view")).json() == {"user_id": 42, "cart": ["tea"]}
    assert await replayed(app, before) == [None, "revoked"]


async def test_a_denied_session_stays_out_for_as_long_as_it_could_have_lasted(app, client, clock):
    copied = cookie_header(client)
    await client.post("/logout")
    clock.advance(IDLE - 1)
    assert await replayed(app, copied) == [None, "revoked"]
    clock.advance(1)
    assert await replayed(app, copied) == [None, "expired_idle"]


async def test_a_denial_made_under_the_old_secret_holds_under_the_new_one(home, clock):
    options = home.options("revocations")
    async with site(**options, secret_key=OLD_SECRET) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        await client.post("/logout")
    async with site(**options, secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET]) as app:
        assert await replayed(app, copied) == [None, "revoked"]


async def test_a_cut_off_under_the_old_secret_holds_under_the_new_one(home, clock):
    options = home.options("revocations")
    async with site(**options, secret_key=OLD_SECRET) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        await browser(app).post("/end-all?subject=user-42")
    async with site(**options, secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET]) as app:
        assert await replayed(app, copied) == [None, "revoked"]


async def test_the_cut_off_for_all_ends_every_session_and_no_new_one(app, home, client):
    revocations = app.user_middleware[0].kwargs["revocations"]
    await revocations.deny_all(before=START + 1)
    assert (await client.get("/who")).json() == [None, "revoked"]
    await client.post("/login/42")
    assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_denied_session_that_nobody_looks_at_is_not_renewed(app, client, clock):
    copied = cookie_header(client)
    await client.post("/end-all")
    clock.advance(IDLE // 2)
    response = await browser(app).get("/public", headers=copied)
    assert (response.text, "set-cookie" in response.headers) == ('"nobody looks at the session here"', False)


async def test_the_data_is_in_the_cookie_and_a_read_asks_nobody(app, client, home):
    sizes = [len((await client.post(f"/note/{size}")).headers["set-cookie"]) for size in (1, 1000)]
    assert sizes[1] > sizes[0] + 1000


class Unsure(MemoryRevocations):
    """Revocations that know nothing for certain while `unsure`, and take no denial while `full`."""

    unsure = full = False

    def denied(self, session, owner, created_at):
        if self.unsure:
            raise StoreUnavailableError("not confirmed for too long")
        return super().denied(session, owner, created_at)

    async def deny_session(self, session, *, until):
        if self.full:
            raise StoreUnavailableError("not stored")
        await super().deny_session(session, until=until)

    async def deny_owner(self, owner, *, before, until):
        if self.full:
            raise StoreUnavailableError("not stored")
        await super().deny_owner(owner, before=before, until=until)


@pytest.fixture
def revocations():
    return Unsure()


async def test_while_it_is_not_known_what_is_denied_a_session_is_answered_503_and_nobody_else(revocations, clock):
    async with site(revocations=revocations, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        revocations.unsure = True
        response = await client.get("/who")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.headers["cache-control"] == "no-store"
        assert "set-cookie" not in response.headers
        assert (await browser(app).get("/who")).json() == [None, "absent"]
        revocations.unsure = False
        assert (await client.get("/who")).json() == [42, "valid"]


async def test_or_the_session_is_anonymous_and_keeps_its_cookie(revocations, clock, events):
    options = {"revocations": revocations, "store_outage": "anonymous", "on_event": events.append}
    async with site(**options, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        revocations.unsure = True
        response = await client.get("/who")
        assert (response.json(), "set-cookie" in response.headers) == ([None, "store_down"], False)
        assert (events[-1].kind, events[-1].status) == ("rejected", "store_down")
        revocations.unsure = False
        assert (await client.get("/who")).json() == [42, "valid"]


async def test_a_logout_that_could_not_be_stored_is_not_pretended(revocations, clock):
    async with site(revocations=revocations, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        revocations.full = True
        response = await client.post("/logout")
        assert (response.status_code, "set-cookie" in response.headers) == (503, False)


async def test_a_denial_that_could_not_be_stored_raises_to_its_caller(revocations, clock):
    async with site(revocations=revocations, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        revocations.full = True
        raised = []

        @app.post("/try")
        async def attempt(sessions: Control) -> None:
            for work in (sessions.end_all(), sessions.end_all("user-7"), sessions.end_others(), sessions.end("ab" * 8)):
                with pytest.raises(StoreUnavailableError) as caught:
                    await work
                raised.append(caught.value)
            revocations.full = False

        assert (await client.post("/try")).status_code == 200
        assert len(raised) == 4
        revocations.full = True
        # One that the route does not handle is the same answer as any other outage.
        assert (await client.post("/end-all")).status_code == 503


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_sessions": 3}, "max_sessions needs store="),
        ({"store_outage": "ignore"}, "store_outage must be"),
    ],
)
async def test_options_that_need_a_server_are_refused_without_one(options, message):
    with pytest.raises(ConfigurationError, match=message):
        async with site(**options):
            pass
