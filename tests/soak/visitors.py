"""Users who ask all the time who they are, strangers beside them, and copies of cookies that were signed out."""

import asyncio
import random
import statistics
import time
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from tests.soak.browser import Browser

USERS, STRANGERS, ENDED = 20, 5, 5
# Seconds between two visits of a user.
PAUSE = 0.2
# Whose an ended session is, and a request without a session.
NOBODY, STRANGER = -1, -2


class Answer(NamedTuple):
    """When somebody asked who he is, how long it took, and whom he was taken for; None is nobody."""

    asked_at: float
    seconds: float
    status: int
    user: int | None
    own: int


class Visitors:
    def __init__(self, client, url):
        self.answers = []
        self.ended = []
        self.users = [Browser(client, url) for _ in range(USERS)]
        self._client, self._url = client, url

    async def sign_in(self):
        for number, browser in enumerate(self.users):
            await browser.post(f"/login/{number}")
        for number in range(ENDED):
            leaver = Browser(self._client, self._url)
            await leaver.post(f"/login/{number}")
            copied = {cookie.name: cookie.value for cookie in leaver.cookies.jar}
            await leaver.post("/logout")
            self.ended.append(Browser(self._client, self._url, copied))

    @asynccontextmanager
    async def asking(self):
        """Everybody asks as long as the block runs; what a request has met with is raised at its end."""
        strangers = [Browser(self._client, self._url) for _ in range(STRANGERS)]
        others = [*((NOBODY, browser) for browser in self.ended), *((STRANGER, browser) for browser in strangers)]
        pairs = [*enumerate(self.users), *others]
        everybody = asyncio.gather(*(self._ask_for_ever(number, browser) for number, browser in pairs))
        yield
        everybody.cancel()
        with suppress(asyncio.CancelledError):
            await everybody

    async def _ask_for_ever(self, own, browser):
        while True:
            begun = time.monotonic()
            response = await browser.get("/who")
            user = response.json()[0] if response.is_success else None
            self.answers.append(Answer(begun, time.monotonic() - begun, response.status_code, user, own))
            await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))

    def between(self, begun, ended):
        """The answers to what was asked in that time, as far as they have come."""
        return [answer for answer in self.answers if begun <= answer.asked_at < ended]


def p99(answers):
    """Seconds within which 99 of 100 were answered."""
    return statistics.quantiles((answer.seconds for answer in answers), n=100)[98]
