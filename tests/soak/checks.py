"""What a part of the soak has found, and the frame in which it runs: `python -m tests.soak.PART --seconds N`."""

import argparse
from typing import NamedTuple

from tests.benchmarks.servers import MissingProgramError

HELD, FAILED = 0, 1


class Check(NamedTuple):
    """Something measured beside its limit; without a limit it is told, and always holds."""

    what: str
    measured: str
    limit: str = ""
    held: bool = True


def none(what, count):
    """That something never happened."""
    return Check(what, f"{count:,}", "0", count == 0)


def at_least(what, count, least):
    """That there was enough of something for the others to mean anything."""
    return Check(what, f"{count:,}", f"at least {least:,}", count >= least)


def at_most(what, seconds, most):
    return Check(what, milliseconds(seconds), milliseconds(most), seconds <= most)


def milliseconds(seconds):
    return f"{seconds * 1000:,.1f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def table(checks):
    rows = [f"| {check.what} | {check.measured} | {check.limit} | {_verdict(check)} |" for check in checks]
    return "\n".join(["| | Measured | Limit | Held |", "|---|---|---|---|", *rows])


def _verdict(check):
    if check.held:
        return "yes" if check.limit else ""
    return "**no**"


def main(measure, about):
    """Run one part for about so many seconds, print its table, and return the exit code."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seconds", type=float, default=20)
    try:
        checks = measure(parser.parse_args().seconds)
    except MissingProgramError as missing:
        checks = [Check(str(missing), "", "", held=False)]
    print(table(checks))
    return HELD if all(check.held for check in checks) else FAILED
