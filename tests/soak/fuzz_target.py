"""What the fuzzer runs: bytes into one reader of the package, out of which comes nothing but a rejection."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Change = Callable[[bytes, int], bytes]


def nothing_more(_data: bytes, _result: object) -> None:
    """The check of a target whose only property is that nothing but a rejection is raised."""


@dataclass(frozen=True)
class Target:
    """One reader under test.

    `run` is measured; it returns None for a rejected input and lets every other exception out. `check` is not
    measured, and raises AssertionError for a result that is wrong. `mutate` changes an input where bytes alone
    would never get past a tag; it is given an input, the greatest length, a random number and the fuzzer's own way
    to change bytes.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: Sequence[bytes]
    longest: int
    check: Callable[[bytes, object], None] = nothing_more
    mutate: Callable[[bytes, int, int, Change], bytes] | None = None


def milliseconds(target: Target, data: bytes) -> float:
    """How long an input keeps the processor busy; raises what the target raises."""
    began = time.thread_time_ns()
    result = target.run(data)
    took = time.thread_time_ns() - began
    target.check(data, result)
    return took / 1e6


def least_milliseconds(target: Target, data: bytes) -> float:
    """The least of three times: what else the machine does adds to a time and takes nothing away."""
    return min(milliseconds(target, data) for _ in range(3))
