"""The shop with the routes of `session_status`, and a page of it that asks them."""

from typing import Any

from fastsession.session_status import session_status_router
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import browser, shop

# What a browser says of a request that a page makes to its own site.
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
# The middleware's options for each place where a session can be.
HOMES = {
    "cookie": lambda clock: {},
    "store": lambda clock: {"store": MemoryStore(clock=clock)},
    "revocations": lambda clock: {"revocations": MemoryRevocations(clock=clock)},
    "both": lambda clock: {"store": MemoryStore(clock=clock), "revocations": MemoryRevocations(clock=clock)},
}


def timed_shop(router_options: Any = None, **options: Any) -> Any:
    """A shop behind a middleware with these options, which tells how long its sessions last."""
    app = shop(**options)
    app.include_router(session_status_router(**(router_options or {})))
    return app


def visitor(app: Any, *, signed_in: bool = True) -> Any:
    """A browser on a page of the shop."""
    client = browser(app)
    client.headers.update(SAME_ORIGIN)
    if signed_in:
        client.post("/login")
    return client


def status(client: Any) -> Any:
    """What the page is told."""
    return client.get("/session").json()
