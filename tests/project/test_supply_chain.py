"""What an installation brings along, and what the linter may not be told to overlook (docs: SECURITY.md)."""

import ast
import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DISTRIBUTION = PROJECT["project"]["name"]
DIRECT = {"cryptography", "fastapi", "pydantic", "starlette"}
# What those four need in turn, in the oldest and in the newest versions that the tests run with.
INDIRECT = {
    "annotated-doc",
    "annotated-types",
    "anyio",
    "cffi",
    "idna",
    "opentelemetry-api",
    "pycparser",
    "pydantic-core",
    "sniffio",
    "typing-extensions",
    "typing-inspection",
}
SOURCES = sorted(path for folder in ("fastsession", "example_app") for path in (ROOT / folder).rglob("*.py"))
SECURITY_RULES = re.compile(r"S\d*")


def needed(distribution):
    """What is installed with a distribution, extras aside."""
    requirements = map(Requirement, requires(distribution) or ())
    return {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }


def needed_in_the_end(distribution):
    """The same with all that those need in turn."""
    found, rest = set(), needed(distribution)
    while rest:
        name = rest.pop()
        found.add(name)
        rest |= needed(name) - found
    return found


def test_the_library_asks_for_four_packages():
    assert needed(DISTRIBUTION) == DIRECT


def test_an_installation_brings_no_package_that_nobody_has_looked_at():
    assert needed_in_the_end(DISTRIBUTION) - DIRECT - INDIRECT == set()


def test_every_package_has_a_lower_bound_and_none_has_an_upper_one():
    extras = PROJECT["project"]["optional-dependencies"].values()
    requirements = [*PROJECT["project"]["dependencies"], *(entry for extra in extras for entry in extra)]
    operators = [[part.operator for part in Requirement(entry).specifier] for entry in requirements]
    assert operators == [[">="]] * len(requirements)


SUITES = ROOT / "fastsession" / "testing" / "stores"
# All but the tests that are there for others to run.
SERVED = [source for source in SOURCES if not source.is_relative_to(SUITES)]


@pytest.mark.parametrize("source", SERVED, ids=lambda source: str(source.relative_to(ROOT)))
def test_no_check_is_an_assert_that_python_can_be_told_to_leave_out(source):
    tree = ast.parse(source.read_text())
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []


def test_the_security_rules_are_on_for_all_that_is_served():
    lint = PROJECT["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert _security_rules(lint["ignore"]) == []
    # The demonstration's password is no secret; tests for others assert.
    allowed = {"example_app/**": ["S105"], "fastsession/testing/stores/**": ["S101"], "tests/**": ["S"]}
    per_file = {pattern: _security_rules(rules) for pattern, rules in lint["per-file-ignores"].items()}
    assert {pattern: rules for pattern, rules in per_file.items() if rules} == allowed


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_a_line_that_overlooks_a_security_rule_says_why(source):
    for line in source.read_text().splitlines():
        _, _, comment = line.partition("# noqa")
        rules, _, reason = comment.partition("  ")
        if not comment or not _security_rules(re.findall(r"[A-Z]+\d*", rules)):
            continue
        assert reason.startswith("("), line.strip()


def _security_rules(rules):
    return [rule for rule in rules if SECURITY_RULES.fullmatch(rule)]
