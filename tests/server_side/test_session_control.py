"""Listing and ending sessions from outside: one by its handle, all others, all of a subject."""

import pytest
from fastapi import BackgroundTasks

from fastsession import ConfigurationError, LateSessionChangeError, Session
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.server_side.site import Control, browser, cookie_header, replayed, site
from tests.shop import Current

pytestmark = pytest.mark.anyio

STORED = ["store", "both"]


async def signed_in(app, user_id=42, count=1):
    """That many browsers of one user."""
    clients = [browser(app) for _ in range(count)]
    for client in clients:
        await client.post(f"/login/{user_id}")
    return clients


async def users(*clients):
    return [(await client.get("/who")).json()[0] for client in clients]


@pytest.fixture
async def app(home, mode, events):
    async with site(**home.options(mode), on_event=events.append) as app:
        yield app


stored = pytest.mark.parametrize("mode", STORED)


@stored
async def test_the_list_tells_where_the_subject_is_signed_in_the_oldest_first(app, clock):
    [first] = await signed_in(app)
    clock.advance(60)
    [second] = await signed_in(app)
    clock.advance(60)
    await first.post("/cart/tea")
    await signed_in(app, user_id=7)
    entries = (await second.get("/sessions")).json()
    assert [entry["is_current"] for entry in entries] == [False, True]
    assert [entry["created_at"] for entry in entries] == ["2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z"]
    assert [entry["last_seen"] for entry in entries] == ["2027-01-15T08:02:00Z", "2027-01-15T08:01:00Z"]
    assert [entry["session"]["cart"] for entry in entries] == [["tea"], []]
    assert [entry["handle"] for entry in entries] == [(await c.get("/info")).json()["id"] for c in (first, second)]


@stored
async def test_a_session_is_ended_by_its_handle(app):
    mine, other = await signed_in(app, count=2)
    [handle] = [entry["handle"] for entry in (await mine.get("/sessions")).json() if not entry["is_current"]]
    assert (await mine.post(f"/end/{handle}")).json() is True
    assert await users(mine, other) == [42, None]
    assert (await mine.post(f"/end/{handle}")).json() is False


@stored
async def test_a_session_of_another_subject_is_not_ended_by_its_handle(app):
    [mine], [theirs] = await signed_in(app, 1), await signed_in(app, 2)
    handle = (await theirs.get("/info")).json()["id"]
    assert (await mine.post(f"/end/{handle}")).json() is False
    assert await users(mine, theirs) == [1, 2]


@pytest.mark.parametrize("mode", ["revocations"])
async def test_without_a_store_a_session_is_denied_by_its_handle(app):
    mine, other = await signed_in(app, count=2)
    handle = (await other.get("/info")).json()["id"]
    assert (await mine.post(f"/end/{handle}")).json() is True
    assert await users(mine, other) == [42, None]


@pytest.mark.parametrize(
    "handle", ["x", "zz" * 8, "ABCDEF0123456789", "0x12345678901234", "1_000_000_000_00", "ab" * 16]
)
async def test_what_is_no_handle_ends_nothing_and_harms_nobody(app, handle):
    [mine] = await signed_in(app)
    assert (await mine.post(f"/end/{handle}")).json() is False
    assert await users(mine) == [42]


async def test_end_others_leaves_this_session_under_a_new_id(app):
    mine, *others = await signed_in(app, count=3)
    [bystander] = await signed_in(app, user_id=7)
    copied = cookie_header(mine)
    await mine.post("/end-others")
    assert await users(mine, *others, bystander) == [42, None, None, 7]
    assert await replayed(app, copied) == [None, "revoked"]


async def test_end_all_ends_this_session_too_and_a_login_in_the_same_second_works(app):
    mine, other = await signed_in(app, count=2)
    await mine.post("/end-all")
    assert await users(mine, other) == [None, None]
    await mine.post("/login/42")
    assert await users(mine, other) == [42, None]


async def test_end_all_of_a_subject_by_name(app):
    mine, other = await signed_in(app, count=2)
    [helpdesk] = await signed_in(app, user_id=1)
    await helpdesk.post("/end-all?subject=user-42")
    assert await users(mine, other, helpdesk) == [None, None, 1]


