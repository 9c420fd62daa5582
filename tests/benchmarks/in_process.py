"""What is measured in process: which cases there are, and everything in one interleaved run."""

from redis.asyncio import Redis

from fastsession import generate_key
from tests.benchmarks import cases, codecs, floor, framework_peers, product, starlette_peers
from tests.benchmarks.asgi import App, request_headers
from tests.benchmarks.cases import Case, Key, Scenario, case
from tests.benchmarks.contender import Contender, bare_application
from tests.benchmarks.figures import Figures
from tests.benchmarks.node_peers import NodePeers
from tests.benchmarks.payloads import SIZES, contents_of
from tests.benchmarks.server_side import server_side_cases
from tests.benchmarks.timing import interleaved, requests

PRODUCT, FLOOR, STARLETTE = "FastSession", "the floor", "Starlette"
CHECKED_FLOOR = "the floor with the checks"
BARE = "bare ASGI"
SMALL = "120 B"
KEY_COUNTS = (1, 4, 16)
OTHER_COOKIES = (0, 5, 30, 60)
IN_ALL_SIZES = [cases.UNTOUCHED, cases.READ, cases.READ_NEW, cases.WRITE, cases.WRITE_NEW]
# The small differences that budgets are about need a baseline that is better known than they are.
_BASELINES = 3
# Enough for three cookies; two hold the 3 KB of the tables.
_THREE_COOKIES = {"size": 6_600, "lines": 50}


async def measured_cases(redis: Redis | None) -> list[Case]:
    """Every case of the tables, each checked."""
    ours = product.contender(PRODUCT)
    as_a_dict = product.contender("FastSession, request.session", product.AS_A_DICT)
    peers = [*starlette_peers.starlette_peers(redis), framework_peers.litestar_contender()]
    found = _baselines()
    for contender in (ours, as_a_dict, *peers):
        # Only ours remembers cookies; the references of the budgets go through as many, to be fair.
        scenarios = [one for one in IN_ALL_SIZES if one.arrival != "many" or contender.ages]
        found += [await case(contender, scenario, size) for scenario in scenarios for size in SIZES]
        found += [await case(contender, scenario, SMALL) for scenario in (cases.NO_COOKIE, cases.WRITE_TOP)]
        wanted = [scenario for scenario in cases.REJECTED if contender.ages or scenario.arrival != "expired"]
        found += [await case(contender, scenario, SMALL) for scenario in wanted]
    found += await server_side_cases(redis)
    found += await _floor_cases(ours, FLOOR)
    found += await _floor_cases(ours, CHECKED_FLOOR)
    found += [await case(ours, cases.DUE, size) for size in SIZES]
    found += [await case(ours, cases.WRITE_CART, size) for size in SIZES if size != SMALL]
    found += await _keys_and_neighbours()
    found += await _chunks()
    found += [await cases.hostile_case(ours, shape) for shape in cases.HOSTILE_SHAPES]
    return found


def _baselines() -> list[Case]:
    bare = {BARE: bare_application(), **framework_peers.bare_frameworks()}
    found = [Case(Key(name, "bare", ""), app, [request_headers()], name) for name, app in bare.items()] * _BASELINES
    others = starlette_peers.without_sessions().items()
    return found + [Case(Key(name, "untouched", SMALL), app, [request_headers()], BARE) for name, app in others]


async def _floor_cases(ours: Contender, name: str) -> list[Case]:
    """A floor's, on the product's own cookies; what it writes, the product must be able to show."""
    idle = int(product.IDLE.total_seconds())
    times = {"idle": idle, "absolute": 2 * idle, "due": idle // 4}
    line = floor.Floor(product.SECRET, name=product.COOKIE, with_checks=name == CHECKED_FLOOR, **times)
    applications: dict[str, App] = {
        "ignore": floor.application(line.ignore),
        "read": floor.application(line.read),
        "nested write": floor.application(line.write_nested),
        "top-level write": floor.application(line.write_top_level),
        "show": ours.build("show"),
    }
    contender = Contender(name, applications.__getitem__, ours.issue)
    found = [await case(contender, scenario, size) for scenario in IN_ALL_SIZES for size in SIZES]
    return [*found, await case(contender, cases.WRITE_TOP, SMALL)]


async def _keys_and_neighbours() -> list[Case]:
    """The product with several keys, sealed under the first and under the last, and among other cookies."""
    found = []
    forged = cases.REJECTED[1]
    for count in KEY_COUNTS:
        older = [generate_key() for _ in range(count - 1)]
        ring = product.contender(f"FastSession, keys: {count}", fallbacks=older)
        found += [await case(ring, scenario, SMALL) for scenario in (cases.UNTOUCHED, cases.READ_NEW, forged)]
        if older:
            last = product.contender(f"FastSession, keys: {count}", sealed_with=older[-1], fallbacks=older)
            found.append(await case(last, Scenario("fallback key", "ignore", "due"), SMALL))
    for contender in (product.contender(PRODUCT), starlette_peers.starlette(STARLETTE, starlette_peers.PLAIN)):
        for count in OTHER_COOKIES:
            for name, deed in (("untouched", "ignore"), ("read", "read")):
                scenario = Scenario(f"{name} among {count} others", deed, "valid")
                found.append(await case(contender, scenario, SMALL, other_cookies=count))
    return found


async def _chunks() -> list[Case]:
    three = product.contender(PRODUCT, max_cookies=3)
    data = contents_of(**_THREE_COOKIES)
    return [
        await case(three, scenario, "3 cookies", data=data) for scenario in IN_ALL_SIZES if scenario.arrival != "many"
    ]


async def measure(*, rounds: int, seconds: float, redis: Redis | None, node: NodePeers | None) -> Figures:
    """The figures of all cases and of sealing and opening alone, in the same rounds."""
    found = await measured_cases(redis)
    tasks = [*map(requests, found), *codecs.tasks()]
    between = node.round if node else lambda: None
    samples = await interleaved(tasks, rounds=rounds, seconds=seconds, between=between)
    if node is not None:
        samples.update({key: [of_key] for key, of_key in node.samples.items()})
    return Figures(samples, {one.key: one.bare for one in found})
