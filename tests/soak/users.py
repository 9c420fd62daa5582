"""T-11: 200 users with two browsers each, four workers; they read, write, sign in and end sessions."""

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastsession import generate_key
from tests.processes import free_port
from tests.server_side.visits import Visits
from tests.soak import checks
from tests.soak.browser import Browser, connections
from tests.soak.checks import Check
from tests.soak.fleet import site
from tests.stores.redis_server import running as redis

USERS, WORKERS = 200, 4
# A short run has fewer users: each wants to be through at least once.
FEWEST_USERS, FEWEST_REQUESTS = 20, 300
HOMES = [
    ("none", "cookies"),
    ("sqlite", "revocations"),
    ("redis", "revocations"),
    ("sqlite", "store"),
    ("redis", "store"),
]
# Seconds after which a denial has to be in force in every worker, with both cores taken by 200 users.
GRACE = 2.0


class BrowserVisits(Visits):
    """Visits with browsers that keep cookies by the RFC."""

    def __init__(self, url, client, **options):
        super().__init__(url, **options)
        self._client = client
        self._browsers = []

    def ignored(self):
        """How many Set-Cookie lines a browser would not have stored."""
        return sum(browser.ignored for browser in self._browsers)

    def _browser(self, cookies=None):
        browser = Browser(self._client, self.url, cookies)
        self._browsers.append(browser)
        return browser


class CookieVisits(BrowserVisits):
    """Visits where nothing but the cookie knows the session: what ends is what the browser holds."""

    async def _end(self, browser, path, *, ended, user_id):
        """Log out when nothing is under way; then the browser holds nothing, and is nobody."""
        response = await self._ask(browser, "/logout")
        if response.is_success:
            seen = await self._look(browser, user_id)
            self.found["resurrections"] += seen is not None or browser.cookies.jar != []

    async def _end_others(self, laptop, phone, user_id):
        await self._logout(phone, laptop, user_id)

    async def _end_all(self, laptop, phone, user_id):
        await self._logout(laptop, phone, user_id)
        await self._logout(phone, laptop, user_id)


def measure(seconds):
    users = min(USERS, max(FEWEST_USERS, int(seconds)))
    return [check for kind, mode in HOMES for check in asyncio.run(_of_a_home(kind, mode, users, seconds / len(HOMES)))]


async def _of_a_home(kind, mode, users, seconds):
    visited = CookieVisits if mode == "cookies" else BrowserVisits
    grace = GRACE if mode == "revocations" else 0.0
    with (
        _place(kind) as place,
        site(free_port(), (kind, place, mode), workers=WORKERS, secret_key=generate_key()) as url,
    ):
        async with connections() as client:
            visits = visited(url, client, stored=mode == "store", grace=grace)
            await visits.by_users(users, seconds)
    return [Check(f"{_name(kind, mode)}: users", str(users)), *_found(_name(kind, mode), visits)]


def _name(kind, mode):
    return "cookies only" if mode == "cookies" else f"{mode}, {kind}"


@contextmanager
def _place(kind):
    with TemporaryDirectory() as folder:
        if kind == "redis":
            with redis(Path(folder) / "redis") as server:
                yield server.url
        else:
            yield folder


def _found(name, visits):
    requests, unavailable = sum(visits.done.values()), visits.done["unavailable"]
    faults = {**visits.found, "cookies_that_no_browser_stores": visits.ignored()}
    if not visits.stored:
        # Data in cookies has no order among parallel writes.
        del faults["lost_updates"]
    told = ", ".join(f"{count:,} {fault.replace('_', ' ')}" for fault, count in faults.items())
    yield checks.at_least(f"{name}: requests", requests - unavailable, FEWEST_REQUESTS)
    yield Check(f"{name}: requests not answered 200", f"{unavailable:,}", "1%", unavailable <= requests / 100)
    yield Check(f"{name}: faults", told, "0 of each", not any(faults.values()))


if __name__ == "__main__":
    sys.exit(checks.main(measure, __doc__))
