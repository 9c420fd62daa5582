"""The inputs that are kept in the repository: a line of base64 each, the shortest first, one file a target."""

import re
from base64 import b64decode, b64encode
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
# Of each target, so that all of them stay below 200 KB.
MOST_CHARACTERS = 9_000


def kept(name: str) -> list[bytes]:
    file = corpus_file(name)
    return [b64decode(line) for line in file.read_text().splitlines()] if file.exists() else []


def keep(name: str, inputs: list[bytes]) -> None:
    """Keep as many inputs as there is room for."""
    lines: list[str] = []
    room = MOST_CHARACTERS
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        line = b64encode(data).decode() + "\n"
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    FOLDER.mkdir(exist_ok=True)
    corpus_file(name).write_text("".join(lines))


def corpus_file(name: str) -> Path:
    return FOLDER / f"{slug(name)}.txt"


def slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).lower()
