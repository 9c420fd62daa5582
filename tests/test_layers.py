"""Imports point down: each module may use only those below it."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fastsession

PACKAGE = Path(fastsession.__file__).parent
# From the bottom up. A folder is one entry: its files may use one another, but never in a circle.
LAYERS = [
    {"status"},
    {"errors", "plain_http", "serverless", "response_headers"},
    {"events", "decision"},
    {"session", "lifetime", "cookies"},
    {"payload"},
    {"sealing"},
    {"reporting", "stores"},
    {"formats"},
    {"request"},
    {"lifecycle"},
    {"mapping", "openapi"},
    {"dependencies"},
    {"guards"},
    {"server_side"},
    {"middleware", "rechecking"},
    {"testing"},
    {"session_status", "inspector", "monitoring"},
    {"__init__", "__main__"},
]
CORE_FOLDERS = {"guards", "payload", "sealing", "server_side"}
HEIGHT = {entry: height for height, layer in enumerate(LAYERS) for entry in layer}
# What reads bytes into objects of its own choosing has no business near a cookie (security.md I-20).
UNSAFE_LOADERS = {"pickle", "marshal", "yaml", "shelve", "dill"}


def modules():
    """Every module by its dotted name below the package."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return sorted(".".join(path.parts) for path in paths)


def imports(module, *, at_run_time):
    """The modules that one imports; at run time, those that only type checkers read are left out."""
    tree = ast.parse(PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text())
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    guarded = {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if at_run_time and node in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module


def own_imports(module):
    """The modules of the package that one needs when it is imported."""
    for name in imports(module, at_run_time=True):
        if name.startswith("fastsession."):
            yield name.removeprefix("fastsession.")


def entry(module):
    return module.partition(".")[0]


def test_every_module_has_its_layer():
    assert {entry(module) for module in modules()} <= HEIGHT.keys()


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module):
    mine = entry(module)
    others = {entry(used) for used in own_imports(module)} - ({mine} if "." in module else set())
    assert {other for other in others if HEIGHT[other] >= HEIGHT[mine]} == set()


def test_no_module_needs_itself():
    needs = {
        module: {used if used in modules() else f"{used}.__init__" for used in own_imports(module)}
        for module in modules()
    }
    TopologicalSorter(needs).prepare()


@pytest.mark.parametrize("module", modules())
def test_no_module_imports_an_unsafe_loader(module):
    assert UNSAFE_LOADERS.isdisjoint(entry(name) for name in imports(module, at_run_time=False))


def test_the_core_needs_four_packages_and_no_more():
    core = [module for module in modules() if "." not in module or entry(module) in CORE_FOLDERS]
    used = {entry(name) for module in core for name in imports(module, at_run_time=False)}
    assert used - sys.stdlib_module_names - {"fastsession"} == {
        "cryptography",
        "fastapi",
        "pydantic",
        "pydantic_core",
        "starlette",
    }
