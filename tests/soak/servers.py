"""Uvicorn in processes of their own, on free ports of this machine only."""

import os
import sys
from pathlib import Path

from tests.benchmarks.servers import running

_ROOT = Path(__file__).parents[2]
# On a busy machine an interpreter may take this long to import everything.
_PATIENCE = 90


def uvicorn(target, port, *options, **environment):
    """The process of a server that accepts connections on the port, as long as the block runs."""
    command = [
        *(sys.executable, "-m", "uvicorn", target, "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "critical", *options),
    ]
    return running(command, port=port, folder=_ROOT, environment={**os.environ, **environment}, patience=_PATIENCE)
