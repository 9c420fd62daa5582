"""A worker that follows a system: how old what it knows is, and which looks a request waits for."""

import asyncio

import pytest

from fastsession import StoreUnavailableError
from fastsession.stores.following import Follower
from tests.processes import PATIENCE

pytestmark = pytest.mark.anyio

LONG = 100 * PATIENCE


class System:
    """Answers looks when it is let, and fails those that it is told to fail. Of waits only the first ones end."""

    def __init__(self, *, failing=(), waits=0, **options):
        self.failing, self.waits_left = failing, waits
        self.looks = 0
        self.asked, self.answering = asyncio.Event(), asyncio.Event()
        self.answering.set()
        options = {"max_staleness": LONG, "patience": LONG, **options}
        self.follower = Follower("It", look=self.look, wait=self.wait, **options)

    async def look(self):
        self.looks += 1
        number = self.looks
        self.asked.set()
        await self.answering.wait()
        if number in self.failing:
            raise StoreUnavailableError("away")

    async def wait(self):
        if self.waits_left:
            self.waits_left -= 1
            return
        await asyncio.Event().wait()

    def hold(self):
        self.asked.clear()
        self.answering.clear()

    async def __aenter__(self):
        await self.follower.start()
        return self

    async def __aexit__(self, *error):
        await self.follower.stop()

    def is_known(self):
        try:
            self.follower.check_fresh()
        except StoreUnavailableError:
            return False
        return True


async def test_a_request_waits_for_the_look_after_one_that_failed():
    async with System(failing=[1]) as system:
        assert not system.is_known()
        await system.follower.catch_up()
        assert system.is_known()
        assert system.looks == 2


async def test_a_request_waits_for_two_looks_and_no_more():
    async with System(failing=range(100)) as system:
        await system.follower.catch_up()
        assert not system.is_known()
        assert system.looks == 3


async def test_one_look_serves_all_that_wait():
    async with System(failing=[1]) as system:
        system.hold()
        waiting = asyncio.gather(*(system.follower.catch_up() for _ in range(10)))
        await system.asked.wait()
        system.answering.set()
        await waiting
        assert system.is_known()
        assert system.looks == 2


@pytest.mark.parametrize("failing", [[], [2]], ids=["answered", "failed"])
async def test_whoever_asks_in_the_middle_of_a_look_waits_for_the_next_one_and_for_no_pause(failing):
    """As after a freeze in its middle: what it answers may be from before."""
    async with System(failing=failing, waits=1, max_staleness=0.01) as system:
        system.hold()
        await system.asked.wait()
        while system.is_known():  # noqa: ASYNC110  (time gives no event)
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(system.follower.catch_up())
        await asyncio.sleep(0)
        system.asked.clear()
        system.answering.set()
        # The third look: of the second wait there is no end.
        await system.asked.wait()
        await waiting


async def test_what_a_look_has_told_is_as_old_as_its_beginning():
    system = System(max_staleness=0.05)
    system.hold()
    starting = asyncio.create_task(system.follower.start())
    await system.asked.wait()
    await asyncio.sleep(0.1)
    system.answering.set()
    await starting
    assert not system.is_known()
    await system.follower.stop()