async def test_an_empty_name_is_nobody_s_and_not_one_s_own(app):
    [mine] = await signed_in(app)
    await mine.post("/end-all?subject=")
    assert await users(mine) == [42]


async def test_a_password_reset_ends_all_sessions_and_signs_in_with_one_request(app):
    @app.post("/reset")
    async def reset(session: Current, sessions: Control) -> None:
        await sessions.end_all("user-42")
        session.regenerate()
        session.user_id = 42

    [other], visitor = await signed_in(app), browser(app)
    await visitor.post("/cart/tea")
    await visitor.post("/reset")
    assert await users(visitor, other) == [42, None]


async def test_ending_others_after_the_response_has_started_is_refused_before_anything_ends(app):
    [mine, other], raised = await signed_in(app, count=2), []

    async def too_late(sessions):
        with pytest.raises(LateSessionChangeError) as caught:
            await sessions.end_others()
        raised.append(caught.value)

    @app.post("/late")
    async def late(tasks: BackgroundTasks, sessions: Control) -> None:
        tasks.add_task(too_late, sessions)

    await mine.post("/late")
    assert raised
    assert await users(mine, other) == [42, 42]


@stored
async def test_one_more_session_than_max_sessions_ends_the_oldest(home, mode, clock):
    async with site(**home.options(mode), max_sessions=2) as app:
        clients = []
        for _ in range(3):
            clients += await signed_in(app)
            clock.advance(1)
        assert await users(*clients) == [None, 42, 42]
        await clients[2].post("/login/42")
        assert await users(*clients) == [None, 42, 42]


@stored
async def test_or_is_refused_and_changes_nothing(home, mode, events):
    async with site(**home.options(mode), max_sessions=2, when_full="refuse", on_event=events.append) as app:
        clients = await signed_in(app, count=2)
        late = browser(app)
        await late.post("/cart/tea")
        response = await late.post("/login/42")
        assert (response.status_code, "set-cookie" in response.headers) == (403, False)
        assert await users(*clients, late) == [42, 42, None]
        assert (await late.get("/cart")).json() == ["tea"]
        await clients[0].post("/logout")
        assert (await late.post("/login/42")).status_code == 200


@stored
async def test_a_session_that_changes_hands_without_a_new_id_counts_too(home, mode):
    async with site(**home.options(mode), max_sessions=1) as app:
        [first], second = await signed_in(app), browser(app)
        await second.post("/cart/tea")
        await second.post("/update", json={"user_id": 42})
        assert await users(first, second) == [None, 42]


@pytest.mark.parametrize(
    "options",
    [{"max_sessions": 0}, {"max_sessions": "5"}, {"max_sessions": 1, "when_full": "ask"}, {"when_full": "refuse"}],
)
async def test_limits_that_mean_nothing_are_refused(options):
    with pytest.raises(ConfigurationError, match="max_sessions takes a number from 1"):
        async with site(store=MemoryStore(), **options):
            pass


async def test_without_a_store_or_revocations_nothing_can_be_ended():
    async with site() as app:
        with pytest.raises(ConfigurationError, match="no cookie can be called back"):
            await browser(app).get("/sessions")


async def test_without_a_store_nobody_knows_the_sessions():
    async with site(revocations=MemoryRevocations()) as app:
        [mine] = await signed_in(app)
        with pytest.raises(ConfigurationError, match=r"needs SessionMiddleware\(..., store=...\)"):
            await mine.get("/sessions")


@pytest.mark.parametrize("path", ["/end-all", "/end-others"])
async def test_a_visitor_who_has_nothing_to_end_is_answered_401(app, path):
    [mine] = await signed_in(app)
    # A second click, or a click in a tab whose session has ended in another one.
    await mine.post("/end-all")
    for client in (mine, browser(app)):
        answer = await client.post(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Cookie")
        assert answer.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize("path", ["/end-all", "/end-others"])
async def test_whose_sessions_has_to_be_known(path):
    async with site(revocations=MemoryRevocations(), model=Session) as app:
        with pytest.raises(ConfigurationError, match="Whose sessions"):
            await browser(app).post(path)
