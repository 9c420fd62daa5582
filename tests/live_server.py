"""An application behind a real server, on a free port of this machine."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from tests.processes import PATIENCE


@contextmanager
def served(app: Any, *, host: str = "127.0.0.1", **options: Any) -> Iterator[str]:
    """The address of `app` under `host` while uvicorn serves it with these options."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The listener queues connections from now on, so nobody has to wait for the server to start; and
        # a connection that a browser keeps for later may not keep the server from stopping.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, **options)
        server = uvicorn.Server(config)
        # As a daemon: should it not stop, the tests end all the same.
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"{'https' if config.is_ssl else 'http'}://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
        assert not thread.is_alive(), "the server does not stop"
