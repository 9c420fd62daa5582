"""The ASGI edge: options in, one lifecycle out, and a request's session carried from scope to response."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from fastsession.cookies import CookieWriter, SameSite, check_name, cookie_header, cookie_name, refuse_other_rules
from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.events import EventLog, Listener
from fastsession.formats.contract import CookieFormat
from fastsession.formats.foreign_secrets import refuse_shared_secrets
from fastsession.formats.migrating import Migrations
from fastsession.formats.migration import Migration
from fastsession.formats.sharing import ForeignCookies, refuse_misused, refuse_unused
from fastsession.guards.routes import RouteInspection
from fastsession.guards.signed_in import SignedIn
from fastsession.lifecycle import Clock, Lifecycle
from fastsession.lifetime import DEFAULT_ABSOLUTE, DEFAULT_IDLE, Lifetime, Timeouts, standard_lifetime
from fastsession.mapping import SCOPE_KEY, SessionDict, take_back
from fastsession.openapi import announce_cookie
from fastsession.payload.codec import PayloadCodec
from fastsession.reporting import Reporter, watch_handlers
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.keyring import KeyRing, SecretKey, accepted_secrets
from fastsession.sealing.names import Names
from fastsession.sealing.own_cookies import SessionCookies, TokenCookies
from fastsession.sealing.token import BINDING_SIZE, TokenSealer
from fastsession.server_side.lifecycle import ServerSide
from fastsession.server_side.limit import SessionLimit, WhenFull
from fastsession.server_side.records import Records
from fastsession.server_side.revoking import Outage
from fastsession.server_side.serving import (
    STARTS,
    SWITCHING_PROTOCOLS,
    middlewares_below,
    refuse,
    serve_lifespan,
    serve_with_backend,
)
from fastsession.serverless import lambda_headers
from fastsession.session import Session
from fastsession.stores.contract import Revocations, SessionStore

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Binding = Callable[[HTTPConnection], bytes]


class SessionMiddleware:
    """Encrypted, typed sessions in a cookie. docs/configuration.md tells each option's why.

    `secret_key` seals, it and `secret_key_fallbacks` open; make one with `python -m fastsession keygen`.
    Timeouts take a `timedelta` or seconds and are enforced on the server. Raises `ConfigurationError`
    for options that contradict each other, weak secrets, and models that cannot be kept in a cookie.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret_key: SecretKey,
        secret_key_fallbacks: Sequence[SecretKey] = (),
        model: type[Session] = Session,
        session_cookie: str = "app_session",
        path: str = "/",
        domain: str | None = None,
        same_site: SameSite = "lax",
        https_only: bool = True,
        partitioned: bool = False,
        idle_timeout: timedelta | float = DEFAULT_IDLE,
        absolute_timeout: timedelta | float = DEFAULT_ABSOLUTE,
        renew_after: timedelta | float | None = None,
        remember: Lifetime | None = None,
        max_cookies: int = 2,
        audience: str = "",
        binding: Binding | SignedIn | None = None,
        format: CookieFormat | None = None,
        migrate_from: Sequence[Migration] = (),
        store: SessionStore | None = None,
        revocations: Revocations | None = None,
        store_outage: Outage = "unavailable",
        max_sessions: int | None = None,
        when_full: WhenFull = "evict",
        not_before: datetime | float | None = None,
        on_event: Listener | Sequence[Listener] | None = None,
        clock: Clock = time.time,
    ) -> None:
        if not (isinstance(model, type) and issubclass(model, Session)):
            message = "model must be a class derived from fastsession.Session."
            raise ConfigurationError(message)
        timeouts = Timeouts(
            standard_lifetime(idle_timeout, absolute_timeout),
            remembered=remember,
            renew_after=renew_after,
            not_before=not_before,
        )
        codec = PayloadCodec(model, foreign=format is not None)
        secrets = accepted_secrets(secret_key, secret_key_fallbacks)
        keys = KeyRing(secrets)
        refuse_misused(format, migrate_from, secrets, store)
        refuse_shared_secrets([binding.reader] if isinstance(binding, SignedIn) else [], secrets)
        cookies: SessionCookies
        if format is None:
            name = cookie_name(session_cookie, path=path, domain=domain, https_only=https_only)
            sealer = TokenSealer(keys, cookie_name=name, audience=audience)
            cookies = TokenCookies(sealer, Chunks(name, max_cookies, partitioned=partitioned), timeouts)
        else:
            refuse_unused(session_cookie=session_cookie, max_cookies=max_cookies, audience=audience)
            check_name(format.cookie_name, path=path, domain=domain, https_only=https_only)
            cookies = ForeignCookies(format, codec.fields, timeouts)
        migrations = None
        if migrate_from:
            migrations = Migrations(
                migrate_from,
                fields=codec.fields,
                own_name=cookies.name,
                https_only=https_only,
                not_before=timeouts.not_before,
            )
        if store_outage not in ("unavailable", "anonymous"):
            message = "store_outage must be 'unavailable' or 'anonymous'."
            raise ConfigurationError(message)
        reporter = Reporter(EventLog(on_event), keys.primary, model, clock)
        server_side = None
        limit = SessionLimit.of(max_sessions, when_full, store)
        if store is not None or revocations is not None:
            server_side = ServerSide(
                records=None if store is None else Records(store, keys),
                revocations=revocations,
                outage=store_outage,
                keys=keys,
                names=Names(keys, cookie_name=cookies.name, audience=audience),
                migrating_until=0 if migrations is None else migrations.until,
                codec=codec,
                timeouts=timeouts,
                reporter=reporter,
                clock=clock,
                limit=limit,
            )
        attributes = (path, domain, same_site, https_only, partitioned)
        self.app = app
        self.lifecycle = Lifecycle(
            cookies=cookies,
            writer=CookieWriter(
                path=path, domain=domain, same_site=same_site, https_only=https_only, partitioned=partitioned
            ),
            migrations=migrations,
            server_side=server_side,
            codec=codec,
            timeouts=timeouts,
            reporter=reporter,
            clock=clock,
            settings={
                "secret_key": keys.primary.handle(b""),
                "audience": audience,
                "format": (type(format), *getattr(format, "secrets", ())),
                "path, domain, same_site, https_only or partitioned": attributes,
                "idle_timeout or absolute_timeout": timeouts.standard,
                "remember": remember,
                "not_before": not_before,
                "binding": binding,
                "store": type(store),
                "revocations": type(revocations),
                "migrate_from": [type(migration.format) for migration in migrate_from],
            },
        )
        self._binding = binding if isinstance(binding, SignedIn) else _checked(binding)
        self._routes = RouteInspection(app)
        announce_cookie(model, cookies.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912
        """Run the application with a session in its scope (ASGI 3)."""
        if scope["type"] == "lifespan":
            server_side, send = self.lifecycle.server_side, self._routes.inspecting(scope, send)
            await serve_lifespan(self.app, scope, receive, send, server_side=server_side, check=self._check_below)
            return
        shared = self._with_shared_session(scope) if "session" in scope else None
        if shared is not None or scope["type"] not in ("http", "websocket"):
            await self.app(shared or scope, receive, send)
            return
        # Without a call of a function: every request pays for it.
        for router, count in self._routes.inspected:
            if len(router.routes) != count:
                self._routes.inspect(scope)
                break
        lifecycle = self.lifecycle
        header = cookie_header(scope["headers"] if "aws.event" not in scope else lambda_headers(scope))
        binding = await self._bound_to(scope, receive, send) if self._binding else b""
        if binding is None:
            return
        session = SessionDict(lifecycle, header, binding)
        if "session" in scope:
            # Behind another session middleware, ours or Starlette's: it must not find our session in its scope.
            scope = {**scope, SCOPE_KEY: (*_under_way(scope), session)}
        else:
            scope[SCOPE_KEY] = (session,)
        scope["session"] = session

        # Not `async def`: handing on the server's own awaitable costs nothing.
        def send_with_session(message: Message) -> Awaitable[None]:
            if message["type"] in STARTS and not session.response_started:
                if scope.get("session") is not session:
                    take_back(scope, session)
                if session.request is not None or (header and lifecycle.renewal_possible(header, lifecycle.clock)):
                    status_code = message.get("status", SWITCHING_PROTOCOLS)
                    headers = message.get("headers", ())
                    message["headers"] = lifecycle.commit(session, scope, headers, status_code)
                session.response_started = True
            return send(message)

        completed = False
        try:
            if lifecycle.awaits:
                await serve_with_backend(self.app, session, scope, receive, send)
            else:
                await self.app(scope, receive, send_with_session)
            if scope.get("session") is not session:
                take_back(scope, session)
            completed = True
        finally:
            if session.request is not None:
                lifecycle.finish(session, session.request, scope)
                session.request.response_started = True
            session.response_started = session.over = True
            if not completed:
                watch_handlers(session, scope)

    async def _bound_to(self, scope: Scope, receive: Receive, send: Send) -> bytes | None:
        """What this request's session is bound to; None, with 503 answered, when the front end's store is down."""
        connection = HTTPConnection(scope)
        if not isinstance(self._binding, SignedIn):
            return _digest(self._binding(connection)) if self._binding else b""
        try:
            return _digest(await self._binding.identity(connection))
        except StoreUnavailableError as error:
            await refuse(error, scope, receive, send)
            return None

    def _with_shared_session(self, scope: Scope) -> Scope | None:
        """The scope with the session of an outer middleware that has our cookie, which we then go along with."""
        outer = _under_way(scope)
        for session in outer:
            if self._shares_cookie(session.lifecycle):
                others = [other for other in outer if other is not session]
                return {**scope, "session": session, SCOPE_KEY: (*others, session)}
        return None

    def _check_below(self, app: object) -> None:
        """Raise `ConfigurationError` for a middleware below `app` that would write our cookie by other rules."""
        for middleware in middlewares_below(app, SessionMiddleware):
            self._shares_cookie(middleware.lifecycle)

    def _shares_cookie(self, other: Lifecycle) -> bool:
        """Whether another middleware's cookie is ours too; raises `ConfigurationError` if it has other rules."""
        if other.cookies.name != self.lifecycle.cookies.name:
            return False
        refuse_other_rules(other.cookies.name, self.lifecycle.settings, other.settings)
        return True


def _under_way(scope: Scope) -> list[SessionDict]:
    """The sessions of the middlewares around this one. One whose request is over left them in a scope used again."""
    return [session for session in scope.get(SCOPE_KEY, ()) if not session.over]


def _checked(binding: Binding | None) -> Binding | None:
    """`binding` if it is a plain function; raises `ConfigurationError`."""
    asynchronous = any(map(inspect.iscoroutinefunction, (binding, getattr(binding, "__call__", None))))  # noqa: B004
    if binding is not None and (asynchronous or not callable(binding)):
        message = "binding takes a plain function that returns bytes: binding=lambda connection: ..."
        raise ConfigurationError(message)
    return binding


def _digest(bound_to: bytes) -> bytes:
    """What a token keeps of that which the application binds sessions to; raises `ConfigurationError`."""
    if not isinstance(bound_to, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  # what the application's function returns
        if inspect.iscoroutine(bound_to):
            bound_to.close()
        message = f"binding returned {type(bound_to).__name__}: it must return bytes, such as tenant.encode()."
        raise ConfigurationError(message)
    return sha256(bound_to).digest()[:BINDING_SIZE]
