"""The figures as Markdown tables, ratios first."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

from tests.benchmarks.cases import Key
from tests.benchmarks.codecs import OPEN, OURS, SEAL
from tests.benchmarks.end_to_end import Route
from tests.benchmarks.figures import Figures
from tests.benchmarks.in_process import CHECKED_FLOOR, FLOOR, PRODUCT, SMALL, STARLETTE
from tests.benchmarks.memory import Memory
from tests.benchmarks.payloads import SIZES
from tests.benchmarks.verdicts import Verdict

_SCENARIOS = ["no cookie", "untouched", "read", "nested write", "expired", "forged", "garbage"]
_BY_SIZE = ["untouched", "read", "read, first sight", "nested write", "nested write, first sight"]
_WITH_KEYS = "FastSession, keys"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdicts(found: Iterable[Verdict]) -> str:
    rows = [[one.name, one.measured or "not measured", one.limit, "met" if one.met else "**missed**"] for one in found]
    return table(["Budget", "measured (quarters)", "limit", ""], rows)


def peers(figures: Figures) -> str:
    """Every contender in the main scenarios: times Starlette's cost, and microseconds."""
    names = dict.fromkeys(
        key.contender for key in figures if key.size == SMALL and key.scenario in ("untouched", "bare")
    )
    listed = [name for name in names if not name.startswith(_WITH_KEYS) and not name.endswith("on FastAPI")]
    rows = [[name, *[_ratio_cell(figures, Key(name, scenario, SMALL)) for scenario in _SCENARIOS]] for name in listed]
    return table(["120 B", *_SCENARIOS], rows)


def sizes(figures: Figures) -> str:
    """Ours, the floor's and Starlette's cost by the size of the session."""
    rows = [
        [f"{scenario}: {name}", *[_ratio_cell(figures, Key(name, scenario, size)) for size in SIZES]]
        for scenario in _BY_SIZE
        for name in (PRODUCT, FLOOR, CHECKED_FLOOR, STARLETTE, "Starlette + model_validate")
        if scenario != "untouched" or name != CHECKED_FLOOR
    ]
    return table(["", *SIZES], rows)


def fastapi(figures: Figures) -> str:
    """The ways in which a FastAPI route gets at its session."""
    keys = [key for key in figures if key.contender.endswith("on FastAPI")]
    scenarios = ["untouched", "read", "nested write"]
    rows = [
        [name, *[_microseconds(figures, Key(name, scenario, SMALL)) for scenario in scenarios]]
        for name in dict.fromkeys(key.contender for key in keys)
    ]
    return table(["added to the route, 120 B", *scenarios], rows)


def seals(figures: Figures) -> str:
    """Sealing and opening alone, in Python and in Node; express-session's columns are writing and reading."""
    columns = [(deed, size) for size in SIZES for deed in (SEAL, OPEN)]
    names = dict.fromkeys(key.contender for key in figures if key.scenario == SEAL)
    rows = [[name, *[_seal_cell(figures, Key(name, deed, size)) for deed, size in columns]] for name in names]
    requests = [Key("express-session", "write" if deed == SEAL else "read", size) for deed, size in columns]
    if requests[0] in figures:
        rows.append(["express-session", *[_seal_cell(figures, key) for key in requests]])
    return table(["", *[f"{deed}, {size}" for deed, size in columns]], rows)


def compared(figures: Figures) -> dict[str, list[str]]:
    """What docs/comparison.md tells of a run: the ratios of a row, by how it begins, and "" where there is none."""
    readers = [PRODUCT, STARLETTE, "starsessions, cookie", "Litestar CookieBackend"]
    sealers = [OURS, "client-sessions", "iron-session", "express-session", "@hapi/iron"]
    reading = [_ratio_cell(figures, Key(name, "read", SMALL)).partition(" ")[0] for name in readers]
    sealing = [_seal_cell(figures, Key(name, SEAL, SMALL)).partition(" ")[0] for name in sealers]
    return {"Reading 120 bytes costs": [*reading, "", ""], "Sealing 120 bytes costs": sealing}


def with_cells(page: str, cells: Mapping[str, Sequence[str]]) -> str:
    """The page with these cells in the rows of its tables that begin so; a cell that was not measured stays."""
    for beginning, measured in cells.items():
        row = re.search(rf"^\| {re.escape(beginning)}.*$", page, re.MULTILINE)
        if row is None:
            message = f"no row begins with {beginning!r}"
            raise ValueError(message)
        label, *told = row[0].strip("| ").split(" | ")
        now = [new or old for new, old in zip(measured, told, strict=True)]
        page = page.replace(row[0], f"| {' | '.join([label, *now])} |")
    return page


def routes(found: dict[tuple[str, str], Route]) -> str:
    rows = [
        [
            f"{name} {path}",
            f"{one.cpu_share.median:.2f} ({one.cpu_share.low:.2f} to {one.cpu_share.high:.2f})",
            f"{one.share.median:.2f} ({one.share.low:.2f} to {one.share.high:.2f})",
            f"{one.cpu_microseconds:.1f}",
            f"{one.requests_per_second:,.0f}",
        ]
        for (name, path), one in found.items()
    ]
    headings = ["", "share by server CPU", "share by wall time", "CPU µs a request", "requests/s"]
    return table(headings, rows)


def memory(found: Memory) -> str:
    bare = found.in_flight[0].bytes
    rows = [[f"a request in flight: {one.name}", f"{one.bytes - bare:+,.0f} bytes"] for one in found.in_flight[1:]]
    rows.append(["a middleware at rest", f"{found.at_rest:,} bytes"])
    rows.append([f"memory blocks kept after {found.requests:,} requests", f"{found.growth:+,}"])
    rows += [[f"cyclic objects a request: {name}", f"{count:.2f}"] for name, count in found.cycles.items()]
    return table(["", ""], rows)


def _ratio_cell(figures: Figures, key: Key) -> str:
    reference = Key(STARLETTE, key.scenario, key.size)
    if key not in figures:
        return ""
    if reference not in figures:
        return _microseconds(figures, key)
    return f"{figures.ratio(key, reference).median:.2f} · {figures.added(key).median:.1f} µs"


def _seal_cell(figures: Figures, key: Key) -> str:
    if key not in figures:
        return ""
    ours = Key(OURS, key.scenario, key.size)
    ratio = f"{figures.least(key) / figures.least(ours):.1f} · " if ours in figures else ""
    return f"{ratio}{figures.least(key):.1f} µs"


def _microseconds(figures: Figures, key: Key) -> str:
    if key not in figures:
        return ""
    added = figures.added(key)
    return f"{added.median:.1f} ({added.low:.1f} to {added.high:.1f})"


def noise(figures: Figures) -> str:
    """How far apart the quarters are, and CPU and wall time, over all added costs."""
    keys = [key for key in figures if figures.is_added(key)]
    widths = [(figures.added(key).high - figures.added(key).low) / figures.added(key).median for key in keys]
    apart = [figures.added_wall(key).median / figures.added(key).median for key in keys]
    return (
        f"Half of the rounds lay within {statistics.median(widths):.0%} of the median (in the middle case), "
        f"and wall time was {statistics.median(apart):.2f} times CPU time."
    )
