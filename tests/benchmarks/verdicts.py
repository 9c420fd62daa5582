"""Each budget beside what was measured."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks import budgets
from tests.benchmarks.cases import Key
from tests.benchmarks.codecs import OURS
from tests.benchmarks.end_to_end import Route
from tests.benchmarks.figures import Figures
from tests.benchmarks.in_process import PRODUCT, SMALL
from tests.benchmarks.memory import Memory
from tests.benchmarks.timing import Spread


class Verdict(NamedTuple):
    """`measured` is None when there was nothing to measure with."""

    name: str
    limit: str
    measured: str | None
    met: bool


def of_requests(figures: Figures) -> Iterator[Verdict]:
    """The budgets that are kept or missed in process."""
    for scenario, size, reference, most in budgets.RATIOS:
        ratio = figures.ratio(Key(PRODUCT, scenario, size), Key(reference, scenario, size))
        yield _ratio(f"{scenario}, {size}, of {reference}", ratio, most)
    for scenario, contender, than_scenario, than_contender, most in budgets.EXTRAS:
        extra = figures.difference(Key(contender, scenario, SMALL), Key(than_contender, than_scenario, SMALL))
        name = f"{scenario} ({contender}), more than {than_scenario} ({than_contender})"
        measured = f"{extra.median:+.2f} µs ({extra.low:+.2f} to {extra.high:+.2f})"
        yield Verdict(name, f"≤ {most:.1f} µs", measured, extra.median <= most)


def of_seals(figures: Figures) -> Iterator[Verdict]:
    """Sealing and opening against the Node packages."""
    for deed, size, package, most in budgets.SEALS:
        name, theirs = f"{deed}, {size}, of {package}", Key(package, deed, size)
        if theirs in figures:
            ratio = figures.whole(Key(OURS, deed, size)).median / figures.least(theirs)
            yield Verdict(name, f"≤ {most:.2f}", f"{ratio:.2f}", ratio <= most)
        else:
            yield Verdict(name, f"≤ {most:.2f}", None, met=False)


def of_routes(routes: dict[tuple[str, str], Route] | None) -> Iterator[Verdict]:
    """End to end, by requests per second of server CPU: other work on the machine does not change it."""
    for path, least in budgets.SHARES:
        share = routes["fastsession", path].cpu_share if routes else None
        measured = f"{share.median:.2f} ({share.low:.2f} to {share.high:.2f})" if share else None
        met = share is not None and share.median >= least
        yield Verdict(f"end to end, {path[1:]}, of the bare app", f"≥ {least:.2f}", measured, met)


def of_memory(memory: Memory) -> Iterator[Verdict]:
    worst = max(memory.cycles.values())
    met = worst <= budgets.MOST_CYCLES
    yield Verdict("cyclic objects a request, in the worst scenario", "0.00", f"{worst:.2f}", met)
    growth = memory.growth / memory.requests
    limit = f"≤ {budgets.MOST_GROWTH}"
    yield Verdict("memory blocks kept a request", limit, f"{max(growth, 0):.4f}", growth <= budgets.MOST_GROWTH)


def _ratio(name: str, ratio: Spread, most: float) -> Verdict:
    measured = f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
    return Verdict(name, f"≤ {most:.2f}", measured, ratio.median <= most)
