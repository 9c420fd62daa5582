"""How a run of the tests goes: no test depends on when it was collected, and one that hangs fails alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import PATIENCE, started

ROOT = Path(__file__).parents[2]
HANGING = """
import asyncio
import threading

import pytest

from tests.processes import started

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def program():
    with started(["sleep", "600"]) as process:
        print("\\nstarted", process.pid)
        yield


@pytest.mark.anyio
async def test_awaits_for_ever(program, anyio_backend):
    await asyncio.Event().wait()


@pytest.mark.anyio
async def test_comes_next(program, anyio_backend):
    pass


def test_blocks_for_ever(program, anyio_backend):
    threading.Event().wait()


def test_comes_last(anyio_backend):
    pass
"""
# What the run around these was told to do is not for them.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "CI": "",
    "FASTSESSION_TEST_SLEEP_AFTER_COLLECTION": "0",
}
# The run under test is no part of this one.
for name in ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "COV_CORE_SOURCE"):
    ENVIRONMENT.pop(name, None)


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=4 * PATIENCE,
    )


def pytest_command(path, *options):
    configuration = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(path.parent), "-p", "tests.conftest")
    return ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-v", "-s", *configuration, *options, str(path)]


def gone(pid):
    """Wait until no process has the number; a zombie, that only its new parent can remove, is none."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_no_module_of_the_tests_takes_the_time_when_it_is_imported():
    done = run("-m", "tests.clock_at_import", "tests", "example_app")
    assert (done.returncode, done.stdout.split()) == (0, []), done.stdout + done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "import time; LATER = int(time.time()) + 600",
        "from datetime import UTC, datetime; NOW = datetime.now(UTC)",
        "from datetime import date; TODAY = date.today()",
        "import time\ndef test(now=time.time_ns()): pass",
        "import time\nclass Case:\n    begun = time.monotonic()",
        "import time\ndef made():\n    return time.time()\nCASES = [made()]",
        "from fastsession.testing import Clock; from fastsession import Session\nCLOCK = Clock()",
    ],
)
def test_one_that_takes_it_is_found(tmp_path, line):
    (tmp_path / "example.py").write_text(line)
    assert run("-m", "tests.clock_at_import", str(tmp_path)).stdout.startswith(f"{tmp_path / 'example.py'}:")


def test_a_clock_that_is_only_handed_on_is_not(tmp_path):
    (tmp_path / "example.py").write_text("import time\ndef later(clock=time.time):\n    return clock() + 600")
    assert run("-m", "tests.clock_at_import", str(tmp_path)).stdout.strip() == ""


def test_a_test_that_hangs_fails_alone_and_leaves_no_process(tmp_path):
    path = tmp_path / "test_hanging.py"
    path.write_text(HANGING)
    done = run(*pytest_command(path, "-o", "timeout=20"))
    assert "2 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    pids = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("started ")]
    assert len(pids) == 3
    assert all(map(gone, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_what_a_run_started_ends_with_it_even_when_it_is_killed(tmp_path):
    path = tmp_path / "test_hanging.py"
    path.write_text(HANGING)
    command = [sys.executable, *pytest_command(path)]
    with started(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        pid = next(int(line.split()[1]) for line in process.stdout if line.startswith("started "))
        os.kill(process.pid, signal.SIGKILL)
        assert gone(pid)


def test_a_package_that_is_not_installed_skips_its_tests_loudly(tmp_path):
    path = tmp_path / "test_peer.py"
    path.write_text("import some_framework_that_nobody_has\n\n\ndef test_it():\n    pass\n")
    done = run(*pytest_command(path))
    assert "PYTHON PACKAGE some_framework_that_nobody_has IS NOT INSTALLED" in done.stdout
    assert "1 skipped" in done.stdout
    assert run(*pytest_command(path), CI="true").returncode == pytest.ExitCode.INTERRUPTED


def test_a_module_of_ours_that_is_missing_is_an_error(tmp_path):
    path = tmp_path / "test_ours.py"
    path.write_text("import tests.nowhere\n")
    assert run(*pytest_command(path)).returncode == pytest.ExitCode.INTERRUPTED


def test_a_run_can_be_made_late(tmp_path):
    path = tmp_path / "test_late.py"
    path.write_text(
        "import time\n\nIMPORTED = time.monotonic()\n\n\ndef test_it():\n    assert time.monotonic() > IMPORTED + 3\n"
    )
    assert run(*pytest_command(path), FASTSESSION_TEST_SLEEP_AFTER_COLLECTION="3").returncode == pytest.ExitCode.OK
