"""A soak that fails says so: in its tables, in its exit code, and in the page."""

import sys

import pytest

from tests.soak import __main__ as soak
from tests.soak import checks, page
from tests.soak.checks import Check
from tests.soak.page import BEGIN, END, PAGE, Part, Result

HELD = Result(Part("flood", "T-09: a flood"), "noise\n| a | b |\n", held=True, seconds=60)
FAILED = Result(Part("users", "T-11: users"), "| c | d |\n", held=False, seconds=60)


@pytest.mark.parametrize(
    ("check", "held"),
    [
        (checks.none("lost", 0), True),
        (checks.none("lost", 1), False),
        (checks.at_least("requests", 10, 10), True),
        (checks.at_least("requests", 9, 10), False),
        (checks.at_most("wait", 0.3, 0.3), True),
        (checks.at_most("wait", 0.31, 0.3), False),
        (Check("rate", "5,000"), True),
    ],
)
def test_a_limit_that_is_missed_fails_the_part_and_is_marked(check, held, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["part", "--seconds", "1"])
    assert (checks.main(lambda seconds: [check], "") == checks.HELD) is held
    assert ("**no**" in capsys.readouterr().out) is not held


def test_the_page_has_a_place_for_the_results():
    text = PAGE.read_text()
    assert text.index(BEGIN) < text.index(END)


def test_a_run_replaces_the_results_of_the_one_before_and_nothing_else(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(f"before\n{BEGIN}\nresults of before\n{END}\nafter\n")
    for results in ([HELD], [HELD, FAILED]):
        page.write(results, command="make soak", page=copy)
    text = copy.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "results of before" not in text
    assert "noise" not in text
    assert text.count("Everything held.") == text.count("did not hold.") == 1
    assert [line for line in text.splitlines() if line.startswith("|")] == ["| a | b |", "| c | d |"]


@pytest.mark.parametrize(("parts", "code"), [([HELD], soak.HELD), ([HELD, FAILED], soak.FAILED)])
def test_the_exit_code_tells_and_the_part_is_named(parts, code, capsys):
    assert soak.verdict(parts) == code
    assert capsys.readouterr().err == "".join(f"failed: {part.part.title}\n" for part in parts if not part.held)
