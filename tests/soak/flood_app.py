"""What `flood.py` floods: uvicorn's factory `tests.soak.flood_app:app`. Every request looks at its session, which is in a store.

The secret comes from the environment, and the log of rejections goes to the file named there.
"""

import json
import logging
import os
import time
from collections import Counter

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from fastsession import SessionMiddleware, get_session
from fastsession.stores import MemoryStore
from tests.server_side.counting import Counting
from tests.shop import ShopSession

SECRET_VARIABLE, LOG_VARIABLE = "FLOOD_SECRET", "FLOOD_LOG"


class Tally(Counting):
    """A store that counts what it is asked, and keeps nothing else of it."""

    def __init__(self, store):
        super().__init__(store)
        self.tally = Counter()

    async def _asked(self, name, *values, **options):
        self.tally[name] += 1
        return await getattr(self.store, name)(*values, **options)


store = Tally(MemoryStore(clock=time.time))


async def answer(scope, receive, send):
    """Signs in, tells what the store was asked, or answers 200 to who is signed in and 401 to the others."""
    request = Request(scope)
    if request.url.path == "/asked":
        response = PlainTextResponse(json.dumps(store.tally))
    else:
        session = await get_session(request)
        if request.url.path == "/login":
            session.regenerate()
            session.user_id = 42
        response = PlainTextResponse(status_code=200 if session.user_id == 42 else 401)
    await response(scope, receive, send)


def log_rejections():
    """One line for each rejection logged: the second of the event, and its status."""
    handler = logging.FileHandler(os.environ[LOG_VARIABLE])
    handler.setFormatter(logging.Formatter("%(at)s %(status)s"))
    logger = logging.getLogger("fastsession")
    logger.addHandler(handler)
    logger.propagate = False


def app():
    """The application, whose log begins when it starts."""
    served = SessionMiddleware(answer, model=ShopSession, secret_key=os.environ[SECRET_VARIABLE], store=store)
    log_rejections()
    return served
