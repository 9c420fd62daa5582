"""The figures as Markdown tables, ratios first."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

from tests.benchmarks.cases import Key
from tests.benchmarks.codecs import OPEN, OURS, SEAL
from tests.benchmarks.end_to_end import LOADS, VISITORS, Load, Routes
from tests.benchmarks.explanations import explanation
from tests.benchmarks.figures import Figures
from tests.benchmarks.in_process import CHECKED_FLOOR, FLOOR, PRODUCT, SMALL, STARLETTE
from tests.benchmarks.memory import Memory
from tests.benchmarks.payloads import SIZES
from tests.benchmarks.timing import Spread
from tests.benchmarks.verdicts import Verdict

_SCENARIOS = ["no cookie", "untouched", "read", "nested write", "expired", "forged", "garbage"]
_BY_SIZE = ["untouched", "read", "read, first sight", "nested write", "nested write, first sight"]
_WITH_KEYS = "FastSession, keys"
# A way to use a session: our route, and Starlette's.
_WAYS = [
    ("does not look at its session", "/untouched", "/untouched"),
    ("reads it: `await get_session(request)`, `request.session`", "/read-by-request", "/read-by-request"),
    ("reads it: `CurrentSession`, a dependency on `request.session`", "/read", "/read"),
    ("reads it: `request.session` with both", "/request-session", "/read-by-request"),
    ("writes to a list in it, from the request", "/write-by-request", "/write-by-request"),
    ("writes to a list in it, by a dependency", "/write", "/write"),
]
UNEXPLAINED = "Not explained yet."


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


def cost(found: Routes) -> str:
    """What a request costs with FastSession and with Starlette's middleware: first what a reader wants to know."""
    pairs = [("fastsession", visitors) for visitors in VISITORS], [("starlette", visitors) for visitors in VISITORS]
    columns = [column for both in zip(*pairs, strict=True) for column in both]
    rows = [
        [words, *[_share_cell(found, Load(name, paths[name == "starlette"], visitors)) for name, visitors in columns]]
        for words, *paths in _WAYS
    ]
    names = {"fastsession": "FastSession", "starlette": "Starlette's"}
    return table(["the route", *[f"{names[name]}, {visitors:,} visitors" for name, visitors in columns]], rows)


def saving(found: Routes) -> str:
    """What the plain helper saves in a hot route."""
    by_dependency, by_request = (
        Load("fastsession", "/read", VISITORS[1]),
        Load("fastsession", "/read-by-request", VISITORS[1]),
    )
    saved = found.cpu_microseconds(by_dependency) - found.cpu_microseconds(by_request)
    more = found.of(by_request, by_dependency).median - 1
    empty = found.added(Load("bare", "/empty-dependency", VISITORS[0]))
    return (
        f"with {VISITORS[1]} visitors it saves {saved:.0f} µs of CPU a request, which is {more:.0%} more requests a "
        f"second. FastAPI takes {empty:.0f} µs for any asynchronous dependency"
    )


def routes(found: Routes) -> str:
    rows = [
        [
            f"{load.server} {load.path}",
            f"{load.visitors:,}",
            _spread(found.share(load)),
            f"{found.wall_share(load).median:.2f}",
            f"{found.cpu_microseconds(load):.1f}",
            f"{found.requests_per_second(load):,.0f}",
        ]
        for load in LOADS
    ]
    headings = ["", "visitors", "share by server CPU", "share by wall time", "CPU µs a request", "requests/s"]
    return table(headings, rows)


def missed(found: Iterable[Verdict]) -> str:
    """The reasons that a profile gives for the missed budgets; a miss without one is named."""
    reasons = dict.fromkeys(
        explanation(verdict.kind) or f"**{verdict.name}.** {UNEXPLAINED}" for verdict in found if not verdict.met
    )
    return "\n".join(f"- {reason}" for reason in reasons) or "None: every budget was met."


def memory(found: Memory) -> str:
    bare = found.in_flight[0].bytes
    rows = [[f"a request in flight: {one.name}", f"{one.bytes - bare:+,.0f} bytes"] for one in found.in_flight[1:]]
    rows.append(["a middleware at rest", f"{found.at_rest:,} bytes"])
    rows.append([f"memory blocks kept after {found.requests:,} requests", f"{found.growth:+,}"])
    rows += [[f"cyclic objects a request: {name}", f"{count:.2f}"] for name, count in found.cycles.items()]
    return table(["", ""], rows)


def _share_cell(found: Routes, load: Load) -> str:
    return f"{found.share(load).median:.2f} · +{found.added(load):.0f} µs"


def _spread(found: Spread) -> str:
    return f"{found.median:.2f} ({found.low:.2f} to {found.high:.2f})"


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
        f"Half of the rounds lay within {statistics.median(widths):.0%} of the median, and wall time was "
        f"{statistics.median(apart):.2f} times CPU time."
    )
