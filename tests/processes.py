"""Programs that tests start: on free ports of this machine, ended with the test, never left behind by a run."""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

# Seconds for what takes milliseconds on a machine with nothing else to do.
PATIENCE = 60.0
# Below the ports that Linux gives to outgoing connections: nobody takes one while its server is being restarted.
_PORTS = range(10_000, 30_000)
# PR_SET_PDEATHSIG, see prctl(2).
_SET_SIGNAL_OF_PARENTS_DEATH = 1


def told_by_failed_start(program: str) -> str:
    """What a Python program prints that has uvicorn serve an application, whose start has to fail."""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode != 0
    assert "Application startup failed" in ran.stderr
    return ran.stderr


def needed(program: str, *folders: Path) -> str:
    """The path of a program, in one of the folders or on PATH. Without it the test is skipped, and fails in CI."""
    # Node comes with the Python environment where the machine has none.
    places = [*map(str, folders), os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    path = os.pathsep.join(places)
    found = shutil.which(program, path=path)
    if found is None:
        refuse: Callable[[str], Any] = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse(f"{program.upper()} IS NOT INSTALLED: its tests were not run")
    return found


def free_port() -> int:
    for port in random.SystemRandom().sample(_PORTS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no free port found")


@contextmanager
def started(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """The process of a command, which has ended with all its children when the block has."""
    process = start(command, **options)
    try:
        yield process
    finally:
        end(process)


def start(command: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
    """Start a process in a group of its own, for `end`. It is killed when the tests are."""
    # Not `preexec_fn`, which may deadlock in a process that has threads.
    setpriv = shutil.which("setpriv")
    bound = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    return subprocess.Popen([*bound, *command], start_new_session=True, **options)


def end(process: subprocess.Popen[Any], patience: float = 10.0) -> None:
    """Ask the process to end, and kill it and its children if they have not after some seconds."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    kill(process)


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill the process and its children, stopped ones too."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            # What was still to be written to a process that is gone.
            with suppress(BrokenPipeError):
                pipe.close()


def die_with_parent() -> None:
    """For a Python process that is not started by `start`: have the kernel kill it when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_SIGNAL_OF_PARENTS_DEATH, signal.SIGKILL)
