"""Every module of the package has tests that have to notice a change of it: tests/mutation/suites.py."""

import ast
import re
from pathlib import Path

import pytest

import fastsession
from tests.mutation.explained import PAGE
from tests.mutation.suites import BY_BEGINNING, SUITES, suite_of

PACKAGE = Path(fastsession.__file__).parent
ROOT = PACKAGE.parent


def modules():
    """Every module that has a function: without one there is nothing to mutate."""
    for path in sorted(PACKAGE.rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text()))
        if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes):
            yield path.relative_to(PACKAGE).with_suffix("").as_posix()


MODULES = list(modules())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_suite_that_exists(module):
    suite = suite_of(module)
    assert suite
    assert [path for path in suite if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("beginning", BY_BEGINNING)
def test_a_suite_is_that_of_a_module(beginning):
    assert any(suite_of(module) is BY_BEGINNING[beginning] for module in MODULES)


def test_the_page_of_survivors_has_a_row_for_each_module_that_is_held():
    rows = re.findall(r"^\| ([\w/]+) \| +\d+ ", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(SUITES)
    assert set(SUITES) <= set(MODULES)


@pytest.mark.parametrize("module", ["new_module", "session_of_another_kind", "new_folder/module"])
def test_a_module_without_a_suite_would_be_found(module):
    with pytest.raises(KeyError):
        suite_of(module)
