"""The survivors that survivors.md explains."""

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).with_name("survivors.md")
_PLACE = re.compile(r"^### `(?P<function>[\w.]+)`$")


def explained_changes() -> Counter[tuple[str, str]]:
    """How many survivors with a function and a change the page explains: one for each block under its heading."""
    found: Counter[tuple[str, str]] = Counter()
    function = ""
    block: list[str] | None = None
    for line in PAGE.read_text().splitlines():
        if heading := _PLACE.match(line):
            function = heading["function"]
        elif line == "```diff":
            block = []
        elif line == "```" and block is not None:
            found[function, "\n".join(block)] += 1
            block = None
        elif block is not None:
            block.append(line)
    return found
