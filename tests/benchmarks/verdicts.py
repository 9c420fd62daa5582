"""Each budget beside what was measured."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks import budgets
from tests.benchmarks.cases import Key
from tests.benchmarks.end_to_end import Load, Routes
from tests.benchmarks.figures import Figures
from tests.benchmarks.memory import Memory
from tests.benchmarks.timing import Spread


class Verdict(NamedTuple):
    """`measured` is None when there was nothing to measure with. `kind` is what an explanation of a miss is found by."""

    name: str
    limit: str
    measured: str | None
    met: bool
    kind: str


def of_routes(routes: Routes | None) -> Iterator[Verdict]:
    """End to end, by requests a second of server CPU: other work on the machine changes that little."""
    for path, visitors, least in budgets.BESIDE:
        ours, theirs = Load("fastsession", path, visitors), Load("starlette", path, visitors)
        name = f"end to end, {_words(path)}, {visitors:,} visitors, of Starlette's"
        yield _at_least(name, routes and routes.of(ours, theirs), least, f"end to end {path}")
    for path, visitors, least in budgets.GAINS:
        with_it, without = Load("fastsession", path, visitors), Load("forgetful", path, visitors)
        name = f"what the memory of cookies adds to the share, {visitors:,} visitors"
        yield _at_least(name, routes and routes.gain(with_it, without), least, "memory of cookies")
    for path, visitors, least in budgets.SHARES:
        share = routes and routes.share(Load("fastsession", path, visitors))
        name = f"end to end, {_words(path)}, {visitors:,} visitors, of the bare app"
        yield _at_least(name, share, least, f"end to end {path}")


def of_requests(figures: Figures) -> Iterator[Verdict]:
    """The budgets that are kept or missed in process."""
    for budget in budgets.RATIOS:
        key = Key(budget.contender, budget.scenario, budget.size)
        size = budgets.SMALL if budget.scenario.startswith("hostile") else budget.size
        reference = Key(budget.reference, budget.reference_scenario, size)
        known = key in figures and reference in figures
        ours = budget.contender.replace(budgets.OURS, "").strip(", ")
        other = reference.contender if reference.scenario == key.scenario else f"{reference.scenario}"
        name = ", ".join(filter(None, [ours, budget.scenario, budget.size, f"of {other}"]))
        kind = f"{ours} {budget.scenario} of {reference.contender} {reference.scenario}".strip()
        yield _at_most(name, figures.ratio(key, reference) if known else None, budget.most, kind)
    for scenario, contender, than_scenario, than_contender, most in budgets.EXTRAS:
        extra = figures.difference(
            Key(contender, scenario, budgets.SMALL), Key(than_contender, than_scenario, budgets.SMALL)
        )
        name = f"{scenario} ({contender}), more than {than_scenario} ({than_contender})"
        measured = f"{extra.median:+.2f} µs ({extra.low:+.2f} to {extra.high:+.2f})"
        yield Verdict(name, f"≤ {most:.1f} µs", measured, extra.median <= most, "extra")


def of_stores(round_trips: int) -> Iterator[Verdict]:
    met = round_trips <= budgets.MOST_ROUND_TRIPS
    name = "round trips of an untouched request with store="
    yield Verdict(name, str(budgets.MOST_ROUND_TRIPS), str(round_trips), met, "round trips")


def of_memory(memory: Memory) -> Iterator[Verdict]:
    worst = max(memory.cycles.values())
    met = worst <= budgets.MOST_CYCLES
    yield Verdict("cyclic objects a request, in the worst scenario", "0.00", f"{worst:.2f}", met, "cycles")
    growth = memory.growth / memory.requests
    limit, met = f"≤ {budgets.MOST_GROWTH}", growth <= budgets.MOST_GROWTH
    yield Verdict("memory blocks kept a request", limit, f"{max(growth, 0):.4f}", met, "growth")


def _at_most(name: str, ratio: Spread | None, most: float, kind: str) -> Verdict:
    met = ratio is not None and ratio.median <= most
    return Verdict(name, f"≤ {most:.2f}", _shown(ratio), met, kind)


def _at_least(name: str, ratio: Spread | None, least: float, kind: str) -> Verdict:
    met = ratio is not None and ratio.median >= least
    return Verdict(name, f"≥ {least:.2f}", _shown(ratio), met, kind)


def _shown(ratio: Spread | None) -> str | None:
    return None if ratio is None else f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _words(path: str) -> str:
    """A route's name in words: by a dependency unless it says otherwise."""
    name = path.strip("/").replace("-", " ")
    return f"{name} by Depends" if name in ("read", "write") else name
