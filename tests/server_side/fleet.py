"""The site as uvicorn runs it in several workers: its home of sessions comes from the environment."""

import os
import time
from pathlib import Path

from fastapi import WebSocket

from fastsession import closing_when_over
from tests.processes import die_with_parent
from tests.server_side.site import Home, router
from tests.shop import Current, shop

# Uvicorn's workers outlive it when it is killed.
die_with_parent()
SETTINGS = ("FLEET_KIND", "FLEET_PLACE", "FLEET_MODE", "FLEET_SECRET")
kind, place, mode, secret = (os.environ[name] for name in SETTINGS)
home = Home(kind, Path(place) if kind == "sqlite" else (place, "fleet:"), time.time)
app = shop(**home.options(mode), secret_key=secret, https_only=False)
app.include_router(router)


@app.websocket("/chat")
async def chat(socket: WebSocket, session: Current) -> None:
    await socket.accept()
    await socket.send_json([session.user_id, os.getpid()])
    async with closing_when_over(socket):
        async for text in socket.iter_text():
            await socket.send_text(text)
