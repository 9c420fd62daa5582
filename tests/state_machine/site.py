"""The server under test: deployments of one application, whose requests wait until they are let go."""

import asyncio
from typing import Any, NamedTuple

from starlette.requests import Request

from fastsession import Lifetime, SessionMiddleware, generate_key, get_session
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.state_machine.actions import ALL_ACTIONS, MachineSession
from tests.state_machine.rules import LIFETIMES
from tests.wire import exchange, http_scope

NAME = "__Host-app_session"


class CrashError(Exception):
    """What an application raises and nobody handles."""


class Server(NamedTuple):
    """One deployment: the names of its keys, the sealing one first, and the middleware that has them."""

    keys: tuple[str, ...]
    app: SessionMiddleware


class Seen(NamedTuple):
    """The session as a request found it."""

    status: str
    created_at: float
    renewed_at: float
    expires_at: float
    signed_in_at: float
    remembered: bool
    data: dict[str, Any]


class Visit:
    """One request. Where it looks, it does so when it arrives; what it does to the session comes later."""

    def __init__(self, server, pairs, *, looks, elsewhere=False):
        # From a page of the site itself, before whose requests a browser asks for a proof of its device, or from another.
        self.initiator = b"cross-site" if elsewhere else b"same-origin"
        self.server, self.pairs, self.looks = server, pairs, looks
        self.seen: Seen | None = None
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        self.actions: list[str] = []
        self.status_code = 200
        self.headers: list[tuple[bytes, bytes]] = []

    def scope(self):
        header = "; ".join(f"{name}={value}" for name, value in self.pairs).encode()
        headers = [(b"sec-fetch-site", self.initiator), *([(b"cookie", header)] if header else [])]
        return http_scope(headers=headers) | {"visit": self}

    async def run(self, request, send):
        session = await get_session(request) if self.looks else None
        if session is not None:
            self.seen = seen(session, request)
        self.reached.set()
        await self.released.wait()
        for name in self.actions:
            ALL_ACTIONS[name].to_session(session, request.session)
        if self.status_code == 0:
            raise CrashError
        await send({"type": "http.response.start", "status": self.status_code, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.headers = list(message["headers"])


def seen(session, request):
    info = session.info
    signed_in_at = info.authenticated_at.timestamp() if info.authenticated_at else 0
    times = (moment.timestamp() for moment in (info.created_at, info.renewed_at, info.expires_at))
    extras = {key: value for key, value in request.session.copy().items() if key not in MachineSession.model_fields}
    # Through JSON, so that later edits do not show here.
    data = MachineSession.model_validate_json(session.model_dump_json()).model_dump()
    return Seen(str(info.status), *times, signed_in_at, info.remembered, data | {k: list(v) for k, v in extras.items()})


class PunctualRevocations(MemoryRevocations):
    """Forgets a denial at the second at which it expires, where others do so some time later."""

    def __init__(self, clock):
        super().__init__(clock=clock)
        self._now = clock
        self._until: dict[str, int] = {}

    async def deny_session(self, session, *, until):
        self._until[session] = max(until, self._until.get(session, 0))
        await super().deny_session(session, until=until)

    def denied(self, session, owner, created_at):
        return super().denied(session, owner, created_at) and self._until.get(session, 0) > self._now()


class Site:
    """Every deployment shares one clock and, where there are any, one store and one set of revocations."""

    def __init__(self, mode, clock, **options):
        self._loop = asyncio.new_event_loop()
        self._options: dict[str, Any] = {
            "model": MachineSession,
            "idle_timeout": LIFETIMES[False][0],
            "absolute_timeout": LIFETIMES[False][1],
            "remember": Lifetime(*LIFETIMES[True]),
            "max_cookies": 3,
            "clock": clock,
            **options,
        }
        if mode == "store":
            self._options["store"] = MemoryStore(clock=clock)
        if mode == "revocations":
            self._options["revocations"] = PunctualRevocations(clock)
        self.secrets: dict[str, str] = {}
        self._under_way: dict[Visit, asyncio.Task[None]] = {}

    def deploy(self, keys):
        primary, *fallbacks = [self.secrets.setdefault(key, generate_key()) for key in keys]
        return Server(
            tuple(keys),
            SessionMiddleware(application, secret_key=primary, secret_key_fallbacks=fallbacks, **self._options),
        )

    def begin(self, visit):
        """Have a request arrive, and look if it wants to."""
        task = self._under_way[visit] = self._loop.create_task(visit.server.app(visit.scope(), receive, visit.send))
        reached = self._loop.create_task(visit.reached.wait())
        self._loop.run_until_complete(asyncio.wait([task, reached], return_when=asyncio.FIRST_COMPLETED))
        if task.done():
            reached.cancel()
            task.result()
        assert visit.reached.is_set(), "the request was answered without the application"

    def finish(self, visit, actions, status_code):
        """Let it go on to its response; status 0 raises instead."""
        visit.actions, visit.status_code = actions, status_code
        visit.released.set()
        try:
            self._loop.run_until_complete(self._under_way.pop(visit))
        except CrashError:
            assert not visit.headers

    def post(self, server, path, headers):
        """The messages in answer to a POST without a body."""
        return self._loop.run_until_complete(exchange(server.app, http_scope(path, method="POST", headers=headers)))

    def close(self):
        for task in self._under_way.values():
            task.cancel()
        if self._under_way:
            self._loop.run_until_complete(asyncio.wait(self._under_way.values()))
        self._loop.close()


async def application(scope, receive, send):
    await scope["visit"].run(Request(scope), send)


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}
