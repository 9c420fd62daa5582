"""Uvicorn with the soak's site: one server of several workers, or several servers behind a balancer."""

import asyncio
import json
from contextlib import ExitStack, contextmanager

from tests.processes import free_port
from tests.soak.servers import uvicorn

VARIABLE = "SOAK_SETTINGS"


@contextmanager
def site(port, home, *, workers=1, **options):
    """A site on the port, as long as the block runs; `home` is its kind, place and mode."""
    settings = json.dumps({"home": [str(part) for part in home], "options": options})
    more = ("--workers", str(workers), "--timeout-keep-alive", "60")
    with uvicorn("tests.soak.served:app", port, *more, **{VARIABLE: settings}):
        yield f"http://127.0.0.1:{port}"


class Balancer:
    """Sends requests to servers in turn, and restarts a server when nobody is being answered by it."""

    def __init__(self, home, servers):
        self._home = home
        self._ports = [free_port() for _ in range(servers)]
        self._open = []
        self._busy = dict.fromkeys(self._ports, 0)
        self._idle = {port: asyncio.Event() for port in self._ports}
        self._running = {port: ExitStack() for port in self._ports}

    async def start(self, **options):
        for port in self._ports:
            await self._begin(port, options)

    async def restart(self, **options):
        """Give every server other options, one after the other, as a rolling deploy does."""
        for port in self._ports:
            self._open.remove(port)
            if self._busy[port]:
                await self._idle[port].wait()
            await asyncio.to_thread(self._running[port].close)
            await self._begin(port, options)

    async def stop(self):
        for stack in self._running.values():
            await asyncio.to_thread(stack.close)

    @contextmanager
    def turn(self):
        """The address of the next server, which goes on running until it has answered."""
        port = self._open.pop(0)
        self._open.append(port)
        self._busy[port] += 1
        self._idle[port].clear()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            self._busy[port] -= 1
            if not self._busy[port]:
                self._idle[port].set()

    async def _begin(self, port, options):
        await asyncio.to_thread(self._running[port].enter_context, site(port, self._home, **options))
        self._open.append(port)
