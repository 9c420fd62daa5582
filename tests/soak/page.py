"""The tables that a run of the soak writes into tests/soak/results.md."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.machine import machine

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "tests" / "soak" / "results.md"
BEGIN, END = "<!-- written by `make soak` from here -->", "<!-- to here -->"


class Part(NamedTuple):
    module: str
    title: str


class Result(NamedTuple):
    """What a part has printed, whether everything in it held, and how long it took."""

    part: Part
    output: str
    held: bool
    seconds: float


def write(results, *, command, page=PAGE):
    """Put the results in the place of those of an earlier run; returns the page's path."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{_section(results, command)}\n\n{END}{after}")
    return page


def _section(results, command):
    minutes = sum(result.seconds for result in results) / 60
    head = f"`{command}`, {datetime.now(UTC):%d %B %Y}, {minutes:.0f} minutes, {machine()}."
    return "\n\n".join([head, *map(_of_a_part, results)])


def _of_a_part(result):
    table = "\n".join(line for line in result.output.splitlines() if line.startswith("|"))
    verdict = "Everything held." if result.held else "**Something did not hold.**"
    return f"### {result.part.title}\n\n{verdict}\n\n{table}".rstrip()
