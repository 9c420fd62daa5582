"""The site as uvicorn runs it in several workers: its home of sessions comes from the environment."""

import asyncio
import os
import random
import time
from pathlib import Path

from fastapi import Request

from tests.server_side.site import Home, router
from tests.shop import Current, shop

SETTINGS = ("FLEET_KIND", "FLEET_PLACE", "FLEET_MODE", "FLEET_SECRET")
kind, place, mode, secret = (os.environ[name] for name in SETTINGS)
home = Home(kind, Path(place) if kind == "sqlite" else (place, "fleet:"), time.time)
app = shop(**home.options(mode), secret_key=secret, https_only=False)
app.include_router(router)


@app.post("/slow/{key}/{value}")
async def slow(key: str, value: int, request: Request, session: Current) -> None:
    """Has read its session, and writes when others may have ended it."""
    assert session.info is not None
    await asyncio.sleep(random.uniform(0, 0.05))
    request.session[key] = value
