"""Imports point down: each module may use only those below it."""

import ast
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fastsession

PACKAGE = Path(fastsession.__file__).parent
# From the bottom up. A folder is one entry: its files may use one another, but never in a circle. A file of a folder
# that stands lower or higher than the rest has an entry of its own.
LAYERS = [
    {"status"},
    {"errors", "decision", "sealing.recent"},
    {"building"},
    {"lifetime", "cookies", "sealing.xaes"},
    {"session"},
    {"response_headers", "payload", "keyring"},
    {"events", "sealing", "stores"},
    {"formats", "sealing.binding", "device_binding"},
    {"options"},
    {"visit"},
    {"reports"},
    {"lifecycle"},
    {"mapping"},
    {"scope"},
    {"server_side"},
    {"dependencies", "device_binding.endpoints"},
    {"server_side.control"},
    {"middleware"},
    {"starlette"},
    {"testing"},
    {"session_status", "inspector", "monitoring"},
    {"__init__", "__main__"},
]
CORE_FOLDERS = {"building", "dependencies", "device_binding", "payload", "sealing", "server_side"}
HEIGHT = {entry: height for height, layer in enumerate(LAYERS) for entry in layer}
MOST_AT_THE_TOP = 20
# What reads bytes into objects of its own choosing has no business near a cookie (security.md I-20).
UNSAFE_LOADERS = {"pickle", "marshal", "yaml", "shelve", "dill"}


@cache
def modules():
    """Every module by its dotted name below the package."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return sorted(".".join(path.parts) for path in paths)


@cache
def imports(module):
    """The modules that one imports, those that only type checkers read among them: for a reader they are imports."""
    tree = ast.parse(PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text())
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.append(node.module)
    return names


def own_imports(module):
    """The modules of the package that one imports."""
    for name in imports(module):
        if name.startswith("fastsession."):
            yield name.removeprefix("fastsession.")


def folder(module):
    return module.partition(".")[0]


def entry(module):
    return module if module in HEIGHT else folder(module)


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


def test_the_top_of_the_package_is_read_at_a_glance():
    assert len([module for module in modules() if "." not in module]) <= MOST_AT_THE_TOP


def test_the_path_of_a_session_is_read_in_one_sitting():
    path = ("middleware", "visit", "lifecycle", "decision")
    assert sum(len((PACKAGE / f"{module}.py").read_text().splitlines()) for module in path) <= 480


@pytest.mark.parametrize("module", modules())
def test_a_module_fits_in_one_head(module):
    assert len(PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text().splitlines()) <= 250


@pytest.mark.parametrize("module", modules())
def test_no_module_imports_an_unsafe_loader(module):
    assert UNSAFE_LOADERS.isdisjoint(folder(name) for name in imports(module))


def test_the_core_needs_four_packages_and_no_more():
    core = [module for module in modules() if "." not in module or folder(module) in CORE_FOLDERS]
    used = {folder(name) for module in core for name in imports(module)}
    assert used - sys.stdlib_module_names - {"fastsession"} == {
        "cryptography",
        "fastapi",
        "pydantic",
        "pydantic_core",
        "starlette",
    }
