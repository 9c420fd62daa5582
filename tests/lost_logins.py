"""Logins that are lost while a page polls, with a real server and network: `python -m tests.lost_logins [TIMES]`."""

import asyncio
import sys
from urllib.parse import urlsplit

import httpx

from fastsession.stores import MemoryRevocations, MemoryStore
from tests.live_server import served
from tests.shop import shop
from tests.stores.proxy import proxied

MODES = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}
# Seconds that the network takes each way, and from one poll to the next.
NETWORK, POLLING = 0.06, 0.1
# Polls before and after the login was sent.
BEFORE, AFTER = 2, 4


async def login_during_poll(url):
    """Whether a browser that has logged in between its polls is signed in when all answers have arrived."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await client.post("/cart/tea")
        under_way = []
        for number in range(BEFORE + AFTER):
            if number == BEFORE:
                under_way.append(asyncio.create_task(client.post("/login")))
            under_way.append(asyncio.create_task(client.get("/cart")))
            await asyncio.sleep(POLLING)
        await asyncio.gather(*under_way)
        return (await client.get("/view")).json().get("user_id") == 42


async def _lost(port, times):
    async with proxied(port) as proxy:
        proxy.delay = NETWORK
        url = f"http://127.0.0.1:{proxy.port}"
        return [await login_during_poll(url) for _ in range(times)].count(False)


def lost_logins(mode, times):
    """How many logins of so many are lost."""
    with served(shop(https_only=False, **MODES[mode]())) as address:
        return asyncio.run(_lost(urlsplit(address).port, times))


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for mode in MODES:
        print(f"{mode}: {lost_logins(mode, times)} of {times} logins lost", flush=True)
