"""The programs that the measurement starts, on free ports of this machine only, and ends again."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import free_port, started

_PATIENCE_SECONDS = 20.0


class MissingProgramError(RuntimeError):
    """Something that the measurement needs is not installed here."""


def program(name: str, *, advice: str) -> str:
    """The path of an installed program; raises `MissingProgramError`."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed: {advice}"
        raise MissingProgramError(message)
    return found


@contextlib.contextmanager
def running(
    command: list[str],
    *,
    port: int,
    folder: Path,
    environment: dict[str, str] | None = None,
    patience: float = _PATIENCE_SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that accepts connections on the port, for as long as the block runs; `patience` is in seconds."""
    with started(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        _wait_until_it_accepts(process, port, patience)
        yield process


@contextlib.contextmanager
def redis_server() -> Iterator[int]:
    """A Redis server without persistence; the port it listens on."""
    path = program("redis-server", advice="apt-get install redis-server")
    port = free_port()
    with TemporaryDirectory() as folder:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        with running([path, *options], port=port, folder=Path(folder)):
            yield port


def _wait_until_it_accepts(process: subprocess.Popen[bytes], port: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        # The program gives no other sign; this waits for it, and tests nothing.
        time.sleep(0.02)
    message = f"{process.args} does not accept connections on port {port}"
    raise MissingProgramError(message)
