"""T-13: a real Redis killed, stopped and started again under load, and clients that leave before they are answered."""

import asyncio
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from fastsession import generate_key
from tests.processes import free_port
from tests.soak import checks
from tests.soak.browser import connections
from tests.soak.checks import Check
from tests.soak.fleet import site
from tests.soak.visitors import NOBODY, STRANGER, USERS, Visitors, p99
from tests.stores.redis_server import running as redis

WORKERS, LEAVERS = 2, 10
# Seconds of an outage, and after it.
OUTAGE, AFTER = 3, 3
# Seconds within which the policy has to be the answer, and all served again, on top of what strangers wait for
# answers that need no Redis.
ANSWER, RECOVERY = 0.3, 1.0
POLICIES = ["unavailable", "anonymous"]
FAULTS = {
    "killed": (lambda server: server.kill(), lambda server: server.start()),
    "stopped": (lambda server: server.pause(), lambda server: server.resume()),
}


class Scene(NamedTuple):
    policy: str
    url: str
    redis: Any
    visitors: Visitors


class Outage(NamedTuple):
    """What was answered during one outage, and how many seconds after its end somebody was not served yet."""

    during: list[Any]
    let_in: int
    recovery: float


def measure(seconds):
    each = seconds / len(POLICIES)
    return [check for policy in POLICIES for check in asyncio.run(_of_a_policy(policy, each))]


async def _of_a_policy(policy, seconds):
    found = []
    with TemporaryDirectory() as folder, redis(Path(folder) / "redis") as server:
        home = "redis", server.url, "prompt"
        with site(free_port(), home, workers=WORKERS, secret_key=generate_key(), store_outage=policy) as url:
            async with connections() as client:
                scene = Scene(policy, url, server, Visitors(client, url))
                await scene.visitors.sign_in()
                async with scene.visitors.asking():
                    for fault in FAULTS:
                        found += await _outages(scene, fault, seconds / 3)
                    found += await _storm(scene, seconds / 3)
    return [*found, *_wrong(scene)]


async def _outages(scene, fault, seconds):
    """Outages one after the other."""
    begun, outages = time.monotonic(), []
    while not outages or time.monotonic() < begun + seconds:
        outages.append(await _outage(scene, *FAULTS[fault]))
    told = f"Redis {fault}, {scene.policy}"
    answers = [answer for outage in outages for answer in outage.during]
    during = [answer for answer in answers if answer.own != STRANGER]
    usual = p99([answer for answer in answers if answer.own == STRANGER])
    return [
        checks.at_least(f"{told}: requests in {len(outages)} outages", len(during), USERS),
        Check(f"{told}: 99 of 100 strangers answered within", checks.milliseconds(usual)),
        checks.at_most(f"{told}: 99 of 100 others", p99(during), usual + ANSWER),
        Check(f"{told}: slowest answer", checks.milliseconds(max(answer.seconds for answer in during))),
        checks.none(f"{told}: let in although nobody could know", sum(outage.let_in for outage in outages)),
        checks.at_most(
            f"{told}: the last one not served, after its end",
            max(outage.recovery for outage in outages),
            usual + RECOVERY,
        ),
    ]


async def _outage(scene, begin, end):
    visitors = scene.visitors
    await asyncio.to_thread(begin, scene.redis)
    begun = time.monotonic()
    await asyncio.sleep(OUTAGE)
    over = time.monotonic()
    await asyncio.to_thread(end, scene.redis)
    back = time.monotonic()
    await asyncio.sleep(AFTER)
    during = visitors.between(begun, over)
    # Whoever was answered before Redis was back is nobody: it was not known who he is.
    let_in = sum(answer.user is not None and answer.asked_at + answer.seconds < over for answer in during)
    after = [answer for answer in visitors.between(back, time.monotonic()) if answer.own >= 0]
    recovery = max((answer.asked_at - back for answer in after if answer.user is None), default=0.0)
    return Outage(during, let_in, recovery)


async def _storm(scene, seconds):
    """Clients that send a request and are gone before, or while, it is answered."""
    begun = time.monotonic()
    left = sum(await asyncio.gather(*(_leave_early(scene, begun + seconds) for _ in range(LEAVERS))))
    stayed = scene.visitors.between(begun, time.monotonic())
    refused = sum(answer.status != 200 for answer in stayed)
    return [
        checks.at_least(f"storm, {scene.policy}: clients that left early", left, 100),
        checks.at_least(f"storm, {scene.policy}: requests that stayed", len(stayed), USERS),
        Check(f"storm, {scene.policy}: of these not answered 200", str(refused), "1%", refused <= len(stayed) / 100),
    ]


async def _leave_early(scene, ends):
    """Ask with the users' cookies, never wait for the answer, and return how often."""
    host, _, port = scene.url.removeprefix("http://").partition(":")
    left = 0
    while time.monotonic() < ends:
        jar = random.choice(scene.visitors.users).cookies.jar
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /who HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n".encode())
        await asyncio.sleep(random.uniform(0, 0.01))
        writer.transport.abort()
        left += 1
    return left


def _wrong(scene):
    taken = [answer for answer in scene.visitors.answers if answer.user is not None]
    wrong = sum(answer.user != answer.own for answer in taken if answer.own != NOBODY)
    let_in = sum(answer.own == NOBODY for answer in taken)
    yield checks.none(f"{scene.policy}: answers of another user's session in all of this", wrong)
    yield checks.none(f"{scene.policy}: copies of signed-out cookies that were let in", let_in)


if __name__ == "__main__":
    sys.exit(checks.main(measure, __doc__))
