"""Uvicorn in processes of their own, on free ports of this machine only."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = Path(__file__).parents[2]
# On a busy machine an interpreter may take this long to import everything.
_PATIENCE = 90


@contextmanager
def uvicorn(target, port, *options, **environment):
    """The process of a server that accepts connections on the port, as long as the block runs."""
    command = [
        *(sys.executable, "-m", "uvicorn", target, "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "critical", *options),
    ]
    process = subprocess.Popen(command, cwd=_ROOT, env={**os.environ, **environment})
    try:
        _wait_until_it_accepts(process, port)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_accepts(process, port):
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    message = "uvicorn did not start"
    raise RuntimeError(message)
