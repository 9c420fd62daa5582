"""Every requirement and every failure of a peer in tests/security.md is answered by a test or a paragraph that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "tests" / "security.md"
# Numbers that were given to something else once are not given again.
REQUIREMENTS = [*range(1, 3), *range(4, 7), *range(8, 14), *range(15, 30), 31, *range(33, 38), *range(39, 42), 43, 44]
FAILURES = [*range(1, 19), *range(20, 29), 32, 33, 36]
IDS = [f"R-{number:02}" for number in REQUIREMENTS] + [f"I-{number:02}" for number in FAILURES]
ROW = re.compile(r"^\| ([RI]-\d\d) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text())
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINK = re.compile(r"\]\(([\w./-]+\.md)#([\w-]+)\)")


@cache
def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "name")}


@cache
def anchors(page):
    """What can stand behind `#` in a link to a page: its labels, and its headings in lower case with hyphens."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


def missing(answer):
    """The answers in a cell that point nowhere."""
    for path, name in TEST.findall(answer):
        if not (ROOT / path).exists() or name not in functions(ROOT / path):
            yield f"{path}::{name}"
    for page, anchor in LINK.findall(answer):
        path = PAGE.parent / page
        if not path.exists() or anchor not in anchors(path):
            yield f"{path.name}#{anchor}"


def test_every_id_has_one_row():
    assert [name for name, *_ in ROWS] == IDS


@pytest.mark.parametrize(("name", "asked", "answer"), ROWS, ids=[name for name, *_ in ROWS])
def test_a_row_is_answered_by_what_exists(name, asked, answer):
    assert TEST.search(answer) or LINK.search(answer)
    assert list(missing(answer)) == []


@pytest.mark.parametrize("folder", ["fastsession", "tests", "docs", "example_app"])
def test_no_id_is_cited_that_the_table_does_not_have(folder):
    files = [path for suffix in ("py", "md") for path in (ROOT / folder).rglob(f"*.{suffix}")]
    cited = {name for path in files for name in re.findall(r"\b[RI]-\d\d\b", path.read_text())}
    assert cited - set(IDS) == set()


def test_an_answer_that_points_nowhere_would_be_found():
    tests = "`tests/project/test_security_table.py::test_nothing`, `tests/gone.py::test_a`"
    assert len(list(missing(f"{tests} and [a](security.md#nowhere), [b](gone.md#c)"))) == 4
