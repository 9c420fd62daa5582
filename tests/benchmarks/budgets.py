"""The budgets, as data. The run measures each and fails when one is missed or could not be measured."""

from typing import NamedTuple

from tests.benchmarks.cases import HOSTILE_SHAPES, MANY

FEW = 100
FIRST_SIGHT = ", first sight"
OURS, AS_A_DICT = "FastSession", "FastSession, request.session"
STARLETTE, VALIDATED, FLOOR = "Starlette", "Starlette + model_validate", "the floor with the checks"
SMALL = "120 B"


class Ratio(NamedTuple):
    """CPU time that the one adds in its scenario, of what the other adds in its, at most."""

    contender: str
    scenario: str
    size: str
    reference: str
    reference_scenario: str
    most: float


class Extra(NamedTuple):
    """Microseconds that the one takes more than the other, at most."""

    scenario: str
    contender: str
    than_scenario: str
    than_contender: str
    most: float


class Beside(NamedTuple):
    """Requests a CPU second of one of our routes, of those of the same route with Starlette's middleware, at least."""

    path: str
    visitors: int
    least: float


class Share(NamedTuple):
    """Requests a CPU second of one of our routes, of the bare application's, at least."""

    path: str
    visitors: int
    least: float


class Gain(NamedTuple):
    """Of the bare application's requests a CPU second: what the memory of cookies adds, at least."""

    path: str
    visitors: int
    least: float


def _alike(scenario: str, size: str, reference: str, most: float, contender: str = OURS) -> Ratio:
    return Ratio(contender, scenario, size, reference, scenario, most)


READ, WRITE = f"read{FIRST_SIGHT}", f"nested write{FIRST_SIGHT}"
# By a dependency beside a dependency, and from the request beside from the request.
BESIDE = [
    *[Beside(path, visitors, 1.0) for path in ("/read", "/write", "/write-by-request") for visitors in (MANY, FEW)],
    Beside("/read-by-request", MANY, 1.0),
    Beside("/read-by-request", FEW, 1.05),
]
GAINS = [Gain("/read", MANY, -0.01), Gain("/read", FEW, 0.05)]
SHARES = [Share("/untouched", visitors, 0.97) for visitors in (MANY, FEW)]
RATIOS = [
    _alike(READ, SMALL, STARLETTE, 0.62),
    _alike(WRITE, SMALL, STARLETTE, 0.82),
    _alike(READ, SMALL, STARLETTE, 0.75, AS_A_DICT),
    *[_alike(READ, size, VALIDATED, most) for size, most in ((SMALL, 0.55), ("1 KB", 0.90), ("3 KB", 0.95))],
    *[_alike(WRITE, size, VALIDATED, most) for size, most in ((SMALL, 0.75), ("1 KB", 0.95), ("3 KB", 1.00))],
    _alike(READ, SMALL, FLOOR, 1.5),
    _alike(READ, "3 KB", FLOOR, 1.15),
    _alike(WRITE, SMALL, FLOOR, 1.6),
    _alike(WRITE, "3 KB", FLOOR, 1.15),
    *[Ratio(OURS, rejected, SMALL, OURS, READ, 1.2) for rejected in ("expired", "forged", "garbage")],
    *[Ratio(OURS, f"hostile: {shape}", "8 KB", OURS, "forged", 3.0) for shape in HOSTILE_SHAPES],
    Ratio(f"{OURS}, MemoryStore on demand", "untouched", SMALL, OURS, "untouched", 1.5),
    _alike("read", SMALL, "starsessions, Redis", 0.7, f"{OURS}, RedisStore"),
    _alike("nested write", SMALL, "starsessions, Redis", 1.0, f"{OURS}, RedisStore"),
]
EXTRAS = [
    # Trial of one key after another costs 20 µs and more with 16.
    *[Extra(scenario, f"{OURS}, keys: 16", scenario, f"{OURS}, keys: 1", 1.0) for scenario in (READ, "forged")],
    *[Extra(f"{deed} among 60 others", OURS, f"{deed} among 0 others", OURS, 1.5) for deed in ("untouched", "read")],
]
# With a store on demand, while nobody looks at the session and nothing is due.
MOST_ROUND_TRIPS = 0
# Objects a request that wait for the cycle collector; memory blocks a request that stay for good.
MOST_CYCLES = 0.0
MOST_GROWTH = 0.001
