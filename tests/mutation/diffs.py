"""Print mutants as JSON, name to diff. A process of its own: mutmut reads its settings from where it is imported."""

import json
import sys

from mutmut.mutation.diff_apply import get_diff_for_mutant


def main(path: str, names: list[str]) -> None:
    print(json.dumps({name: get_diff_for_mutant(name, path=path) for name in names}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
