"""tests/README.md says what to run when something has changed: it names every part of the package, and nothing that is gone."""

import re
from pathlib import Path

import pytest

import fastsession

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = (TESTS / "README.md").read_text()
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.partition("## I changed X, run Y")[2].partition("##")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| Changed")
]


def in_code(text):
    """What stands in code marks, word by word."""
    return [word for code in re.findall(r"`([^`]+)`", text) for word in code.split()]


def test_every_path_that_the_page_names_exists():
    named = {word.partition("::")[0] for word in in_code(PAGE) if word.startswith(("tests/", ".ci/"))}
    assert len(named) > 40
    assert [path for path in sorted(named) if not list(ROOT.glob(path))] == []


def test_every_make_target_that_the_page_names_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for words in re.findall(r"`make ([\w -]+)`", PAGE) for target in words.split()}
    assert len(named) > 5
    assert named <= targets


def parts():
    """The package at a glance: its modules and folders, as the table writes them."""
    package = Path(fastsession.__file__).parent
    files = [path.name for path in package.glob("*.py")]
    folders = [f"{path.name}/" for path in package.iterdir() if list(path.glob("*.py"))]
    return sorted(files + folders)


@pytest.mark.parametrize("part", parts())
def test_every_part_of_the_package_has_a_row(part):
    assert any(part in in_code(changed) for changed, _ in ROWS)


@pytest.mark.parametrize(("changed", "run"), ROWS, ids=[str(number) for number in range(len(ROWS))])
def test_a_row_names_what_exists_and_something_to_run(changed, run):
    assert in_code(run)
    for name in in_code(changed):
        assert (ROOT / "fastsession" / name).exists() or (ROOT / name).exists(), name


@pytest.mark.parametrize("folder", sorted(path.name for path in TESTS.iterdir() if list(path.glob("test_*.py"))))
def test_every_folder_of_tests_is_named(folder):
    assert f"tests/{folder}" in PAGE


def test_no_test_lies_flat_in_the_folder_of_all():
    """tests/README.md tells the folders: what one holds in the hand when a test fails."""
    assert sorted(path.name for path in TESTS.glob("test_*.py")) == []
