"""Users with two browsers each, who sign in, write side by side, and end sessions while requests are under way."""

import asyncio
import random
import ssl
import time
from collections import Counter
from typing import Any

import httpx

FIELDS = 6
# Made once: it takes longer than everything else that a new browser does.
_TLS = ssl.create_default_context()


class Visits:
    """What users saw that they must not see is counted in `found`, and what they did in `done`."""

    def __init__(self, url: str, *, stored: bool, grace: float) -> None:
        self.url = url
        # With a store, data is on the server: then no write may be lost either.
        self.stored = stored
        # Seconds after which an end has to be in force in every worker.
        self.grace = grace
        self.done: Counter[str] = Counter()
        self.found: Counter[str] = Counter(cross_user_reads=0, resurrections=0, lost_updates=0)

    async def by_users(self, count: int, seconds: float) -> None:
        """Let that many users go on for that long."""
        ends = time.monotonic() + seconds
        await asyncio.gather(*(self._user(user_id, ends) for user_id in range(1, count + 1)))

    async def _user(self, user_id: int, ends: float) -> None:
        endings = [self._logout, self._end_others, self._end_all]
        while time.monotonic() < ends:
            async with self._browser() as laptop, self._browser() as phone:
                for browser in (laptop, phone):
                    await self._ask(browser, f"/login/{user_id}")
                await self._work(laptop, phone, user_id)
                await random.choice(endings)(laptop, phone, user_id)

    async def _work(self, laptop: httpx.AsyncClient, phone: httpx.AsyncClient, user_id: int) -> None:
        """Write different fields side by side, while both browsers look who they are."""
        values = {f"field {number}": random.getrandbits(32) for number in range(FIELDS)}
        writes = [self._ask(laptop, "/update", json={name: value}) for name, value in values.items()]
        looks = [self._look(browser, user_id) for browser in (laptop, phone)]
        *responses, _, _ = await asyncio.gather(*writes, *looks)
        if self.stored:
            acknowledged = {
                name: value
                for (name, value), response in zip(values.items(), responses, strict=True)
                if response.status_code == httpx.codes.OK
            }
            view = await laptop.get("/view")
            self.found["lost_updates"] += view.is_success and not acknowledged.items() <= view.json().items()

    async def _logout(self, laptop: httpx.AsyncClient, phone: httpx.AsyncClient, user_id: int) -> None:
        await self._end(laptop, "/logout", ended=[laptop], user_id=user_id)
        await self._look(phone, user_id)

    async def _end_others(self, laptop: httpx.AsyncClient, phone: httpx.AsyncClient, user_id: int) -> None:
        await self._end(laptop, "/end-others", ended=[phone], user_id=user_id)
        await self._look(laptop, user_id)

    async def _end_all(self, laptop: httpx.AsyncClient, phone: httpx.AsyncClient, user_id: int) -> None:
        await self._end(laptop, "/end-all", ended=[laptop, phone], user_id=user_id)

    async def _end(
        self, browser: httpx.AsyncClient, path: str, *, ended: list[httpx.AsyncClient], user_id: int
    ) -> None:
        """End sessions while their requests are under way; then neither the jar nor a copied cookie is anybody."""
        copies = [cookies_of(each) for each in ended]
        slow = [asyncio.create_task(self._ask(each, f"/slow/late/{user_id}")) for each in ended for _ in range(3)]
        # By then some of them have read their session, and not yet written.
        await asyncio.sleep(random.uniform(0, 0.05))
        response = await self._ask(browser, path)
        await asyncio.wait(slow)
        if not response.is_success:
            return
        await asyncio.sleep(self.grace)
        for each, copied in zip(ended, copies, strict=True):
            for cookies in (cookies_of(each), copied):
                async with self._browser(cookies) as replaying:
                    self.found["resurrections"] += await self._look(replaying, user_id) == user_id

    async def _look(self, browser: httpx.AsyncClient, user_id: int) -> int | None:
        """Whom a browser of this user is taken for."""
        response = await browser.get("/who")
        self.done["reads"] += 1
        if not response.is_success:
            self.done["unavailable"] += 1
            return None
        seen: int | None = response.json()[0]
        self.found["cross_user_reads"] += seen not in (None, user_id)
        return seen

    async def _ask(self, browser: httpx.AsyncClient, path: str, **options: Any) -> httpx.Response:
        response = await browser.post(path, **options)
        self.done[path.split("/")[1]] += 1
        self.done["unavailable"] += not response.is_success
        return response

    def _browser(self, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, cookies=cookies, timeout=30, verify=_TLS)


def cookies_of(browser: httpx.AsyncClient) -> dict[str, str]:
    return {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}
