"""Runs mutmut on a copy of the checkout: it writes its mutants beside the code."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.suites import suite_of

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".build" / "mutation"
# Too slow to run again for each mutant, and about other modules: a server of its own, thousands of requests. And one
# that counts the calls of a request, to which mutmut adds its own.
SKIPPED = "not redis and not ten_thousand and not any_headers and not hostile_cookies_are_at_most"
# A mutant that never ends was noticed; one that no test calls was not.
KILLED = {"killed", "timeout", "segfault"}
# Seconds, times fifteen, that tests may take beyond their usual time. On a busy machine it takes long to start them, and
# a survivor would count as a mutant that never ends.
PATIENCE = 4.0

SETTINGS = """\
[mutmut]
source_paths = fastsession
only_mutate = fastsession/{module}.py
timeout_constant = {patience}
pytest_add_cli_args =
    -p
    no:cacheprovider
    -k
    {skipped}
pytest_add_cli_args_test_selection =
    {tests}
"""


@dataclass(frozen=True)
class Mutant:
    """One small change of one function, and what became of it."""

    function: str
    status: str
    change: str

    @property
    def killed(self) -> bool:
        return self.status in KILLED


def tested_mutants(module: str) -> list[Mutant]:
    """Every mutant of a module, after its tests ran against each."""
    copy = BUILD / module
    shutil.rmtree(copy, ignore_errors=True)
    for folder in ("fastsession", "tests", "example_app", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "setup.cfg").write_text(
        SETTINGS.format(module=module, patience=PATIENCE, skipped=SKIPPED, tests="\n    ".join(suite_of(module)))
    )
    ran(copy, "mutmut", "run", "--max-children", str(os.cpu_count()))
    lines = ran(copy, "mutmut", "results", "--all", "true").splitlines()
    statuses = dict(line.strip().split(": ") for line in lines if "__mutmut_" in line)
    survivors = [name for name, status in statuses.items() if status not in KILLED]
    diffs = json.loads(ran(copy, "tests.mutation.diffs", f"fastsession/{module}.py", *survivors))
    return [Mutant(function_of(name), status, changed_lines(diffs.get(name, ""))) for name, status in statuses.items()]


def ran(copy: Path, module: str, *arguments: str) -> str:
    """What a module prints; when it fails, that is the end."""
    command = [sys.executable, "-m", module, *arguments]
    finished = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{finished.stdout[-5000:]}{finished.stderr[-5000:]}")
    return finished.stdout


def function_of(mutant: str) -> str:
    """Class.method of package.module.xǁClassǁmethod__mutmut_7, function of package.module.x_function__mutmut_7."""
    place = mutant.partition("__mutmut_")[0].rpartition(".x")[2]
    return place.replace("ǁ", ".").removeprefix(".") if "ǁ" in place else place.removeprefix("_")


def changed_lines(shown: str) -> str:
    """The lines that a diff removes and adds, without their indentation."""
    lines = [line for line in shown.splitlines() if line.startswith(("-", "+")) and line[:3] not in ("---", "+++")]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)
