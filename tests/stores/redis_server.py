"""A real Redis, in a process of its own on a free port, that can be stopped in every way."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from tests import processes


class RedisServer:
    def __init__(self, directory: Path, *options: str):
        self.directory = directory
        self.program = processes.needed("redis-server")
        self.port = processes.free_port()
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self, ready="Ready to accept connections"):
        self.directory.mkdir(parents=True, exist_ok=True)
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory))
        # A file, and no pipe: nobody reads on when it is ready, and a full pipe stops the server.
        output = self.directory / "output"
        with output.open("wb") as file:
            self.process = processes.start([self.program, *self.options, *place], stdout=file)
        give_up = time.monotonic() + processes.PATIENCE
        while ready not in output.read_text():
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.kill()
                raise RuntimeError("redis-server did not start:\n" + output.read_text())
            time.sleep(0.005)

    def kill(self):
        """Kill it without a word; what is killed already stays so."""
        if self.process is not None:
            processes.kill(self.process)

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def forget(self):
        shutil.rmtree(self.directory)


# What Redis has confirmed has been handed to the operating system, and so survives its being killed.
DURABLE = ("--save", "", "--appendonly", "yes", "--appendfsync", "no")


@contextmanager
def running(directory, *options):
    server = RedisServer(directory, *(options or DURABLE))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def sentinel_of(server, directory):
    """A Sentinel that watches the server under the name "main"."""
    directory.mkdir()
    configuration = directory / "sentinel.conf"
    configuration.write_text(f"sentinel monitor main 127.0.0.1 {server.port} 1\n")
    sentinel = RedisServer(directory, str(configuration), "--sentinel")
    try:
        sentinel.start(ready="+monitor master main")
        yield sentinel
    finally:
        sentinel.kill()
