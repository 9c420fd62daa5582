"""Logins that are lost while a page polls, with a real server and network: `python -m tests.lost_logins [TIMES]`."""

import asyncio
import sys
from urllib.parse import urlsplit

import httpx

from fastsession.stores import MemoryRevocations, MemoryStore
from tests.live_server import served
from tests.server_side.site import router
from tests.shop import shop
from tests.stores.proxy import proxied

MODES = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}
# Those that can tell a late write from a new visitor's.
TELLING = ("revocations", "store")
# Seconds that the network takes each way, and from one poll to the next.
NETWORK, POLLING = 0.06, 0.1
# Polls before and after the login was sent.
BEFORE, AFTER = 2, 4


async def login_during_poll(url, writing):
    """Whether a browser that has logged in between its polls is signed in when all answers have arrived.

    When they are `writing`, its session was ended from elsewhere before.
    """
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await client.post("/cart/tea")
        if writing:
            await client.post("/login")
            async with httpx.AsyncClient(base_url=url, timeout=30) as elsewhere:
                await elsewhere.post("/login")
                await elsewhere.post("/end-others")
        under_way = []
        for number in range(BEFORE + AFTER):
            if number == BEFORE:
                under_way.append(asyncio.create_task(client.post("/login")))
            poll = client.post("/cart/tea") if writing and number >= BEFORE else client.get("/cart")
            under_way.append(asyncio.create_task(poll))
            await asyncio.sleep(POLLING)
        await asyncio.gather(*under_way)
        return (await client.get("/view")).json().get("user_id") == 42


async def _lost(port, times, writing):
    async with proxied(port) as proxy:
        proxy.delay = NETWORK
        url = f"http://127.0.0.1:{proxy.port}"
        return [await login_during_poll(url, writing) for _ in range(times)].count(False)


def lost_logins(mode, times, *, writing=False):
    """How many logins of so many are lost."""
    app = shop(https_only=False, **MODES[mode]())
    if writing:
        app.include_router(router)
    with served(app) as address:
        return asyncio.run(_lost(urlsplit(address).port, times, writing))


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for mode in MODES:
        print(f"{mode}: {lost_logins(mode, times)} of {times} logins lost", flush=True)
    for mode in TELLING:
        lost = lost_logins(mode, times, writing=True)
        print(f"{mode}, polls that write after the session was ended: {lost} of {times} logins lost", flush=True)
