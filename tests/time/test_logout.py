"""What logging out can do without anything on the server, and what it cannot."""

import asyncio

from tests.shop import CLEARED, DAY, IDLE, Current, browser, cookie_header, set_cookies, shop, shown
from tests.wire import exchange, http_scope


def test_a_cookie_copied_before_logout_opens_until_it_expires_and_no_longer(client, clock):
    client.post("/login")
    copied = cookie_header(client)
    client.post("/logout")
    assert shown(shop(clock=clock), copied, "/view").json() == {"user_id": 42}
    clock.advance(IDLE)
    assert shown(shop(clock=clock), copied, "/view").json() == {}


def test_a_logout_of_a_cookie_that_is_no_session_any_more_still_clears_it(client, clock):
    client.post("/login")
    copied = cookie_header(client)
    clock.advance(DAY)
    response = browser(shop(clock=clock)).post("/logout", headers={"cookie": copied})
    assert set_cookies(response) == [CLEARED]


def test_a_logout_without_a_session_sets_no_cookie(client):
    assert set_cookies(client.post("/logout")) == []


def test_a_slow_request_that_only_reads_does_not_restore_a_session_that_was_ended_meanwhile(clock):
    app = shop(clock=clock)
    client = browser(app)
    client.post("/login")
    headers = [(b"cookie", cookie_header(client).encode())]
    ended = asyncio.Event()

    @app.get("/slow")
    async def slow(session: Current) -> int | None:
        await ended.wait()
        return session.user_id

    async def overlapping():
        waiting = asyncio.create_task(exchange(app, http_scope("/slow", headers=headers)))
        await asyncio.sleep(0)
        logout = await exchange(app, http_scope("/logout", method="POST", headers=headers))
        ended.set()
        return logout, await waiting

    logout, slow_response = asyncio.run(overlapping())
    assert (b"set-cookie", CLEARED.encode()) in logout[0]["headers"]
    assert b"set-cookie" not in dict(slow_response[0]["headers"])


def test_two_requests_at_once_have_sessions_of_their_own(clock):
    app = shop(clock=clock)

    async def together():
        paths = [f"/cart/{number}" for number in range(20)]
        return await asyncio.gather(*(exchange(app, http_scope(path, method="POST")) for path in paths))

    bodies = [messages[1]["body"] for messages in asyncio.run(together())]
    assert bodies == [f'["{number}"]'.encode() for number in range(20)]
