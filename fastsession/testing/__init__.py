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


def sealed_cookies(app: Any, session: Session) -> dict[str, str]:
    """The cookies that carry `session`, as `app` would send them to somebody who has just signed in.

    `app` is a Starlette or FastAPI application, or a `SessionMiddleware`. What the session's verbs
    recorded counts: `session.remember()` makes it a remembered one. Raises `ConfigurationError` when
    the app has no session middleware for this model.
    """
    lifecycle = _lifecycle(app, type(session))
    now = int(lifecycle.clock())
    payload = lifecycle.codec.dump(session, {})
    lifecycle.codec.verify(session, {}, payload)
    token = Token(new_id(), now, now, now, bool(intent_of(session).remember), payload)
    if isinstance(lifecycle, ServerLifecycle):
        # As a login is: not ended by an `end_all()` of the same second.
        token = lifecycle.revoking.after_cut_offs(token, session)
    return lifecycle.cookies.seal(token, now=now)


def set_session(app: Any, client: Any, session: Session) -> None:
    """Sign a test client in: put the session's cookies into its jar, where the app's own will replace them.

    `client` is httpx's or Starlette's. (A dict given as `cookies=` stays in the jar beside what the app
    sets, because it names no host: enough for one request, wrong for several.)
    """
    host = client.base_url.host
    # What http.cookiejar calls a host without a dot.
    domain = host if "." in host else f"{host}.local"
    for name, value in sealed_cookies(app, session).items():
        client.cookies.set(name, value, domain=domain)


def opened_session(app: Any, client_or_response: HasCookies, model: type[SessionT] | None = None) -> SessionT:
    """The session in the cookies of a client or a response, as the next request would find it.

    `info` tells how it was received; without a valid cookie it is a fresh model. `model` chooses among
    several session middlewares.
    """
    lifecycle = _lifecycle(app, model)
    header = "; ".join(f"{name}={value}" for name, value in _pairs(client_or_response.cookies))
    return cast("SessionT", lifecycle.load(Visit(lifecycle.setup, header.encode(), b"")))


def _pairs(cookies: Any) -> Iterable[tuple[str, str]]:
    """Names and values of a cookie jar, even where two domains use one name."""
    jar = getattr(cookies, "jar", None)
    if jar is not None:
        return [(cookie.name, cookie.value or "") for cookie in jar]
    mapping: Mapping[str, str] = cookies
    return mapping.items()


def _lifecycle(app: Any, model: type[Session] | None) -> Lifecycle:
    """The lifecycle of the app's session middleware for `model`, or of its only one."""
    lifecycles = list(_lifecycles(app))
    fitting = [found for found in lifecycles if model is None or found.codec.model is model]
    if len(fitting) == 1:
        if fitting[0].setup.store is not None:
            message = "Sessions of this app are in its store, and not in cookies: sign a test client in over HTTP."
            raise ConfigurationError(message)
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
