"""What requests leave behind: bytes while they are in flight, growth over many, reference cycles."""

import gc
import itertools
import sys
import tracemalloc
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from starlette.requests import Request

from tests.benchmarks import cases, contender, product, starlette_peers
from tests.benchmarks.asgi import Action, App, application, discard, http_scope, receive, request_headers
from tests.benchmarks.cases import Case, case

_IN_FLIGHT = 500
_CYCLE_REQUESTS = 1_000


class InFlight(NamedTuple):
    name: str
    bytes: float


class Memory(NamedTuple):
    """`growth`: memory blocks held after the requests and not before; `cycles`: objects a request."""

    in_flight: list[InFlight]
    at_rest: int
    requests: int
    growth: int
    cycles: dict[str, float]


async def measure(*, requests: int) -> Memory:
    """All figures; `requests` is how many the growth is taken over."""
    ours = product.contender()
    signed = starlette_peers.starlette("Starlette", starlette_peers.PLAIN)
    names = (cases.NO_COOKIE, cases.UNTOUCHED, cases.READ_NEW, cases.WRITE_NEW, cases.DUE, *cases.REJECTED)
    mixed = [await case(ours, scenario, "120 B") for scenario in names]
    signed_read, our_read = [await case(one, cases.READ, "120 B") for one in (signed, ours)]
    return Memory(
        [
            InFlight("bare", _in_flight(lambda app: app, contender.ignore, our_read)),
            InFlight("FastSession, untouched", _in_flight(product.wrapped, contender.ignore, our_read)),
            InFlight("FastSession, read", _in_flight(product.wrapped, product.read, our_read)),
            InFlight("Starlette, read", _in_flight(starlette_peers.wrapped, starlette_peers.read, signed_read)),
        ],
        _at_rest(),
        requests,
        await _growth(mixed, requests),
        {one.key.scenario: await _cycles(one) for one in mixed},
    )


class _Pause:
    """Something to wait for that never comes by itself."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def _in_flight(wrap: Callable[[App], App], action: Action, example: Case) -> float:
    """Bytes that one waiting request holds, once it has done what it does with its session."""

    async def wait(request: Request) -> bytes:
        body = await action(request)
        await _Pause()
        return body

    app = wrap(application(wait))
    headers = [request_headers(), *example.requests][-1]
    _start_and_finish(app, headers, _IN_FLIGHT)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    waiting = _started(app, headers, _IN_FLIGHT)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    _finish(waiting)
    return held / _IN_FLIGHT


def _start_and_finish(app: App, headers: list[tuple[bytes, bytes]], count: int) -> None:
    _finish(_started(app, headers, count))


def _started(app: App, headers: list[tuple[bytes, bytes]], count: int) -> list[Any]:
    waiting: list[Any] = [app(http_scope(headers), receive, discard) for _ in range(count)]
    for coroutine in waiting:
        coroutine.send(None)
    return waiting


def _finish(waiting: list[Any]) -> None:
    for coroutine in waiting:
        try:
            coroutine.send(None)
        except StopIteration:
            continue


def _at_rest() -> int:
    """Bytes of a middleware that has served nothing yet, beyond what the first one loads for all."""
    app = contender.bare_application()
    kept = [product.wrapped(app)]
    gc.collect()
    tracemalloc.start()
    kept.append(product.wrapped(app))
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held


async def _growth(mixed: list[Case], requests: int) -> int:
    turns = [itertools.cycle(one.requests) for one in mixed]
    await _round_robin(mixed, turns, 5 * cases.MANY * len(mixed))
    gc.collect()
    before = sys.getallocatedblocks()
    await _round_robin(mixed, turns, requests)
    gc.collect()
    return sys.getallocatedblocks() - before


async def _round_robin(mixed: list[Case], turns: list[Any], requests: int) -> None:
    for _ in range(requests // len(mixed)):
        for one, turn in zip(mixed, turns, strict=True):
            await one.app(http_scope(next(turn)), receive, discard)


async def _cycles(one: Case) -> float:
    """Objects a request that only the cycle collector can free."""
    gc.collect()
    gc.disable()
    try:
        for headers in itertools.islice(itertools.cycle(one.requests), _CYCLE_REQUESTS):
            await one.app(http_scope(headers), receive, discard)
        return gc.collect() / _CYCLE_REQUESTS
    finally:
        gc.enable()
