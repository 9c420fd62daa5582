"""The event loop that a server runs the application in: asyncio's, or trio's (`hypercorn -k trio`)."""

from __future__ import annotations

import asyncio

from fastsession.errors import ConfigurationError


def asyncio_loop(needed_by: str, *, on_trio: str) -> asyncio.AbstractEventLoop:
    """Return the running event loop; raises `ConfigurationError`, with what to do `on_trio`, unless it is asyncio's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        message = f"{needed_by} needs asyncio, and this server runs another event loop. {on_trio}"
        raise ConfigurationError(message) from None
