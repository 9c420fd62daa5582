"""docs/performance.md and its plots, and what docs/comparison.md tells of them, written from one run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import NamedTuple

from tests.benchmarks import end_to_end, node_peers, plots, tables
from tests.benchmarks.end_to_end import Routes
from tests.benchmarks.figures import Figures
from tests.benchmarks.growth import Plot
from tests.benchmarks.machine import machine
from tests.benchmarks.memory import Memory
from tests.benchmarks.timing import BATCH_SECONDS
from tests.benchmarks.verdicts import Verdict

_HERE = Path(__file__).parent
_DOCS = _HERE.parents[1] / "docs"
_PACKAGES = "cryptography pydantic starlette fastapi uvicorn uvloop httptools starsessions redis litestar flask django"


class Run(NamedTuple):
    """What one run has found; None where a program that it takes is not installed."""

    figures: Figures
    growth: list[Plot]
    memory: Memory
    routes: Routes | None


def write(run: Run, verdicts: Sequence[Verdict], *, folder: Path = _DOCS) -> Path:
    """Write the page and its plots into the folder of the documentation."""
    images = folder / "performance"
    images.mkdir(parents=True, exist_ok=True)
    for plot in run.growth:
        plots.draw(plot, images / f"{plot.name}.svg")
    page = folder / "performance.md"
    page.write_text(_page(run, verdicts))
    comparison = folder / "comparison.md"
    comparison.write_text(tables.with_cells(comparison.read_text(), tables.compared(run.figures)))
    return page


def _page(run: Run, verdicts: Sequence[Verdict]) -> str:
    template = Template((_HERE / "page.md").read_text())
    return template.substitute(
        machine=machine(),
        verdicts=tables.verdicts(verdicts),
        peers=tables.peers(run.figures),
        sizes=tables.sizes(run.figures),
        seals=tables.seals(run.figures),
        cost=tables.cost(run.routes) if run.routes else "Not measured.",
        saving=tables.saving(run.routes) if run.routes else "what it saves was not measured",
        routes=tables.routes(run.routes) if run.routes else "Not measured.",
        rounds=run.routes.rounds() if run.routes else 0,
        missed=tables.missed(verdicts),
        memory=tables.memory(run.memory),
        connections=end_to_end.CONNECTIONS,
        interleaved=f"In process, {run.figures.rounds()} rounds run every case once, in a new order each time, in batches "
        f"of {round(BATCH_SECONDS * 1000)} ms; the Node packages follow.",
        noise=tables.noise(run.figures),
        versions=versions(),
        date=f"{datetime.now(UTC):%d %B %Y}",
    )


def versions() -> str:
    """What was measured, with versions."""
    packages = [f"{name} {version(name)}" for name in _PACKAGES.split()]
    return ", ".join([*packages, *(f"{name} {number}" for name, number in node_peers.versions().items())])
