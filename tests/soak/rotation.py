"""T-12: key rotation by rolling restarts under load. Accept the new key everywhere, seal with it, retire the old one."""

import asyncio
import sys
from collections import Counter
from contextlib import suppress
from tempfile import TemporaryDirectory

from fastsession import generate_key
from fastsession.errors import Rejected
from fastsession.keyring import KeyRing, accepted_secrets
from fastsession.sealing.token import TokenSealer
from tests.shop import COOKIE
from tests.soak import checks
from tests.soak.browser import Browser, connections
from tests.soak.fleet import Balancer

SERVERS, USERS = 4, 40
HOMES = ["cookies", "store"]
# Seconds between two visits of a user.
PAUSE = 0.05
SERVER_ERROR = 500


class User:
    """Signed in once; for ever after one with an even number counts up in the session, and the others only look."""

    def __init__(self, number, client, turn, found):
        self.browser = Browser(client, turn)
        self.visits = 0
        self._number = number
        self._expected = {"user_id": number}
        self._found = found

    async def visit_for_ever(self):
        await self.browser.post(f"/login/{self._number}")
        while True:
            await self._visit()
            await asyncio.sleep(PAUSE)

    async def _visit(self):
        if self._number % 2 == 0:
            self._expected["visits"] = self.visits
            await self._ask(self.browser.post("/update", json=self._expected))
        await self._ask(self.browser.get("/view"))
        self.visits += 1

    async def _ask(self, request):
        response = await request
        self._found["requests"] += 1
        if response.status_code >= SERVER_ERROR:
            self._found["5xx"] += 1
        else:
            self._found["lost"] += response.json() != self._expected

    def sealed_under(self, secret):
        """Whether the cookie that the browser holds was sealed with this secret."""
        sealer = TokenSealer(KeyRing(accepted_secrets(secret, ())), cookie_name=COOKIE)
        with suppress(Rejected):
            [cookie] = self.browser.cookies.jar
            return sealer.open(cookie.value) is not None
        return False


def measure(seconds):
    return [check for mode in HOMES for check in asyncio.run(_of_a_home(mode, seconds / len(HOMES)))]


async def _of_a_home(mode, seconds):
    found = Counter({"requests": 0, "5xx": 0, "lost": 0, "left": 0, "retired": 0, "rotations": 0})
    with TemporaryDirectory() as place:
        balancer = Balancer(("sqlite", place, mode), SERVERS)
        secret = generate_key()
        try:
            await balancer.start(secret_key=secret)
            async with connections() as client:
                users = [User(number, client, balancer.turn, found) for number in range(USERS)]
                visits = [asyncio.create_task(user.visit_for_ever()) for user in users]
                await _everybody_has_visited(users, visits)
                ends = asyncio.get_running_loop().time() + seconds
                while not found["rotations"] or asyncio.get_running_loop().time() < ends:
                    secret = await _rotated(balancer, users, visits, secret, found)
                await _stopped(visits)
        finally:
            await balancer.stop()
    return _checks("cookies only" if mode == "cookies" else f"{mode}, sqlite", found)


async def _rotated(balancer, users, visits, old, found):
    """Replace the secret as docs/keys.md says; returns the new one."""
    new = generate_key()
    await balancer.restart(secret_key=old, secret_key_fallbacks=[new])
    await balancer.restart(secret_key=new, secret_key_fallbacks=[old])
    await _everybody_has_visited(users, visits)
    found["left"] += sum(not user.sealed_under(new) for user in users)
    await balancer.restart(secret_key=new)
    await _everybody_has_visited(users, visits)
    found["retired"] += sum(user.sealed_under(old) for user in users)
    found["rotations"] += 1
    return new


async def _everybody_has_visited(users, visits):
    """Wait until every user has begun and ended a visit; raises what a visit has met with."""
    before = [user.visits for user in users]
    while any(user.visits < count + 2 for user, count in zip(users, before, strict=True)):
        done, _ = await asyncio.wait(visits, timeout=PAUSE, return_when=asyncio.FIRST_EXCEPTION)
        for visit in done:
            visit.result()


async def _stopped(visits):
    for visit in visits:
        visit.cancel()
    await asyncio.wait(visits)


def _checks(name, found):
    yield checks.at_least(f"{name}: rotations, each with {3 * SERVERS} restarts", found["rotations"], 1)
    yield checks.at_least(f"{name}: requests", found["requests"], USERS * 10)
    yield checks.none(f"{name}: answered 500 and above", found["5xx"])
    yield checks.none(f"{name}: sessions lost, or older than what was written", found["lost"])
    yield checks.none(f"{name}: sessions not under the new key after a visit", found["left"])
    yield checks.none(f"{name}: sessions under the retired key", found["retired"])


if __name__ == "__main__":
    sys.exit(checks.main(measure, __doc__))
