"""Sessions in your tests: cookies for a client, the session a client holds, a clock to set."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast

from fastsession.errors import ConfigurationError
from fastsession.lifecycle import Lifecycle
from fastsession.middleware import SessionMiddleware
from fastsession.sealing.token import Token, new_id
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.session import Session, intent_of
from fastsession.testing.bound import Bound, cookie_line, device_cookies
from fastsession.testing.server import keep, look_up, run_apart
from fastsession.visit import Visit

SessionT = TypeVar("SessionT", bound=Session)


class Clock:
    """A clock for `SessionMiddleware(clock=...)` that stands still until it is moved. Unix seconds."""

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        """The time it shows."""
        return self.now

    def advance(self, by: timedelta | float) -> None:
        """Move it by a timedelta or seconds, backwards too."""
        self.now += by.total_seconds() if isinstance(by, timedelta) else by


class HasCookies(Protocol):
    """A test client or a response: httpx's, Starlette's, or anything else with a mapping of cookies."""

    @property
    def cookies(self) -> Any:
        """Names to values."""


def sealed_cookies(
    app: Any,
    session: Session,
    *,
    extras: Mapping[str, Any] | None = None,
    binding: bytes | None = None,
    bound: bool = False,
) -> dict[str, str]:
    """The cookies that carry `session`, as `app` would send them to a user who has just signed in.

    `app` is a Starlette or FastAPI application, or a `SessionMiddleware`. `extras` are keys that
    `request.session` has beside the model's fields. What the session's verbs recorded counts:
    `session.remember()` makes it a remembered one. `binding` is what the middleware's `binding=` will return;
    `bound` adds the cookies of a device that has just proven itself. With a store its record is written, in an event
    loop of its own. Raises `ConfigurationError` when the app has no session middleware for this model, or
    `bound` without `device_binding=`.
    """
    return _sealed(app, session, extras, Bound(binding, device=bound))


async def sealed_cookies_async(
    app: Any,
    session: Session,
    *,
    extras: Mapping[str, Any] | None = None,
    binding: bytes | None = None,
    bound: bool = False,
) -> dict[str, str]:
    """As `sealed_cookies`, for a store that belongs to the event loop of the test."""
    return await _sealed_async(app, session, extras, Bound(binding, device=bound))


def set_session(
    app: Any,
    client: Any,
    session: Session,
    *,
    extras: Mapping[str, Any] | None = None,
    binding: bytes | None = None,
    bound: bool = False,
) -> None:
    """Sign a test client in: put the session's cookies into its jar, where the app's own will replace them.

    `client` is httpx's, synchronous or not, or Starlette's. (A dict given as `cookies=` stays in the jar beside
    what the app sets, because it names no host: enough for one request, wrong for several.) The middleware's
    `binding=` is called with the client's headers and cookies; `binding` stands for what it returns.
    """
    domain = _domain(client)
    _put(client, _sealed(app, session, extras, Bound(binding, client, device=bound)), domain)


async def set_session_async(
    app: Any,
    client: Any,
    session: Session,
    *,
    extras: Mapping[str, Any] | None = None,
    binding: bytes | None = None,
    bound: bool = False,
) -> None:
    """As `set_session`, for a store that belongs to the event loop of the test."""
    domain = _domain(client)
    _put(client, await _sealed_async(app, session, extras, Bound(binding, client, device=bound)), domain)


def opened_session(
    app: Any, client_or_response: HasCookies, model: type[SessionT] | None = None, *, binding: bytes | None = None
) -> SessionT:
    """The session in the cookies of a client or a response, as the next request would find it.

    `info` tells how it was received; without a valid cookie it is a fresh model. `model` chooses among
    several session middlewares. `binding` is as for `set_session`.
    """
    lifecycle, visit = _visit(app, client_or_response, model)
    bound = Bound(binding, client_or_response)
    if isinstance(lifecycle, ServerLifecycle):
        run_apart(lifecycle, look_up(lifecycle, visit, bound))
    else:
        visit.binding = bound.plain(lifecycle.setup)
    return cast("SessionT", lifecycle.load(visit))


async def opened_session_async(
    app: Any, client_or_response: HasCookies, model: type[SessionT] | None = None, *, binding: bytes | None = None
) -> SessionT:
    """As `opened_session`, for a store that belongs to the event loop of the test."""
    lifecycle, visit = _visit(app, client_or_response, model)
    bound = Bound(binding, client_or_response)
    if isinstance(lifecycle, ServerLifecycle):
        await look_up(lifecycle, visit, bound)
    else:
        visit.binding = bound.plain(lifecycle.setup)
    return cast("SessionT", lifecycle.load(visit))


def extras_of(session: Session) -> dict[str, Any]:
    """What `request.session` holds beside the model's fields, for a session that `opened_session` returned."""
    intent = intent_of(session)
    return dict(intent.extras) if isinstance(intent, Visit) else {}


