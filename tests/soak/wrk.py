"""Loads of wrk: who sends which cookies how often, and what came of it."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.servers import program

_TEMPLATE = Path(__file__).parents[1] / "benchmarks" / "visitors.lua"
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Load(NamedTuple):
    """Requests sent, how many were not answered 2xx, how many met with socket errors; p99 in seconds."""

    requests: int
    refused: int
    errors: int
    per_second: float
    p99: float


def script(folder, name, cookies, *, pause):
    """A script of wrk that sends these Cookie headers in turn; each connection pauses so many milliseconds."""
    headers = '["x-forwarded-proto"] = "https"'
    lines = ",\n".join(f'"{cookie}"' for cookie in cookies)
    text = _TEMPLATE.read_text().replace("$PATH", "/").replace("$HEADERS", headers).replace("$COOKIES", lines)
    file = folder / f"{name}.lua"
    file.write_text(f"{text}\nfunction delay()\n  return {pause}\nend\n")
    return file


def begin(url, script, *, connections, seconds):
    """Start a load; `result` waits for its end."""
    wrk = program("wrk", advice="apt-get install wrk")
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script)]
    return subprocess.Popen([wrk, *options, url], stdout=subprocess.PIPE, text=True)


def result(process):
    """What a load has met with."""
    output, _ = process.communicate()
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    return Load(
        requests=_number(r"(\d+) requests in", output),
        refused=_number(r"Non-2xx or 3xx responses: (\d+)", output),
        errors=sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", output))),
        per_second=float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        p99=float(p99) * _UNITS[unit],
    )


def _number(pattern, output):
    found = re.search(pattern, output)
    return int(found[1]) if found else 0
