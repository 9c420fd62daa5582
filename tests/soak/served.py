"""The site as uvicorn runs it for the soak: `tests.soak.served:app`. All that differs comes from the environment."""

import asyncio
import json
import logging
import os
import random
import time
from pathlib import Path

from fastapi import Request

from fastsession.stores import RedisRevocations, RedisStore
from tests.server_side.site import Home, router
from tests.shop import Current, shop
from tests.soak.fleet import VARIABLE

settings = json.loads(os.environ[VARIABLE])
# Rejections are what the soak is about; nobody reads them.
logging.getLogger("fastsession").addHandler(logging.NullHandler())


def options(kind, place, mode):
    """The middleware's options for a home of sessions; "cookies" has none, and "prompt" answers in 0.25 seconds."""
    if mode == "cookies":
        return {}
    if mode == "prompt":
        return {"store": RedisStore(place), "revocations": RedisRevocations(place)}
    return Home(kind, Path(place) if kind == "sqlite" else (place, "soak:"), time.time).options(mode)


app = shop(**options(*settings["home"]), **settings["options"])
app.include_router(router)


@app.post("/slow/{key}/{value}")
async def slow(key: str, value: int, request: Request, session: Current) -> None:
    """Has read its session, and writes when others may have ended it."""
    assert session.info is not None
    await asyncio.sleep(random.uniform(0, 0.05))
    request.session[key] = value
