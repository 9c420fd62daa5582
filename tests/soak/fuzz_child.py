"""One target under atheris, in a process of its own because libFuzzer ends it.

Takes the target's name, a folder for what it finds, and libFuzzer's arguments.
"""

import heapq
import logging
import sys
from pathlib import Path

import atheris

from tests.soak.fuzz_target import Target, milliseconds

# How many of the slowest inputs are kept, to be measured again without the fuzzer's instruments.
SLOWEST = 8


class Slowest:
    """Keeps the slowest inputs in files: libFuzzer leaves no time for anything at its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[tuple[float, int]] = []
        self._count = 0

    def add(self, took: float, data: bytes) -> None:
        if len(self._found) == SLOWEST:
            if took <= self._found[0][0]:
                return
            self._file(heapq.heappop(self._found)[1]).unlink()
        self._count += 1
        heapq.heappush(self._found, (took, self._count))
        self._file(self._count).write_bytes(data)

    def _file(self, number: int) -> Path:
        return self._folder / f"slow-{number}"


def main() -> None:
    name, folder, *arguments = sys.argv[1:]
    with atheris.instrument_imports(include=["fastsession"]):
        from tests.soak.fuzz_targets import target_named
    logging.disable()
    target = target_named(name)
    slowest = Slowest(Path(folder))

    def test(data: bytes) -> None:
        slowest.add(milliseconds(target, data), data)

    atheris.Setup([sys.argv[0], *arguments], test, **_mutator(target))
    atheris.Fuzz()


def _mutator(target: Target) -> dict[str, object]:
    mutate = target.mutate
    if mutate is None:
        return {}
    return {"custom_mutator": lambda data, longest, seed: mutate(data, longest, seed, atheris.Mutate)[:longest]}


main()
