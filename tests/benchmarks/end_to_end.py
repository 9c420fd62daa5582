"""End to end: FastAPI under uvicorn (uvloop, httptools, one worker), driven by wrk over loopback."""

import contextlib
import http.client
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
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
# More visitors than a process remembers cookies of, and few enough that it remembers all.
VISITORS = (MANY, 100)


class Load(NamedTuple):
    """One route of one server, asked for by so many visitors in turn."""

    server: str
    path: str
    visitors: int


class Sample(NamedTuple):
    requests_per_second: float
    cpu_microseconds: float


PATHS = {
    "bare": ["/untouched", "/empty-dependency"],
    "fastsession": ["/untouched", "/read", "/read-by-request", "/request-session", "/write", "/write-by-request"],
    "forgetful": ["/read"],
    "starlette": ["/untouched", "/read", "/read-by-request", "/write", "/write-by-request"],
}
LOADS = [Load(server, path, visitors) for server, paths in PATHS.items() for path in paths for visitors in VISITORS]
_NANOSECONDS = 1_000
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


class Routes:
    """The samples of every load, round by round."""

    def __init__(self, samples: Mapping[Load, Sequence[Sample]]) -> None:
        self._samples = samples

    def share(self, load: Load) -> Spread:
        """The bare application's CPU time a request, of this one's: its share of the requests a CPU second."""
        return self.of(load, _bare(load))

    def wall_share(self, load: Load) -> Spread:
        """This load's requests a second, of the bare application's."""
        pairs = zip(self._samples[load], self._samples[_bare(load)], strict=True)
        return spread([one.requests_per_second / bare.requests_per_second for one, bare in pairs])

    def of(self, load: Load, other: Load) -> Spread:
        """The requests a CPU second serves of the one, of the other's; each round by itself."""
        pairs = zip(self._samples[load], self._samples[other], strict=True)
        return spread([theirs.cpu_microseconds / ours.cpu_microseconds for ours, theirs in pairs])

    def gain(self, load: Load, other: Load) -> Spread:
        """How much more of the bare application's share the one has than the other."""
        triples = zip(self._samples[load], self._samples[other], self._samples[_bare(load)], strict=True)
        return spread(
            [
                bare.cpu_microseconds / ours.cpu_microseconds - bare.cpu_microseconds / theirs.cpu_microseconds
                for ours, theirs, bare in triples
            ]
        )

    def cpu_microseconds(self, load: Load) -> float:
        return statistics.median(sample.cpu_microseconds for sample in self._samples[load])

    def added(self, load: Load) -> float:
        """CPU microseconds a request more than the bare application's."""
        pairs = zip(self._samples[load], self._samples[_bare(load)], strict=True)
        return statistics.median(one.cpu_microseconds - bare.cpu_microseconds for one, bare in pairs)

    def requests_per_second(self, load: Load) -> float:
        return statistics.median(sample.requests_per_second for sample in self._samples[load])

    def rounds(self) -> int:
        return len(self._samples[LOADS[0]])


def _bare(load: Load) -> Load:
    return Load("bare", "/untouched", load.visitors)


async def measure(contenders: dict[str, tuple[Contender, str]], *, rounds: int, seconds: float, folder: Path) -> Routes:
    """Each load in turn, round by round. `contenders` tells whose cookies a server gets, and its secret."""
    wrk = program("wrk", advice="apt-get install wrk")
    samples: dict[Load, list[Sample]] = {load: [] for load in LOADS}
    cookies = {name: await _cookies(contender) for name, (contender, _) in contenders.items()}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name, secret)) for name, (_, secret) in contenders.items()}
        scripts = {load: _script(folder, load, cookies[load.server]) for load in LOADS}
        order = list(LOADS)
        for number in range(rounds):
            random.Random(number).shuffle(order)
            for load in order:
                process, port = servers[load.server]
                _check(port, load, cookies[load.server][0])
                samples[load].append(_measured(wrk, process.pid, port, scripts[load], seconds))
    return Routes(samples)


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


def _script(folder: Path, load: Load, cookies: list[str]) -> Path:
    """A wrk script that sends the cookies in turn."""
    file = folder / f"{load.server}{load.path.replace('/', '-')}-{load.visitors}.lua"
    template = (_HERE / "visitors.lua").read_text()
    # As behind a proxy that terminates TLS; uvicorn believes one on its own machine.
    sent = [*BROWSER_HEADERS, (b"x-forwarded-proto", b"https")]
    headers = ", ".join(f'["{field.decode()}"] = "{value.decode()}"' for field, value in sent)
    lines = ",\n".join(f'"{cookie}"' for cookie in cookies[: load.visitors])
    file.write_text(template.replace("$PATH", load.path).replace("$HEADERS", headers).replace("$COOKIES", lines))
    return file


def _measured(wrk: str, server: int, port: int, script: Path, seconds: float) -> Sample:
    before = _cpu_nanoseconds(server)
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu = _cpu_nanoseconds(server) - before
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
    if found is None or "Non-2xx" in output or "Socket errors" in output:
        message = "wrk met with errors"
        raise WrongAnswerError(message)
    count = int(found[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return Sample(rate, cpu / count / _NANOSECONDS)


def _cpu_nanoseconds(pid: int) -> int:
    """CPU time of a process's threads, from /proc/PID/task/TID/schedstat (kernel's sched-stats.rst)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _check(port: int, load: Load, cookie: str) -> None:
    """Raise `WrongAnswerError` unless the route reads the session, and sets a cookie if it is to write."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", load.path, headers={"cookie": cookie, "x-forwarded-proto": "https"})
    response = connection.getresponse()
    body, set_cookie = response.read(), response.getheader("set-cookie")
    connection.close()
    if (response.status, body, set_cookie is not None) != (200, b"42", load.path.startswith("/write")):
        message = f"{load.server} {load.path}: the answer is not as it must be"
        raise WrongAnswerError(message)
