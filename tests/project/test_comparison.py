"""docs/comparison.md: every claim about another library rests on a line of it, and the line says so."""

import json
import re
from importlib.metadata import distribution, version
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.formats.peer import BUILD, install

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "comparison.md").read_text()
SOURCE = re.compile(
    r"^\[(?P<claim>[\w-]+)\]: https://github\.com/(?P<repository>[\w-]+/[\w-]+)/blob/v?(?P<tag>[\d.]+)/"
    r"(?P<path>[\w./-]+)(?:\?plain=1)?#L(?P<line>\d+) ['(](?P<quote>.+)[')]$",
    re.MULTILINE,
)
NOT_COMPARABLE = "\N{EN DASH}"
NODE_PACKAGES = {
    "mozilla/node-client-sessions": "client-sessions",
    "vvo/iron-session": "iron-session",
    "expressjs/session": "express-session",
    "hapijs/yar": "@hapi/yar",
}


class Source(NamedTuple):
    """A line of a library at one version, and words that stand on it."""

    claim: str
    repository: str
    tag: str
    path: str
    line: int
    quote: str


SOURCES = [Source(**{**match.groupdict(), "line": int(match["line"])}) for match in SOURCE.finditer(PAGE)]


def tables():
    """The rows of both tables, without their headings."""
    for table in re.findall(r"^\| \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        yield [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def figures(page, heading):
    """The first figure of each row's cell under the heading, of the page's first table that has such a column."""
    lines = iter((DOCS / page).read_text().splitlines())
    for line in lines:
        headings = [cell.strip() for cell in line.strip("|").split("|")]
        if heading in headings:
            break
    column = headings.index(heading)
    found = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found[cells[0]] = cells[column].partition(" ")[0]
    return found


def test_every_claim_about_another_library_has_a_source_and_every_source_a_claim():
    claims = [cell for table in tables() for row in table[:-1] for cell in row[2:]]
    assert [cell for cell in claims if not re.fullmatch(r"\[[^\]]+\]\[[\w-]+\]", cell)] == []
    assert set(re.findall(r"\]\[([\w-]+)\]", PAGE)) == {source.claim for source in SOURCES}
    assert len(re.findall(r"^\[[\w-]+\]: ", PAGE, re.MULTILINE)) == len(SOURCES)


def test_every_claim_about_ourselves_links_to_the_page_that_tells_more():
    ours = [row[1] for table in tables() for row in table[:-1]]
    assert [cell for cell in ours if not re.fullmatch(r"\[[^\]]+\]\([\w-]+\.md(#[\w-]+)?\)", cell)] == []


def test_the_page_names_the_versions_of_its_sources():
    versions = {source.tag for source in SOURCES if source.repository != "pallets/werkzeug"}
    assert versions == set(re.findall(r"\b\d+\.\d+\.\d+\b", PAGE.partition("## In Python")[0]))


@pytest.fixture(scope="module")
def packages():
    """Where the Node packages are, once they are installed."""
    install()
    return BUILD / "node_modules"


def of_python(source):
    name = source.repository.partition("/")[2]
    return version(name), Path(distribution(name).locate_file(source.path.removeprefix("src/")))


def of_node(source, packages):
    package = packages / NODE_PACKAGES[source.repository]
    return json.loads((package / "package.json").read_text())["version"], package / source.path


@pytest.mark.parametrize("source", SOURCES, ids=[source.claim for source in SOURCES])
def test_every_source_says_what_is_quoted(source, packages):
    installed, file = of_node(source, packages) if source.repository in NODE_PACKAGES else of_python(source)
    if installed != source.tag:
        pytest.skip(f"the page tells of {source.repository} {source.tag}, and {installed} is installed")
    assert source.quote.replace("\\", "") in file.read_text().splitlines()[source.line - 1]


def test_the_ratios_are_those_of_the_performance_page():
    in_python, in_node = (table[-1][1:] for table in tables())
    reading, sealing = figures("performance.md", "read"), figures("performance.md", "seal, 120 B")
    told = [reading[name] for name in ("FastSession", "Starlette", "starsessions, cookie", "Litestar CookieBackend")]
    assert in_python == [*told, NOT_COMPARABLE, NOT_COMPARABLE]
    names = ("FastSession, sealing alone", "client-sessions", "iron-session")
    assert in_node == [*(sealing[name] for name in names), NOT_COMPARABLE, sealing["@hapi/iron"]]
