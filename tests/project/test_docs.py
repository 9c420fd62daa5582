"""What the README and docs/ say is run, or compared with the code."""

import inspect
import itertools
import logging
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import sqladmin  # noqa: F401  (before a page changes what it imports: starlettes_middleware_as_it_was)
from fastapi.testclient import TestClient
from starlette.middleware import sessions

import fastsession
import fastsession.formats
import fastsession.stores
from fastsession import Session, SessionMiddleware, SessionStatus, generate_key
from fastsession.decision import Outcome, decide
from fastsession.events import EventKind
from fastsession.testing import sealed_cookies

pytestmark = pytest.mark.usefixtures("event_loop")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class ShopSession(Session):
    user_id: int | None = None
    cart: tuple[str, ...] = ()


class Block(NamedTuple):
    """One fenced block of a page, with the line on which its text begins."""

    language: str
    line: int
    text: str


def blocks(page, language):
    text = page.read_text()
    found = (Block(match[1], text.count("\n", 0, match.start(2)), match[2]) for match in FENCE.finditer(text))
    return [block for block in found if block.language == language]


def name_of(page):
    return str(page.relative_to(ROOT))


def run(page):
    """Run the page's Python blocks in order, in one namespace."""
    namespace = {"__name__": page.stem.replace("-", "_")}
    for block in blocks(page, "python"):
        # Line numbers in a traceback are the page's.
        code = compile("\n" * block.line + block.text, str(page), "exec")
        exec(code, namespace)
    return namespace


def rows(page, first_heading):
    """The cells of the table whose first column has this heading, without code marks."""
    lines = iter((DOCS / page).read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            table = itertools.takewhile(lambda row: row.startswith("|"), itertools.islice(lines, 1, None))
            return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in table]
    pytest.fail(f"{page} has no table that begins with {first_heading!r}")


def with_page_ids(language):
    pages = [page for page in PAGES if blocks(page, language)]
    return pytest.mark.parametrize("page", pages, ids=map(name_of, pages))


FRONT_PAGES = pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "index.md"], ids=name_of)


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    for name in ("SESSION_SECRET", "AUTH_SECRET", "BETTER_AUTH_SECRET", "NUXT_SESSION_PASSWORD"):
        monkeypatch.setenv(name, generate_key())


@pytest.fixture(autouse=True)
def logger_as_it_was():
    logger = logging.getLogger("fastsession")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def starlettes_middleware_as_it_was(monkeypatch):
    """A page puts ours into Starlette's place, where whoever imports it next would take it from."""
    monkeypatch.setattr(sessions, "SessionMiddleware", sessions.SessionMiddleware)


@with_page_ids("python")
def test_every_python_block_runs(page):
    for name, value in run(page).items():
        if name.startswith("test_"):
            value()


@with_page_ids("console")
def test_every_command_prints_what_the_page_shows(page):
    middleware = SessionMiddleware(None, model=ShopSession, secret_key=os.environ["SESSION_SECRET"])
    cookies = sealed_cookies(middleware, ShopSession(user_id=42, cart=("tea",)))
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SESSION_SECRET": os.environ["SESSION_SECRET"],
        "COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    for block in blocks(page, "console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
            assert command.startswith("python -m fastsession")
            done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
            assert masked(done.stdout + done.stderr) == masked(shown), command


def masked(output):
    """The output without what differs from run to run: keys, handles, times."""
    for pattern, mask in ((r"fs1\.(?:…|[\w-]{43})", "KEY"), (r"\b[0-9a-f]{16}\b", "HANDLE"), (r"\d[\d:-]*", "0")):
        output = re.sub(pattern, mask, output)
    return output


@FRONT_PAGES
def test_the_front_pages_show_the_set_cookie_line_that_their_app_sends(page):
    [shown] = [block.text.strip() for block in blocks(page, "text") if block.text.startswith("set-cookie: ")]
    response = TestClient(run(page)["app"], base_url="https://testserver").post("/cart/tea")
    assert shape(shown.removeprefix("set-cookie: ")) == shape(response.headers["set-cookie"])


