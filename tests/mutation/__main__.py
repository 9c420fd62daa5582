"""Change the code in every small way that mutmut knows, and see whether a test notices.

    python -m tests.mutation [MODULE...]     every module of SUITES in suites.py, or those named, of all that there are

Prints one row a module and every survivor that survivors.md does not explain, and fails when there is
one or when fewer than 95 % are killed.
"""

import sys
from collections import Counter

from tests.mutation.explained import explained_changes
from tests.mutation.mutants import Mutant, tested_mutants
from tests.mutation.suites import SUITES

LEAST_KILLED = 0.95


def main(wanted: list[str]) -> int:
    explained = explained_changes()
    passed = [report(module, tested_mutants(module), explained) for module in wanted or SUITES]
    return 0 if all(passed) else 1


def report(module: str, mutants: list[Mutant], explained: Counter[tuple[str, str]]) -> bool:
    """Print a module's row and its open survivors; whether it passes."""
    survivors = [mutant for mutant in mutants if not mutant.killed]
    killed = 1 - len(survivors) / len(mutants)
    remaining = explained.copy()
    unexplained = []
    for mutant in survivors:
        change = (mutant.function, mutant.change)
        if remaining[change]:
            remaining[change] -= 1
        else:
            unexplained.append(mutant)
    print(f"{module:16} {len(mutants):5} mutants {killed:7.1%} killed, {len(survivors)} survive", flush=True)
    for mutant in unexplained:
        print(f"\nunexplained, {mutant.status}: {mutant.function}\n{mutant.change}")
    return killed >= LEAST_KILLED and not unexplained


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
