"""The contenders that wrap any ASGI application: Starlette's own middleware, starsessions, and two that do nothing."""

import time
from typing import Any

import itsdangerous
from redis.asyncio import Redis
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starsessions import CookieStore, InMemoryStore, SessionStore, load_session
from starsessions import SessionMiddleware as StarSessionsMiddleware
from starsessions.stores.redis import RedisStore

from fastsession import generate_key
from tests.benchmarks.asgi import Action, App, Message, application
from tests.benchmarks.contender import Contender, Data, Deed, bare_application, behind
from tests.benchmarks.payloads import Contents, compact_json, next_role, next_theme

SECRET = generate_key()
MAX_AGE = 12 * 3_600


async def read(request: Request) -> bytes:
    return str(request.session.get("user_id")).encode()


async def write_nested(request: Request) -> bytes:
    # Starlette notices assignments only.
    request.session["roles"] = [request.session["roles"][0], next_role()]
    return b"42"


async def write_top_level(request: Request) -> bytes:
    request.session["theme"] = next_theme()
    return b"42"


async def show(request: Request) -> bytes:
    return compact_json({name: value for name, value in request.session.items() if name != "__metadata__"})


async def read_validated(request: Request) -> bytes:
    session = Contents.model_validate(request.session)
    return str(session.user_id).encode()


async def write_nested_validated(request: Request) -> bytes:
    session = Contents.model_validate(request.session)
    session.roles[1:] = [next_role()]
    request.session.update(session.model_dump(mode="json"))
    return b"42"


async def write_top_level_validated(request: Request) -> bytes:
    session = Contents.model_validate(request.session)
    session.theme = next_theme()
    request.session.update(session.model_dump(mode="json"))
    return b"42"


PLAIN: dict[Deed, Action] = {
    "read": read,
    "nested write": write_nested,
    "top-level write": write_top_level,
    "show": show,
}
VALIDATED: dict[Deed, Action] = {
    "read": read_validated,
    "nested write": write_nested_validated,
    "top-level write": write_top_level_validated,
    "show": show,
}


def loading(action: Action) -> Action:
    """The action after the call by which starsessions opens a session."""

    async def load_first(request: Request) -> bytes:
        await load_session(request)
        return await action(request)

    return load_first


def wrapped(app: App) -> SessionMiddleware:
    return SessionMiddleware(app, SECRET, max_age=MAX_AGE, https_only=True)


def starlette(name: str, actions: dict[Deed, Action]) -> Contender:
    def issue(data: Data, age: int) -> App:
        middleware = wrapped(application(_filling(data)))
        middleware.signer = _EarlierSigner(SECRET, age)
        return middleware

    return Contender(name, behind(wrapped, actions), issue, ages=True)


def starsessions(name: str, store: SessionStore) -> Contender:
    def wrap(app: App) -> App:
        return StarSessionsMiddleware(app, store=store, lifetime=MAX_AGE, cookie_path="/")

    def issue(data: Data, age: int) -> App:
        return wrap(application(loading(_filling(data))))

    actions: dict[Deed, Action] = {deed: loading(action) for deed, action in PLAIN.items()}
    return Contender(name, behind(wrap, actions), issue, rewrites="when looked at")


def starlette_peers(redis: Redis | None) -> list[Contender]:
    """The peers, with starsessions on a Redis server when there is one."""
    peers = [
        starlette("Starlette", PLAIN),
        starlette("Starlette + model_validate", VALIDATED),
        starsessions("starsessions, cookie", CookieStore(SECRET)),
        starsessions("starsessions, memory", InMemoryStore()),
    ]
    if redis is not None:
        peers.append(starsessions("starsessions, Redis", RedisStore(connection=redis)))
    return peers


class PassThrough:
    """The least that a middleware which looks at responses can be."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        def wrapped_send(message: Message) -> Any:
            return send(message)

        await self.app(scope, receive, wrapped_send)


class IdleBaseHTTPMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Any:
        return await call_next(request)


def without_sessions() -> dict[str, App]:
    """Middlewares that do nothing, for a sense of scale."""
    return {
        "an empty pass-through": PassThrough(bare_application()),
        "an empty BaseHTTPMiddleware": IdleBaseHTTPMiddleware(bare_application()),
    }


class _EarlierSigner(itsdangerous.TimestampSigner):
    """Signs as if some seconds ago."""

    def __init__(self, secret: str, age: int) -> None:
        super().__init__(secret)
        self._age = age

    def get_timestamp(self) -> int:
        return int(time.time()) - self._age


def _filling(data: Data) -> Action:
    async def fill(request: Request) -> bytes:
        request.session.update(data)
        return b"42"

    return fill
