"""Uvicorn with four workers under users with browser-like cookie jars. FASTSESSION_LONG=1: a minute of each."""

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fastsession import generate_key
from tests.processes import PATIENCE, free_port, started
from tests.server_side.visits import Visits

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
WORKERS, USERS = 4, 12
# Four kinds of fleet: a quarter of a minute in all, or a minute each.
SECONDS = 60 if os.environ.get("FASTSESSION_LONG") else 15 / 4


@contextmanager
def fleet(kind, place, mode, workers=WORKERS):
    """The address of a server with so many workers."""
    port = free_port()
    settings = {"FLEET_KIND": kind, "FLEET_PLACE": str(place), "FLEET_MODE": mode, "FLEET_SECRET": generate_key()}
    options = ("--workers", str(workers), "--port", str(port), "--log-level", "error", "--timeout-keep-alive", "60")
    command = [sys.executable, "-m", "uvicorn", "tests.server_side.fleet:app", "--host", "127.0.0.1", *options]
    with started(command, cwd=ROOT, env={**os.environ, **settings}) as server:
        yield until_it_answers(f"http://127.0.0.1:{port}", server)


def until_it_answers(url, server):
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{url}/who").raise_for_status()
        except httpx.HTTPError:
            if server.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return url


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
@pytest.mark.parametrize("mode", ["store", "revocations"])
async def test_nobody_is_resurrected_mistaken_or_overwritten(kind, mode, request, tmp_path, record_property):
    place = tmp_path if kind == "sqlite" else request.getfixturevalue("mortal_redis").url
    stored = mode == "store"
    with fleet(kind, place, mode) as url:
        # What is denied in one worker has to reach the others; what is deleted from a store is gone.
        visits = Visits(url, stored=stored, grace=0.0 if stored else 1.0)
        await visits.by_users(USERS, SECONDS)
    figures = (
        f"{mode}, {kind}, {SECONDS:g} s: {sum(visits.done.values())} requests {dict(visits.done)}; {dict(visits.found)}"
    )
    record_property("figures", figures)
    print(figures)
    assert visits.found == {"cross_user_reads": 0, "resurrections": 0, "lost_updates": 0}
    assert min(visits.done[verb] for verb in ("login", "update", "slow", "reads")) > USERS
