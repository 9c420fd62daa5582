"""A process that stood still for longer than it may go on with what it knows: a container's, or a function's."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from secrets import token_hex

import pytest

from fastsession.stores import MemoryRevocations, RedisRevocations, SQLiteRevocations
from tests.server_side.site import browser, cookie_header, held_request, replayed, site
from tests.stores.waiting import eventually

pytestmark = pytest.mark.anyio

# Runs a site of its own until it is told to end; prints what ten requests at once are answered after each freeze.
FROZEN = """
import asyncio, sys
from fastsession.stores import RedisRevocations, SQLiteRevocations
from tests.server_side.site import browser, site

async def main(kind, place):
    made = {"redis": RedisRevocations, "sqlite": SQLiteRevocations}[kind](place, max_staleness=1.0, timeout=5)
    async with site(revocations=made) as app:
        client = browser(app)
        await client.post("/login/42")
        loop = asyncio.get_running_loop()
        print("ready", flush=True)
        while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "ask":
            answers = await asyncio.gather(*(client.get("/who") for _ in range(10)))
            print(*(answer.status_code for answer in answers), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=["redis", "sqlite"])
def place(request, tmp_path):
    if request.param == "sqlite":
        return "sqlite", str(tmp_path / "revocations.db")
    return "redis", request.getfixturevalue("mortal_redis").url


async def test_the_first_requests_after_a_freeze_are_served(place):
    command = [sys.executable, "-c", FROZEN, *place]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220  (nothing else runs here)
    try:
        assert process.stdout.readline() == "ready\n"
        for _ in range(2):
            os.kill(process.pid, signal.SIGSTOP)
            # The question comes while it stands still: it is the first thing that it sees.
            process.stdin.write("ask\n")
            process.stdin.flush()
            await asyncio.sleep(1.5)
            os.kill(process.pid, signal.SIGCONT)
            assert process.stdout.readline().split() == ["200"] * 10
        process.stdin.write("end\n")
        process.stdin.flush()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


async def test_one_look_serves_all_that_wait_and_ends_in_time_where_there_is_no_answer(mortal_redis):
    revocations = RedisRevocations(mortal_redis.url, max_staleness=0.2)
    async with site(revocations=revocations) as app:
        client = browser(app)
        while not client.cookies:
            # On a busy machine what is known may be too old for a moment.
            await client.post("/login/42")
        mortal_redis.pause()
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        answers = await asyncio.gather(*(client.get("/who") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        assert time.monotonic() - begun < 5
        mortal_redis.resume()


def slow_to_store(revocations):
    """What it stores, it has stored when `go` is set."""
    store, go = revocations._store, asyncio.Event()

    async def stored(denial, until):
        await go.wait()
        await store(denial, until)

    revocations._store = stored
    return go


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
async def test_while_a_logout_is_being_stored_no_other_request_gets_a_new_id(kind, redis_server, tmp_path):
    made = {
        "redis": lambda: RedisRevocations(redis_server.url, prefix=f"{token_hex(4)}:"),
        "sqlite": lambda: SQLiteRevocations(tmp_path / "revocations.db"),
    }[kind]()
    async with site(revocations=made) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        waiting = await held_request(app, client, "regenerate")
        go = slow_to_store(made)
        logout = asyncio.create_task(browser(app).post("/logout", headers=copied))
        await eventually(lambda: made._being_stored)
        app.state.released.set()
        response = await asyncio.wait_for(waiting, 30)
        assert "set-cookie" not in response.headers
        assert await replayed(app, copied) == [None, "revoked"]
        go.set()
        assert (await logout).is_success
        assert await replayed(app, copied) == [None, "revoked"]
        assert not made._being_stored


async def test_a_denial_that_could_not_be_stored_is_no_longer_in_force(mortal_redis):
    revocations, session = RedisRevocations(mortal_redis.url), token_hex(16)
    await revocations.start()
    mortal_redis.pause()
    denying = asyncio.ensure_future(revocations.deny_session(session, until=int(time.time()) + 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert revocations.denied(session, None, 0)
    await asyncio.wait([denying])
    assert denying.exception() is not None
    assert not revocations.denied(session, None, 0)
    mortal_redis.resume()
    await revocations.stop()


def test_catching_up_where_nothing_is_ever_too_old_returns_at_once():
    asyncio.run(MemoryRevocations().catch_up())
