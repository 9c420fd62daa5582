"""Starlette's own tests of its session middleware, out of its source distribution, with another import."""

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.processes import PATIENCE

THEIR_IMPORT = "from starlette.middleware.sessions import "
OUR_IMPORT = "from fastsession.starlette import "


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The source distribution of the installed Starlette."""
    folder = tmp_path_factory.mktemp("starlette")
    wanted = f"starlette=={version('starlette')}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-binary",
        ":all:",
    ]
    subprocess.run([*command, "-d", folder, wanted], check=True, capture_output=True, timeout=PATIENCE * 4)
    [archive] = folder.glob("starlette-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def test_starlettes_own_tests_pass_with_nothing_changed_but_the_import(source):
    tests = source / "tests" / "middleware" / "test_session.py"
    text = tests.read_text()
    assert text.count(THEIR_IMPORT) == 1
    tests.write_text(text.replace(THEIR_IMPORT, OUR_IMPORT))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--override-ini=addopts=", str(tests)]
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        command,
        cwd=source,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 4,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout
