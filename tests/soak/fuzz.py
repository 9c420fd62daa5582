"""Fuzz every reader of cookies with atheris: `python -m tests.soak.fuzz --seconds 60`.

Seconds are those of each target. Fails when anything but a rejection is raised, when an input takes more than 5 ms
of processor time, or when memory grows beyond a bound (security.md T-06).
"""

import argparse
import logging
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.soak.fuzz_run import FOUND, Run, run
from tests.soak.fuzz_target import least_milliseconds
from tests.soak.fuzz_targets import target_named, targets

MOST_MILLISECONDS = 5.0


def main() -> int:
    options = _options()
    logging.disable()
    if options.replay:
        name, file = options.replay
        print(f"{least_milliseconds(target_named(name), Path(file).read_bytes()):.2f} ms")
        return 0
    chosen = [target_named(name) for name in options.targets or targets()]
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = list(pool.map(lambda target: run(target, seconds=options.seconds, keeping=options.keep), chosen))
    print(table(runs))
    failed = [problem for done in runs for problem in problems(done)]
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed else 0


def table(runs: Iterable[Run]) -> str:
    """The runs as a table in Markdown."""
    lines = [
        "| target | executions | features | corpus | memory, MB | slowest input, ms | crashes |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {done.target} | {done.executions:,} | {done.features:,} | {done.corpus:,} "
        f"| {done.megabytes} | {done.slowest:.2f} | {len(done.crashes)} |"
        for done in runs
    ]
    return "\n".join(lines)


def problems(done: Run) -> Iterable[str]:
    """What is wrong with a run, and how to see it again."""
    again = f"python -m tests.soak.fuzz --replay '{done.target}'"
    for crash in done.crashes:
        yield f"{done.target}: {again} {crash}"
    if not done.crashes and not (done.finished and done.executions):
        yield f"{done.target}: did not run to its end, see log.txt in {FOUND}"
    if done.slowest > MOST_MILLISECONDS:
        yield f"{done.target}: an input takes {done.slowest:.1f} ms, see slow-* in {FOUND}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="targets to run; all of them by default")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target runs")
    parser.add_argument("--jobs", type=int, default=1, help="how many run at a time")
    parser.add_argument("--keep", action="store_true", help="keep the new inputs in tests/soak/corpus")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="run one input without the fuzzer")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
