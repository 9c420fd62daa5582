"""What a visitor sees while a real Redis is killed, stopped or slow: an answer in time, and never a stranger's rights."""

import asyncio

import pytest

from fastsession.stores import RedisRevocations, RedisStore
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.server_side.site import browser, cookie_header, replayed, site, until
from tests.stores.proxy import proxied

pytestmark = pytest.mark.anyio

ANSWER, RECOVERY = 0.3, 1.0


@pytest.fixture
def store(mortal_redis):
    return RedisStore(mortal_redis.url)


async def timed(request):
    """Seconds of `ProcessClock` until the answer, and the answer."""
    with ProcessClock() as clock:
        response = await request
        return clock.seconds, response


async def slowest_of(client, path, times=5):
    """Ask that often; the longest wait and the answers."""
    pairs = [await timed(client.get(path)) for _ in range(times)]
    return max(seconds for seconds, _ in pairs), [response for _, response in pairs]


async def recovered(client):
    """Seconds until the session is there again."""

    async def status_and_session():
        response = await client.get("/who")
        return response.status_code, response.text

    return await until(status_and_session, (200, '[42,"valid"]'))


FAULTS = {
    "killed": (lambda server: server.kill(), lambda server: server.start()),
    "stopped": (lambda server: server.pause(), lambda server: server.resume()),
}


@pytest.fixture(params=FAULTS)
def fault(request):
    return request.param


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
async def test_an_outage_is_answered_in_time_and_over_soon_after_its_end(store, mortal_redis, fault, outage, figure):
    begin, end = FAULTS[fault]
    async with site(store=store, store_outage=outage) as app:
        client = browser(app)
        await client.post("/login/42")
        held = cookie_header(client)
        begin(mortal_redis)
        slowest, answers = await slowest_of(client, "/who")
        if outage == "unavailable":
            assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "1")}
            assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
        else:
            assert [answer.json() for answer in answers] == [[None, "store_down"]] * len(answers)
        # Nobody is logged out by it, and what nobody could keep is not pretended.
        assert not any("set-cookie" in answer.headers for answer in answers)
        seconds, response = await timed(browser(app).post("/login/7"))
        assert (response.status_code, "set-cookie" in response.headers) == (503, False)
        slowest = max(slowest, seconds)
        # Who brings no session needs no store.
        assert (await browser(app).get("/who")).json() == [None, "absent"]
        end(mortal_redis)
        assert cookie_header(client) == held
        recovery = await recovered(client)
    figure(f"{fault}, {outage}: answered within {slowest * 1000:.0f} ms, back after {recovery * 1000:.0f} ms")
    assert slowest < ANSWER
    assert recovery < RECOVERY


async def test_a_redis_that_dies_while_a_request_works_loses_no_acknowledged_write(store, mortal_redis):
    async with site(store=store) as app:
        client, acknowledged = browser(app), {}
        await client.post("/login/42")

        async def write(number):
            response = await client.post("/update", json={f"field {number}": number})
            if response.status_code == 200:
                acknowledged[f"field {number}"] = number
            return response.status_code

        statuses = await asyncio.gather(*(write(number) for number in range(20)))
        mortal_redis.kill()
        statuses += await asyncio.gather(*(write(number) for number in range(20, 40)))
        mortal_redis.start()
        await recovered(client)
        kept = (await client.get("/view")).json()
    assert acknowledged.items() <= kept.items()
    assert set(statuses) <= {200, 503}
    assert len(acknowledged) >= 1


async def test_a_logout_is_in_force_after_redis_was_killed_and_came_back(store, mortal_redis):
    revocations = RedisRevocations(mortal_redis.url, timeout=PATIENCE)
    async with site(store=store, revocations=revocations) as app:
        client = browser(app)
        await client.post("/login/42")
        copied = cookie_header(client)
        await client.post("/logout")
        mortal_redis.kill()
        # The denial is known without Redis; nobody is let in by its being away.
        assert await replayed(app, copied) == [None, "revoked"]
        mortal_redis.start()
        assert await replayed(app, copied) == [None, "revoked"]


async def test_after_a_restart_without_data_every_session_is_over_and_none_adopted(store, mortal_redis):
    async with site(store=store) as app:
        client = browser(app)
        await client.post("/login/42")
        mortal_redis.kill()
        mortal_redis.forget()
        mortal_redis.start()

        async def asked():
            response = await client.get("/who")
            return response.text if response.status_code == 200 else None

        await until(asked, '[null,"revoked"]')


async def test_a_network_that_is_too_slow_is_an_outage(mortal_redis, figure):
    async with proxied(mortal_redis.port) as proxy, site(store=RedisStore(proxy.url)) as app:
        client = browser(app)
        await client.post("/login/42")
        proxy.delay = 0.03
        assert (await client.get("/who")).json() == [42, "valid"]
        proxy.delay = 0.5
        slowest, answers = await slowest_of(client, "/who")
        assert {answer.status_code for answer in answers} == {503}
        proxy.delay = 0
        recovery = await recovered(client)
    figure(f"slow: answered within {slowest * 1000:.0f} ms, back after {recovery * 1000:.0f} ms")
    assert slowest < ANSWER
    assert recovery < RECOVERY


async def test_a_storm_of_cancelled_requests_gives_nobody_another_session(mortal_redis, figure):
    async with proxied(mortal_redis.port) as proxy, site(store=RedisStore(proxy.url, timeout=5)) as app:
        clients = [browser(app) for _ in range(20)]
        for user_id, client in enumerate(clients):
            await client.post(f"/login/{user_id}")
        proxy.delay = 0.002
        wrong, answered, cancelled = [], 0, 0
        for turn in range(30):
            tasks = [asyncio.create_task(client.get("/who")) for client in clients]
            for number, task in enumerate(tasks):
                if (number + turn) % 3:
                    asyncio.get_running_loop().call_later((number * turn % 17) / 1000, task.cancel)
            await asyncio.wait(tasks)
            for user_id, task in enumerate(tasks):
                if task.cancelled():
                    cancelled += 1
                else:
                    answered += 1
                    if task.result().json() != [user_id, "valid"]:
                        wrong.append(task.result().text)
    figure(f"cancelled {cancelled} of {cancelled + answered} requests: {len(wrong)} answers of another session")
    assert wrong == []
    assert min(answered, cancelled) > 100


@pytest.mark.parametrize("ahead", [-20, 20])
async def test_workers_whose_clocks_differ_agree_on_who_is_ended(mortal_redis, clock, ahead):
    def here():
        return {
            "store": RedisStore(mortal_redis.url, timeout=PATIENCE),
            "revocations": RedisRevocations(mortal_redis.url, timeout=PATIENCE),
        }

    async with site(**here(), clock=clock) as app, site(**here(), clock=lambda: clock() + ahead) as other:
        mine = browser(app)
        await mine.post("/login/42")
        elsewhere = browser(other)
        await elsewhere.post("/login/42")
        assert len((await mine.get("/sessions")).json()) == 2
        copied = cookie_header(elsewhere)
        await mine.post("/end-others")
        assert await replayed(other, copied) == [None, "revoked"]
        assert await replayed(other, cookie_header(mine)) == [42, "valid"]
        # Signing in where the clock is behind works at once, too.
        await elsewhere.post("/login/42")
        assert (await elsewhere.get("/who")).json() == [42, "valid"]
