"""`python -m tests.benchmarks`: measure, write docs/performance.md, and fail when a budget is missed."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis.asyncio import Redis

from tests.benchmarks import (
    end_to_end,
    growth,
    in_process,
    memory,
    node_peers,
    product,
    report,
    server_side,
    servers,
    starlette_peers,
    tables,
    verdicts,
)
from tests.benchmarks.machine import machine
from tests.benchmarks.servers import MissingProgramError
from tests.benchmarks.verdicts import Verdict

# So many rounds, unless the machine is so busy that they take longer than this.
QUICK_ROUNDS, QUICK_SECONDS = 12, 40
ROUNDS, SECONDS = 60, 180
GROWTH_ROUNDS, GROWTH_SECONDS = 20, 40
REQUESTS_FOR_GROWTH = 1_000_000
# Many short rounds: what else the machine does then falls on all alike.
LOAD_ROUNDS, LOAD_SECONDS = 13, 1
MET, MISSED = 0, 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one minute: in process only, nothing is written")
    parser.add_argument("--served", type=int, metavar="ROUNDS", help="end to end only, half a minute a round")
    options = parser.parse_args()
    with _unheard_log():
        found = asyncio.run(_quick() if options.quick else _served(options.served) if options.served else _all())
    print(tables.verdicts(found))
    missed = [verdict.name for verdict in found if not verdict.met]
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return MISSED if missed else MET


async def _quick() -> list[Verdict]:
    async with AsyncExitStack() as stack:
        figures = await in_process.measure(
            rounds=QUICK_ROUNDS, seconds=QUICK_SECONDS, redis=await _redis(stack), node=None
        )
    print(f"{machine()}\n\n{tables.peers(figures)}\n\n{tables.sizes(figures)}\n\n{tables.noise(figures)}\n")
    return [*verdicts.of_requests(figures), *verdicts.of_stores(await server_side.round_trips())]


async def _served(rounds: int) -> list[Verdict]:
    routes = await _end_to_end(rounds)
    if routes is not None:
        print(f"{machine()}\n\n{tables.cost(routes)}\n\n{tables.routes(routes)}\n")
    return list(verdicts.of_routes(routes))


async def _all() -> list[Verdict]:
    async with AsyncExitStack() as stack:
        _tell("in process, beside Python and Node peers")
        node = _unless_missing(lambda: stack.enter_context(node_peers.node_peers()))
        figures = await in_process.measure(rounds=ROUNDS, seconds=SECONDS, redis=await _redis(stack), node=node)
    _tell("growth")
    plots = await growth.measure(rounds=GROWTH_ROUNDS, seconds=GROWTH_SECONDS)
    _tell("memory")
    held = await memory.measure(requests=REQUESTS_FOR_GROWTH)
    _tell("end to end")
    routes = await _end_to_end(LOAD_ROUNDS)
    _tell("done")
    found = [
        *verdicts.of_routes(routes),
        *verdicts.of_requests(figures),
        *verdicts.of_stores(await server_side.round_trips()),
        *verdicts.of_memory(held),
    ]
    print(f"wrote {report.write(report.Run(figures, plots, held, routes), found)}\n")
    return found


async def _end_to_end(rounds: int) -> end_to_end.Routes | None:
    ours = product.contender(), product.SECRET
    signed = starlette_peers.starlette("Starlette", starlette_peers.PLAIN), starlette_peers.SECRET
    contenders = {"bare": ours, "fastsession": ours, "forgetful": ours, "starlette": signed}
    try:
        with TemporaryDirectory() as folder:
            return await end_to_end.measure(contenders, rounds=rounds, seconds=LOAD_SECONDS, folder=Path(folder))
    except MissingProgramError as error:
        _tell(str(error))
        return None


async def _redis(stack: AsyncExitStack) -> Redis | None:
    port = _unless_missing(lambda: stack.enter_context(servers.redis_server()))
    return await stack.enter_async_context(Redis(host="127.0.0.1", port=port)) if port else None


def _unless_missing(start: Any) -> Any:
    """What is started, or None after saying which program is missing."""
    try:
        return start()
    except MissingProgramError as error:
        _tell(str(error))
        return None


@contextlib.contextmanager
def _unheard_log() -> Iterator[None]:
    """Format and write the product's log lines, as an application would, where nobody sees them."""
    logger = logging.getLogger("fastsession")
    with Path(os.devnull).open("w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        logger.addHandler(handler)
        logger.propagate = False
        yield
        logger.removeHandler(handler)


def _tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
