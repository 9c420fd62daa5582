"""The site as uvicorn runs it in several workers: its home of sessions comes from the environment."""

import os
import time
from pathlib import Path

from tests.server_side.site import Home, router
from tests.shop import shop

SETTINGS = ("FLEET_KIND", "FLEET_PLACE", "FLEET_MODE", "FLEET_SECRET")
kind, place, mode, secret = (os.environ[name] for name in SETTINGS)
home = Home(kind, Path(place) if kind == "sqlite" else (place, "fleet:"), time.time)
app = shop(**home.options(mode), secret_key=secret, https_only=False)
app.include_router(router)
