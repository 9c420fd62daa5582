"""How the added cost grows with the payload, the keys, the other cookies and the requests in flight."""

import asyncio
import itertools
import statistics
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request

from fastsession import generate_key
from tests.benchmarks import cases, contender, product, starlette_peers
from tests.benchmarks.asgi import Action, App, application, discard, exchange, http_scope, receive, request_headers
from tests.benchmarks.cases import Case, Key, Scenario, case
from tests.benchmarks.figures import Figures
from tests.benchmarks.payloads import contents, contents_of
from tests.benchmarks.timing import Task, interleaved, requests

PAYLOADS = (160, 512, 1_024, 1_536, 2_048, 2_560, 3_072)
KEYS = (1, 2, 4, 8, 16)
OTHERS = (0, 10, 20, 30, 40, 50, 60)
IN_FLIGHT = (1, 4, 16, 64, 256)
# One nested line takes about this much, and the rest of the session less than the first.
_LINE_BYTES, _REST_BYTES = 125, 160
_BARE = "bare ASGI"


class Line(NamedTuple):
    """Added microseconds at each x, and the straight line through them."""

    label: str
    x: list[float]
    y: list[float]
    slope: float
    start: float


class Plot(NamedTuple):
    """`unit` is the name of one step of x."""

    name: str
    title: str
    unit: str
    lines: list[Line]


async def measure(*, rounds: int, seconds: float) -> list[Plot]:
    """The four plots, from one interleaved run."""
    ours = product.contender()
    signed = starlette_peers.starlette("Starlette", starlette_peers.PLAIN)
    measured = [
        Case(Key(_BARE, "bare", ""), contender.bare_application(), [request_headers()], _BARE),
        *[one async for one in _payload_cases(ours, signed)],
        *[one async for one in _key_cases()],
        *[one async for one in _neighbour_cases(ours, signed)],
    ]
    flights = await _flights(ours, signed)
    samples = await interleaved([*map(requests, measured), *flights], rounds=rounds, seconds=seconds)
    bare = {task.key: f"{_BARE}, {task.key.size}" for task in flights}
    figures = Figures(samples, bare | {one.key: one.bare for one in measured})
    return [
        _plot(figures, "payload", "Size of the session", "bytes of JSON", PAYLOADS),
        _plot(figures, "keys", "Secrets that open", "keys", KEYS),
        _plot(figures, "cookies", "Other cookies in the request", "cookies", OTHERS),
        _plot(figures, "in flight", "Requests in flight", "requests", IN_FLIGHT),
    ]


def _plot(figures: Figures, name: str, title: str, unit: str, steps: tuple[int, ...]) -> Plot:
    labels = dict.fromkeys(
        (key.contender, key.scenario)
        for key in figures
        if key.size.startswith(f"{name} ") and not key.contender.startswith(_BARE)
    )
    return Plot(name.replace(" ", "-"), title, unit, [_line(figures, name, label, steps) for label in labels])


def _line(figures: Figures, name: str, label: tuple[str, str], steps: tuple[int, ...]) -> Line:
    x = [float(step) for step in steps]
    y = [figures.added(Key(*label, f"{name} {step}")).median for step in steps]
    slope, start = statistics.linear_regression(x, y)
    return Line(", ".join(label), x, y, slope, start)


def _renamed(one: Case, scenario: str, size: str) -> Case:
    return Case(Key(one.key.contender.partition(",")[0], scenario, size), one.app, one.requests, one.bare)


async def _payload_cases(*contenders: contender.Contender) -> Any:
    for one, size, (label, ours, theirs) in itertools.product(
        contenders, PAYLOADS, (("read", cases.READ_NEW, cases.READ), ("write", cases.WRITE_NEW, cases.WRITE))
    ):
        data = contents_of(size, lines=max(0, (size - _REST_BYTES) // _LINE_BYTES))
        found = await case(one, theirs if one.name == "Starlette" else ours, "", data=data)
        yield _renamed(found, label, f"payload {size}")


async def _key_cases() -> Any:
    for count, (label, scenario) in itertools.product(KEYS, (("read", cases.READ_NEW), ("forged", cases.REJECTED[1]))):
        ring = product.contender(fallbacks=[generate_key() for _ in range(count - 1)])
        yield _renamed(await case(ring, scenario, "120 B"), label, f"keys {count}")


async def _neighbour_cases(*contenders: contender.Contender) -> Any:
    for one, count, deed in itertools.product(contenders, OTHERS, ("ignore", "read")):
        label = "untouched" if deed == "ignore" else "read"
        found = await case(one, Scenario(label, deed, "valid"), "120 B", other_cookies=count)
        yield _renamed(found, label, f"cookies {count}")


async def _flights(ours: contender.Contender, signed: contender.Contender) -> list[Task]:
    """Requests that all read their session before any of them answers."""
    found = []
    wraps: list[tuple[str, Callable[[App], App], Action, contender.Contender | None]] = [
        (_BARE, lambda app: app, contender.ignore, None),
        (ours.name, product.wrapped, product.read, ours),
        (signed.name, starlette_peers.wrapped, starlette_peers.read, signed),
    ]
    for (name, wrap, action, issuer), count in itertools.product(wraps, IN_FLIGHT):
        cookies = ""
        if issuer is not None:
            answer = await exchange(issuer.issue(contents("120 B"), 0), request_headers())
            cookies = answer.set_cookies()[0].partition(";")[0]
        app = wrap(application(_pausing(action)))
        size = f"in flight {count}"
        key = Key(name, "read", size) if issuer else Key(f"{name}, {size}", "bare", "")
        found.append(Task(key, _together(app, request_headers(cookies), count)))
    return found


def _pausing(action: Action) -> Action:
    async def act(request: Request) -> bytes:
        body = await action(request)
        await asyncio.sleep(0)
        return body

    return act


def _together(app: App, headers: list[tuple[bytes, bytes]], count: int) -> Callable[[int], Awaitable[None]]:
    async def again(total: int) -> None:
        for first in range(0, total, count):
            group = range(min(count, total - first))
            await asyncio.gather(*(app(http_scope(headers), receive, discard) for _ in group))

    return again
