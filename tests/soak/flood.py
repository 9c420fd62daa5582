"""T-09: a flood of garbage cookies beside good visitors of one uvicorn worker whose sessions are in a store."""

import http.client
import json
import statistics
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastsession import generate_key
from fastsession.events import LINES_PER_SECOND
from tests.processes import free_port
from tests.soak import checks, flood_app, garbage, wrk
from tests.soak.checks import Check
from tests.soak.servers import uvicorn

AIM = 10_000
ROUNDS = 6
FLOODING, VISITING = 32, 2
# Milliseconds between two requests of a good visitor.
PAUSE = 10
# Allocators and sockets take some; one session kept for each rejected cookie would be hundreds of MB.
MOST_GROWTH_KB = 4096


class Flood:
    """A server, good visitors, and loads beside which they are measured."""

    def __init__(self, folder, port, pid, secret):
        self.url, self.port, self.pid = f"http://127.0.0.1:{port}/", port, pid
        headers, _ = self.ask("/login")
        cookie = headers["set-cookie"].partition(";")[0]
        rejected = garbage.cookies(secret, cookie.partition("=")[2])
        self.good = wrk.script(folder, "good", [cookie], pause=PAUSE)
        self.floods = {
            "no flood": None,
            "a flood without our cookie": wrk.script(folder, "plain", ["theme=dark"], pause=0),
            "a flood of garbage": wrk.script(folder, "garbage", rejected, pause=0),
        }

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path, headers={"x-forwarded-proto": "https"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.headers, body

    def asked(self):
        """How often the store was asked what."""
        return Counter(json.loads(self.ask("/asked")[1]))

    def loads(self, name, seconds):
        """The good visitors' load beside a flood, and the flood's."""
        flood = self.floods[name]
        flooding = flood and wrk.begin(self.url, flood, connections=FLOODING, seconds=seconds)
        visiting = wrk.begin(self.url, self.good, connections=VISITING, seconds=seconds)
        return wrk.result(visiting), flooding and wrk.result(flooding)

    def memory(self):
        """The server's resident memory in kB (proc(5))."""
        [line] = [line for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if "VmRSS" in line]
        return int(line.split()[1])


def measure(seconds):
    each = max(2, int(seconds / (3 * ROUNDS + 1)))
    with TemporaryDirectory() as name, served(Path(name)) as (flood, log):
        # What a first flood makes the server allocate for good is no growth.
        flood.loads("a flood of garbage", each)
        before, asked_before = flood.memory(), flood.asked()
        rounds = [{name: flood.loads(name, each) for name in flood.floods} for _ in range(ROUNDS)]
        grown, asked = flood.memory() - before, flood.asked() - asked_before
        lines = Counter(second(line) for line in log.read_text().splitlines())
    return [*of_visitors(rounds), *of_floods(rounds), *of_the_server(rounds, grown, asked, lines)]


@contextmanager
def served(folder):
    """A flood's server with one worker, and the file of its log."""
    secret, port, log = generate_key(), free_port(), folder / "log"
    environment = {flood_app.SECRET_VARIABLE: secret, flood_app.LOG_VARIABLE: str(log)}
    with uvicorn("tests.soak.flood_app:app", port, "--factory", "--lifespan", "off", **environment) as process:
        yield Flood(folder, port, process.pid, secret), log


def second(line):
    """The second and the status of a line of the log."""
    moment, _, status = line.rpartition(" ")
    return moment.partition("+")[0].partition(".")[0], status


def of_visitors(rounds):
    p99 = {name: statistics.median(done[name][0].p99 for done in rounds) for name in rounds[0]}
    quiet, plain, flooded = p99.values()
    good = [done[name][0] for done in rounds for name in done]
    yield from (Check(f"good visitors' p99 beside {name}", checks.milliseconds(found)) for name, found in p99.items())
    ratio = flooded / plain
    yield Check("garbage to the same flood without our cookie", f"{ratio:.2f} times the p99", "2.00", ratio <= 2)
    yield Check("garbage to no flood", f"{flooded / quiet:.1f} times the p99")
    yield checks.none("good visitors not answered 200", sum(load.refused + load.errors for load in good))


def of_floods(rounds):
    garbage_loads = [done["a flood of garbage"][1] for done in rounds]
    rate = statistics.median(load.per_second for load in garbage_loads)
    count = sum(load.requests for load in garbage_loads)
    yield Check("garbage requests a second, with all that one worker takes", f"{rate:,.0f} (aim: {AIM:,})")
    yield checks.at_least("garbage requests", count, 1_000)
    yield checks.none(
        "garbage that was let in, or not answered",
        sum(load.requests - load.refused + load.errors for load in garbage_loads),
    )


def of_the_server(rounds, grown, asked, lines):
    # A load ends with requests under way that were not counted.
    good = sum(done[name][0].requests + VISITING for done in rounds for name in done)
    reads = asked.pop("read", 0)
    yield Check("growth of the server's memory", f"{grown} kB", f"{MOST_GROWTH_KB} kB", grown <= MOST_GROWTH_KB)
    yield checks.none("calls of the store beyond one read for a good request", max(0, reads - good) + asked.total())
    most = max(lines.values(), default=0)
    yield Check(
        "lines in the log a second and status, at most", str(most), str(LINES_PER_SECOND), most <= LINES_PER_SECOND
    )
    yield checks.at_least("statuses of garbage in the log", len({status for _, status in lines}), 6)


if __name__ == "__main__":
    sys.exit(checks.main(measure, __doc__))
