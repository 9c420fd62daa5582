"""The site as uvicorn runs it for the soak: `tests.soak.served:app`. All that differs comes from the environment."""

import json
import logging
import os
import time
from pathlib import Path

from fastsession.stores import RedisRevocations, RedisStore
from tests.server_side.site import Home, router
from tests.shop import shop
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
