"""Links that lead out of the documentation, and those of the pages that Sphinx does not build.

`make docs` fails on a link inside the documentation that leads nowhere. Whether pages of others are still there takes a
network: `make linkcheck`.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")]
PAGES = [*OUTSIDE, *sorted((ROOT / "docs").rglob("*.md"))]
# A dollar begins a variable in a configuration that is shown.
URL = re.compile(r"\bhttps?://[^\s<>\"'`)\]|$]+")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]+))?\)")

KNOWN_HOSTS = {
    "c2sp.org",
    "cheatsheetseries.owasp.org",
    "csrc.nist.gov",
    "datatracker.ietf.org",
    "developer.mozilla.org",
    "docs.authlib.org",
    "docs.pydantic.dev",
    "github.com",
    "hapi.dev",
    "keepachangelog.com",
    "mangum.fastapiexpert.com",
    "pages.nist.gov",
    "semver.org",
    "smithyhq.github.io",
    "www.rfc-editor.org",
}
# RFC 2606 and RFC 6761 keep these for examples; testserver is the test client's.
EXAMPLE = re.compile(r"(^|\.)(example(\.com|\.org|\.net)?|test|localhost)$|^127\.0\.0\.1$|^testserver$")


def name_of(page):
    return str(page.relative_to(ROOT))


def urls(page):
    return [url.rstrip(".,;:…") for url in URL.findall(page.read_text())]


def external(page):
    return [url for url in urls(page) if not EXAMPLE.search(urlsplit(url).hostname or "")]


def anchors(page):
    """What a link into the page can name: its headings as GitHub and Sphinx write them, and MyST's own targets."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@each_page
def test_every_link_to_others_is_https_to_a_host_that_we_know(page):
    strangers = {}
    for url in external(page):
        parts = urlsplit(url)
        if (parts.scheme, parts.username, parts.port) != ("https", None, None) or parts.hostname not in KNOWN_HOSTS:
            strangers[url] = parts.hostname
    assert strangers == {}


@each_page
def test_no_address_has_characters_that_a_browser_would_change(page):
    assert [url for url in external(page) if not re.fullmatch(r"[\w\-./:?#=&%~+@!,()]+", url, re.ASCII)] == []


@each_page
def test_every_link_between_our_files_leads_to_a_file_and_a_heading(page):
    lost = []
    for path, anchor in LINK.findall(FENCE.sub("", page.read_text())):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(f"{path}#{anchor}")
    assert lost == []


def test_a_link_that_sphinx_knows_by_its_reference_is_defined():
    for page in PAGES:
        text = FENCE.sub("", page.read_text())
        used = set(re.findall(r"\]\[([\w-]+)\]", text))
        assert used <= set(re.findall(r"^\[([\w-]+)\]: ", text, re.MULTILINE)), page.name
