"""A real Redis, in a process of its own on a free port, that can be stopped in every way."""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class RedisServer:
    def __init__(self, directory: Path, *options: str):
        self.directory = directory
        self.port = free_port()
        self.options = options
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self, ready="Ready to accept connections"):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            ["redis-server", *self.options, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory],
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if ready in line:
                return
        raise RuntimeError("redis-server did not start:\n" + "".join(lines))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

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
    server.start()
    try:
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
    sentinel.start(ready="+monitor master main")
    try:
        yield sentinel
    finally:
        sentinel.kill()