def _sealed(app: Any, session: Session, extras: Mapping[str, Any] | None, bound: Bound) -> dict[str, str]:
    lifecycle = _lifecycle(app, type(session))
    token = _token(lifecycle, session, extras or {}, bound)
    if isinstance(lifecycle, ServerLifecycle):
        token = run_apart(lifecycle, keep(lifecycle, token, session, bound))
    else:
        token = token._replace(binding=bound.plain(lifecycle.setup))
    return _cookies(lifecycle, token)


async def _sealed_async(app: Any, session: Session, extras: Mapping[str, Any] | None, bound: Bound) -> dict[str, str]:
    lifecycle = _lifecycle(app, type(session))
    if not isinstance(lifecycle, ServerLifecycle):
        return _sealed(app, session, extras, bound)
    token = await keep(lifecycle, _token(lifecycle, session, extras or {}, bound), session, bound)
    return _cookies(lifecycle, token)


def _token(lifecycle: Lifecycle, session: Session, extras: Mapping[str, Any], bound: Bound) -> Token:
    """The token of somebody who has just signed in."""
    now, kept = int(lifecycle.clock()), dict(extras)
    taken = sorted(kept.keys() & type(session).model_fields.keys())
    if taken:
        message = f"extras are keys beside the model's fields, and {taken[0]!r} is a field: set it on the session."
        raise ConfigurationError(message)
    payload = lifecycle.codec.dump(session, kept)
    lifecycle.codec.verify(session, kept, payload)
    asked = intent_of(session).remember
    remembered = lifecycle.setup.timeouts.from_the_start if asked is None else asked
    return Token(new_id(), now, now, now, remembered, payload, pair=bound.pair(lifecycle.setup))


def _cookies(lifecycle: Lifecycle, token: Token) -> dict[str, str]:
    now = int(lifecycle.clock())
    return lifecycle.cookies.seal(lifecycle.in_cookie(token), now=now) | device_cookies(lifecycle.setup, token, now)


def _domain(client: Any) -> str:
    """The client's host in the words of http.cookiejar, which appends `.local` to a host without a dot."""
    host: str = client.base_url.host
    if not host:
        message = 'The client has no host to keep cookies for: make it with base_url="https://testserver".'
        raise ConfigurationError(message)
    return host if "." in host else f"{host}.local"


def _put(client: Any, cookies: Mapping[str, str], domain: str) -> None:
    for name, value in cookies.items():
        client.cookies.set(name, value, domain=domain)


def _visit(app: Any, client_or_response: HasCookies, model: type[Session] | None) -> tuple[Lifecycle, Visit]:
    """The visit that the client's next request would be."""
    lifecycle = _lifecycle(app, model)
    return lifecycle, Visit(lifecycle.setup, cookie_line(client_or_response.cookies).encode(), b"")


def _lifecycle(app: Any, model: type[Session] | None) -> Lifecycle:
    """The lifecycle of the app's session middleware for `model`, or of its only one."""
    lifecycles = list(_lifecycles(app))
    fitting = [found for found in lifecycles if model is None or found.codec.model is model]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(found.codec.model.__name__ for found in lifecycles) or "none"
    wanted = model.__name__ if model else "a session"
    message = f"No single session middleware for {wanted} in this app; the models are: {names}."
    raise ConfigurationError(message)


def _lifecycles(app: Any) -> Iterable[Lifecycle]:
    if isinstance(app, SessionMiddleware):
        yield app.lifecycle
    for middleware in getattr(app, "user_middleware", ()):
        if isinstance(middleware.cls, type) and issubclass(middleware.cls, SessionMiddleware):
            yield middleware.cls(app, *middleware.args, **middleware.kwargs).lifecycle
    inner = getattr(app, "app", None)
    if inner is not None:
        yield from _lifecycles(inner)
