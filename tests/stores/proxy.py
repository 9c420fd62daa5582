"""A TCP proxy that makes a network slow, or cuts it."""

import asyncio
from contextlib import asynccontextmanager


class Proxy:
    def __init__(self, target_port):
        self.target_port = target_port
        self.delay = 0.0
        # How often something came from a client: a command, or several at once, is a round trip.
        self.asked = 0
        self.port = None
        self._writers = set()
        self._tasks = set()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def cut(self):
        """Break every connection that is open now."""
        for writer in self._writers:
            writer.transport.abort()

    def connected(self, reader, writer):
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self):
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            # What a client sees of a server that is down.
            writer.transport.abort()
            return
        self._writers |= {writer, target_writer}
        await asyncio.gather(self._carry(reader, target_writer, counted=True), self._carry(target_reader, writer))
        self._writers -= {writer, target_writer}

    async def _carry(self, reader, writer, *, counted=False):
        try:
            while data := await reader.read(65536):
                self.asked += counted
                # Longer than nothing even without a delay: the other connections get their turn.
                await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def proxied(port):
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
