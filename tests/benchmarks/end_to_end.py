"""End to end: FastAPI under uvicorn (uvloop, httptools, one worker), driven by wrk over loopback."""

import contextlib
import http.client
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import served
from tests.benchmarks.asgi import BROWSER_HEADERS, exchange, request_headers
from tests.benchmarks.cases import MANY, WrongAnswerError
from tests.benchmarks.contender import Contender
from tests.benchmarks.payloads import contents
from tests.benchmarks.servers import program, running
from tests.benchmarks.timing import Spread, spread
from tests.processes import free_port

CONNECTIONS = 16
BARE = ("bare", "/untouched")
ROUTES = [
    BARE,
    ("bare", "/empty-dependency"),
    ("fastsession", "/untouched"),
    ("fastsession", "/read"),
    ("fastsession", "/write"),
    ("fastsession", "/read-by-request"),
    ("fastsession", "/write-by-request"),
    ("starlette", "/untouched"),
    ("starlette", "/read"),
    ("starlette", "/write"),
]
_TICKS = os.sysconf("SC_CLK_TCK")
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


class Load(NamedTuple):
    requests_per_second: float
    cpu_microseconds: float


class Route(NamedTuple):
    """One route's shares of the bare application's throughput, and its cost."""

    share: Spread
    cpu_share: Spread
    requests_per_second: float
    cpu_microseconds: float


async def measure(
    contenders: dict[str, tuple[Contender, str]], *, rounds: int, seconds: int, folder: Path
) -> dict[tuple[str, str], Route]:
    """Each route in turn, round by round. `contenders` tells whose cookies a server gets, and its secret."""
    wrk = program("wrk", advice="apt-get install wrk")
    loads: dict[tuple[str, str], list[Load]] = {route: [] for route in ROUTES}
    cookies = {name: await _cookies(contender) for name, (contender, _) in contenders.items()}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name, secret)) for name, (_, secret) in contenders.items()}
        order = list(ROUTES)
        for number in range(rounds):
            random.Random(number).shuffle(order)
            for name, path in order:
                process, port = servers[name]
                script = _script(folder / f"{name}.lua", path, cookies[name])
                _check(port, name, path, cookies[name][0])
                loads[name, path].append(_load(wrk, process.pid, port, script, seconds))
    return {route: _route(loads[route], loads[BARE]) for route in ROUTES}


def _route(loads: list[Load], bare: list[Load]) -> Route:
    pairs = list(zip(loads, bare, strict=True))
    return Route(
        spread([one.requests_per_second / other.requests_per_second for one, other in pairs]),
        spread([other.cpu_microseconds / one.cpu_microseconds for one, other in pairs]),
        statistics.median(load.requests_per_second for load in loads),
        statistics.median(load.cpu_microseconds for load in loads),
    )


async def _cookies(contender: Contender) -> list[str]:
    """As many visitors' cookies as no memory of cookies holds."""
    app = contender.issue(contents("120 B"), 0)
    answers = [await exchange(app, request_headers()) for _ in range(MANY)]
    return [answer.set_cookies()[0].partition(";")[0] for answer in answers]


@contextlib.contextmanager
def _server(name: str, secret: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "--factory", f"tests.benchmarks.served:{name}"),
        *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--workers", "1", "--log-level", "warning", "--no-access-log"),
    ]
    environment = {**os.environ, served.SECRET_VARIABLE: secret}
    with running(command, port=port, folder=_ROOT, environment=environment) as process:
        yield process, port


def _script(file: Path, path: str, cookies: list[str]) -> Path:
    """A wrk script that sends the cookies in turn."""
    template = (_HERE / "visitors.lua").read_text()
    # As behind a proxy that terminates TLS; uvicorn believes one on its own machine.
    sent = [*BROWSER_HEADERS, (b"x-forwarded-proto", b"https")]
    headers = ", ".join(f'["{field.decode()}"] = "{value.decode()}"' for field, value in sent)
    lines = ",\n".join(f'"{cookie}"' for cookie in cookies)
    file.write_text(template.replace("$PATH", path).replace("$HEADERS", headers).replace("$COOKIES", lines))
    return file


def _load(wrk: str, server: int, port: int, script: Path, seconds: int) -> Load:
    before = _cpu_seconds(server)
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu = _cpu_seconds(server) - before
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
    if found is None or "Non-2xx" in output or "Socket errors" in output:
        message = "wrk met with errors"
        raise WrongAnswerError(message)
    count = int(found[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return Load(rate, cpu / count * 1e6)


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, from /proc/PID/stat (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _check(port: int, name: str, path: str, cookie: str) -> None:
    """Raise `WrongAnswerError` unless the route reads the session, and sets a cookie if it is to write."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"cookie": cookie, "x-forwarded-proto": "https"})
    response = connection.getresponse()
    body, set_cookie = response.read(), response.getheader("set-cookie")
    connection.close()
    if (response.status, body, set_cookie is not None) != (200, b"42", path.startswith("/write")):
        message = f"{name} {path}: the answer is not as it must be"
        raise WrongAnswerError(message)
