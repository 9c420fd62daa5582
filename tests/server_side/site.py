"""The shop with sessions on the server, and browsers whose requests run side by side."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Request

from fastsession import SessionControl, get_session_control
from fastsession.stores import (
    MemoryRevocations,
    MemoryStore,
    RedisRevocations,
    RedisStore,
    SQLiteRevocations,
    SQLiteStore,
)
from tests.process_clock import ProcessClock
from tests.processes import PATIENCE
from tests.shop import Current, shop

KINDS = ["memory", "sqlite", "redis"]
MODES = ["store", "revocations", "both"]
# Seconds that a store may take on a busy machine: how long a request waits is the subject of test_outages.py.
BUSY = 30.0
router = APIRouter()
Control = Annotated[SessionControl, Depends(get_session_control)]


@router.post("/login/{user_id}")
async def login_as(user_id: int, session: Current) -> None:
    session.regenerate()
    session.user_id = user_id


@router.get("/who")
async def who(session: Current) -> list[Any]:
    return [session.user_id, session.info.status]


@router.post("/held/{verb}")
async def held(verb: str, request: Request, session: Current) -> int | None:
    """A request that has read its session and works on it when it is let go."""
    request.app.state.arrived.set()
    await request.app.state.released.wait()
    if verb == "write":
        session.note = "written too late"
    elif verb == "regenerate":
        session.regenerate()
    elif verb == "destroy":
        session.destroy()
    elif verb == "hand over":
        session.user_id = 1000
    return session.user_id


@router.post("/slow/{key}/{value}")
async def slow(key: str, value: int, request: Request, session: Current) -> None:
    """Has read its session, and writes when others may have ended it."""
    assert session.info is not None
    await asyncio.sleep(random.uniform(0, 0.05))
    request.session[key] = value


@router.get("/sessions")
async def listed(sessions: Control) -> list[Any]:
    return await sessions.list()


@router.post("/end/{handle}")
async def end(handle: str, sessions: Control) -> bool:
    return await sessions.end(handle)


@router.post("/end-others")
async def end_others(sessions: Control) -> None:
    await sessions.end_others()


@router.post("/end-all")
async def end_all(sessions: Control, subject: str | None = None) -> None:
    await sessions.end_all(subject)


@dataclass
class Home:
    """Where sessions and denials are kept. Whatever is made of one home shares them."""

    kind: str
    place: Any
    clock: Any

    def store(self):
        if self.kind == "memory":
            return self.place.setdefault("store", MemoryStore(clock=self.clock))
        if self.kind == "sqlite":
            return SQLiteStore(self.place / "sessions.db", timeout=BUSY, clock=self.clock)
        url, prefix = self.place
        return RedisStore(url, prefix=prefix, timeout=BUSY)

    def revocations(self):
        if self.kind == "memory":
            return self.place.setdefault("revocations", MemoryRevocations(clock=self.clock))
        if self.kind == "sqlite":
            return SQLiteRevocations(self.place / "revocations.db", timeout=BUSY, clock=self.clock)
        url, prefix = self.place
        return RedisRevocations(url, prefix=prefix, timeout=BUSY, clock=self.clock)

    def options(self, mode):
        """The middleware's options for a mode."""
        made = {"clock": self.clock}
        if mode != "revocations":
            made["store"] = self.store()
        if mode != "store":
            made["revocations"] = self.revocations()
        return made


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """The app started and stopped, as a server does it."""
    told, answers = asyncio.Queue(), asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(app(scope, told.get, answers.put))
    await told.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await running
    assert (await answers.get())["type"] == "lifespan.shutdown.complete"


@asynccontextmanager
async def site(**options: Any) -> AsyncIterator[Any]:
    """A running site; its browsers are made with `browser`."""
    app = shop(**options)
    app.include_router(router)
    # Starlette does it with the first message; a mistake in the options is then the lifespan's.
    app.middleware_stack = app.build_middleware_stack()
    app.state.arrived, app.state.released = asyncio.Event(), asyncio.Event()
    async with lifespan(app):
        yield app


def browser(app: Any, cookies: Any = None) -> httpx.AsyncClient:
    """A client with a cookie jar of its own, whose requests may run side by side."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://testserver", cookies=cookies)


def cookie_header(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers that repeat what the client's jar holds now."""
    return {"cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)}


async def replayed(app: Any, headers: dict[str, str]) -> list[Any]:
    """Who somebody with this copied cookie is, and how the cookie was received."""
    return (await browser(app).get("/who", headers=headers)).json()


async def held_request(app: Any, client: httpx.AsyncClient, verb: str) -> "asyncio.Task[httpx.Response]":
    """A request under way, which has read its session; it goes on when `app.state.released` is set."""
    app.state.arrived.clear()
    app.state.released.clear()
    task = asyncio.create_task(browser(app).post(f"/held/{verb}", headers=cookie_header(client)))
    await app.state.arrived.wait()
    return task


async def until(ask: Callable[[], Awaitable[Any]], expected: Any) -> float:
    """Seconds of `ProcessClock` until the answer is the expected one."""
    with ProcessClock() as clock:
        async with asyncio.timeout(PATIENCE):
            while await ask() != expected:  # noqa: ASYNC110  (another system gives no event)
                await asyncio.sleep(0.005)
        return clock.seconds
