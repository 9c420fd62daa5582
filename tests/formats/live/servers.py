"""Servers on loopback: an ASGI application in a thread, a Node script in a process."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.formats.peer import BUILD

SOURCE = Path(__file__).parent / "node"


@contextmanager
def asgi_server(app: Any) -> Iterator[str]:
    """Serve the application; gives the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            # Connections are queued until it is ready.
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def node_server(script: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """Run a script that prints its port, with the packages of peers/package.json; gives the base URL."""
    process = subprocess.Popen(
        ["node", "--no-deprecation", script, *arguments],
        cwd=BUILD,
        env={"PATH": _path(), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        port = process.stdout.readline().strip()
        assert port, f"{script.name} did not start"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def node_shop(package: str, options: dict[str, Any]) -> Iterator[str]:
    """The shop of node/shop.mjs with one of its packages."""
    folder = BUILD / "live"
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    with node_server(folder / "shop.mjs", package, json.dumps(options)) as url:
        yield url


def _path() -> str:
    return str(Path(shutil.which("node")).parent)
