"""No secret value is compared in a way that stops at the first difference (security.md I-07)."""

import ast
import re

import pytest

from tests.project.test_layers import PACKAGE

# What is secret, or proves that somebody knows a secret. Ids are compared only when they have been authenticated.
SECRET = re.compile(r"(^|_)(tag|mac|digest|signature|secret|password|binding|token)$")


def comparisons(text):
    """Every `==` and `!=` of a module in which a name or an attribute sounds secret."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [node.left, *node.comparators]
            names = [getattr(side, "attr", getattr(side, "id", "")) for side in sides]
            if any(SECRET.search(name) for name in names):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_secret_is_compared_with_an_equals_sign(path):
    assert set(comparisons(path.read_text())) == set()


def test_such_a_comparison_would_be_found():
    found = list(comparisons("if token.binding == other or outage == 1:\n    a = made(x) != tag"))
    assert found == ["token.binding == other", "made(x) != tag"]
