"""`make soak`: the long runs. Prints tables, writes them into tests/soak/results.md, and fails when a part fails."""

import argparse
import logging
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from tests.soak import page
from tests.soak.fuzz_targets import targets
from tests.soak.page import Part, Result

HELD, FAILED = 0, 1
# The parts by module, and their shares of half an hour in seconds; starting and ending takes the rest.
PARTS = [
    Part("fuzz", "T-06: fuzzing of all that reads cookies"),
    Part("flood", "T-09: a flood of garbage beside good visitors"),
    Part("users", "T-11: many users, four workers, a browser's cookie jar"),
    Part("rotation", "T-12: key rotation by rolling restarts under load"),
    Part("outages", "T-13: Redis killed and stopped under load, and a storm of cancelled requests"),
    Part("failovers", "T-14: each role of a Cluster and of a Sentinel fleet killed and stopped under load"),
]
SECONDS = {"fuzz": 400, "flood": 180, "users": 420, "rotation": 160, "outages": 180, "failovers": 150}
QUICK = 10
# Seconds that starting takes on a busy machine, for all targets of the fuzzer together.
LONGEST_START = 600


class Options(NamedTuple):
    quick: bool
    write: bool
    parts: list[str]


def main():
    options = _options()
    # The fuzzed formats warn of their tests' secrets.
    logging.disable()
    results = [
        _run(part, SECONDS[part.module] // (QUICK if options.quick else 1))
        for part in PARTS
        if part.module in options.parts
    ]
    if options.write:
        print(f"wrote {page.write(results, command=_command(options))}")
    return verdict(results)


def verdict(results):
    """The exit code, after naming what failed."""
    failed = [result.part.title for result in results if not result.held]
    for title in failed:
        print(f"failed: {title}", file=sys.stderr)
    return FAILED if failed else HELD


def _run(part, seconds):
    """One part in a process of its own, which may take three times as long as it is asked to after its start, no longer."""
    print(f"\n{time.strftime('%H:%M:%S')} {part.title}, about {seconds} seconds", flush=True)
    command = [sys.executable, "-m", f"tests.soak.{part.module}", *_size(part, seconds)]
    begun = time.monotonic()
    with subprocess.Popen(command, cwd=page.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate(timeout=3 * seconds + LONGEST_START)
        except subprocess.TimeoutExpired:
            # As Ctrl-C does: it ends the servers that it has started.
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate()
    print(output)
    return Result(part, output, held=process.returncode == HELD, seconds=time.monotonic() - begun)


def _size(part, seconds):
    if part.module == "fuzz":
        # Its seconds are those of each target.
        return ["--jobs", "2", "--seconds", str(max(1, 2 * seconds // len(targets())))]
    return ["--seconds", str(seconds)]


def _options():
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, and nothing is written")
    parser.add_argument("--write", action="store_true", help="write what a quick run has found too")
    parser.add_argument("--part", action="append", choices=list(SECONDS), help="this part only, which is not written")
    given = parser.parse_args()
    everything = given.part is None
    return Options(given.quick, everything and (given.write or not given.quick), given.part or list(SECONDS))


def _command(options):
    return "python -m tests.soak --quick --write" if options.quick else "make soak"


if __name__ == "__main__":
    sys.exit(main())