def shape(set_cookie):
    """Name, length of the token, and attributes."""
    match = re.fullmatch(r"([^=]+)=([\w-]+)(; .*)", set_cookie)
    assert match, set_cookie
    return match[1], len(match[2]), match[3]


@FRONT_PAGES
def test_the_front_pages_have_an_app_of_twelve_lines(page):
    assert len([line for line in blocks(page, "python")[0].text.splitlines() if line]) == 12


def test_the_readme_names_the_two_make_targets_in_its_first_screen():
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    assert "make run" in first_screen
    assert "make test" in first_screen


@pytest.mark.parametrize("page", PAGES, ids=map(name_of, PAGES))
def test_every_make_target_that_a_page_names_exists(page):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= set(targets)


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert links


@pytest.mark.parametrize("drawing", sorted((DOCS / "_static").glob("*.svg")), ids=name_of)
def test_every_drawing_has_a_title_and_is_drawn_for_the_dark_too(drawing):
    text = drawing.read_text()
    title = re.search(r'<title id="([\w-]+)">\w', text)
    assert title
    assert f'aria-labelledby="{title[1]}' in text
    assert "@media (prefers-color-scheme: dark)" in text


def test_every_option_of_the_middleware_is_documented_with_its_default():
    text = (DOCS / "configuration.md").read_text()
    documented = dict(re.findall(r"^### `(\w+)`\n\n(Required|Default: `[^`]+`)", text, re.MULTILINE))
    parameters = [
        parameter
        for parameter in inspect.signature(SessionMiddleware).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    assert set(documented) == {parameter.name for parameter in parameters}
    names = {"Session": Session, "time": time, "timedelta": timedelta}
    for parameter in parameters:
        told = documented[parameter.name]
        if parameter.default is parameter.empty:
            assert told == "Required", parameter.name
        else:
            assert eval(told.removeprefix("Default: ").strip("`"), names) == parameter.default, parameter.name


def test_the_table_of_options_shows_each_option_of_the_page_with_its_default():
    text = (DOCS / "configuration.md").read_text()
    described = re.findall(r"^### `(\w+)`\n\n(?:(?:Default: `([^`]+)`)|Required)", text, re.MULTILINE)
    listed = [(re.findall(r"#(\w+)\)", option), default) for option, _, default in rows("configuration.md", "Option")]
    assert listed == [([name], default or "required") for name, default in described]


def test_every_event_is_documented_with_its_log_level():
    documented = {kind: level for kind, level, *_ in rows("events.md", "Kind")}
    assert documented == {str(kind): logging.getLevelName(kind.level) for kind in EventKind}


def test_every_status_is_documented():
    assert [status for status, *_ in rows("events.md", "Status")] == [str(status) for status in SessionStatus]


@pytest.mark.parametrize("module", [fastsession, fastsession.formats, fastsession.stores], ids=lambda it: it.__name__)
def test_every_public_name_is_in_the_reference(module):
    reference = (DOCS / "api.md").read_text()
    documented = set(re.findall(r"^\.\. [\w:]+:: (?:[\w.]+\.)?(\w+)", reference, re.MULTILINE))
    assert documented >= set(module.__all__)


def test_the_decision_table_is_what_the_code_decides():
    table = rows("lifecycle.md", "Destroyed")
    switches = itertools.product([True, False], repeat=4)
    for status, (destroyed, changed, outdated, due), code in itertools.product(
        SessionStatus, switches, [200, 499, 500]
    ):
        facts = [
            {"yes" if destroyed else "no"},
            {"yes" if changed else "no"},
            {str(status)},
            {"yes" if outdated else "no"},
            {"yes" if due else "no"},
            {"500 and above" if code >= 500 else "below 500"},
        ]
        outcome = decide(status, destroyed=destroyed, changed=changed, outdated=outdated, due=due, status_code=code)
        assert first_fitting(table, facts) is outcome, (status, facts)


def first_fitting(table, facts):
    """The outcome of the first row whose every cell is `any` or names the fact."""
    for *conditions, outcome in table:
        if all(cell == "any" or set(cell.split(" or ")) & fact for cell, fact in zip(conditions, facts, strict=True)):
            return Outcome(outcome.strip("*").lower())
    raise AssertionError(facts)
