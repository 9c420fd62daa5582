"""Options to a checked, frozen setup. Every ConfigurationError that two options make together is raised here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Required, TypedDict

from starlette.requests import HTTPConnection

from fastsession.building.given import check_audience, check_server_side, check_subject, explained
from fastsession.cookies import CookieWriter, SameSite, check_name, cookie_name
from fastsession.errors import ConfigurationError
from fastsession.events import EventLog, Listener
from fastsession.formats.contract import CookieFormat
from fastsession.formats.foreign_secrets import refuse_shared_secrets
from fastsession.formats.migrating import MigratingCookies, Migrations
from fastsession.formats.migration import Migration
from fastsession.formats.sharing import SharedCookies, refuse_misused, refuse_unused
from fastsession.keyring import KeyRing, SecretKey, accepted_secrets
from fastsession.lifetime import DEFAULT_ABSOLUTE, DEFAULT_IDLE, Lifetime, Timeouts, check_clock, standard_lifetime
from fastsession.payload.codec import PayloadCodec
from fastsession.payload.declared import DeclaredFields
from fastsession.sealing.binding import Binding, FrontEndBinding, check_binding, digest_of
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.contract import SessionCookies
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import TokenSealer
from fastsession.session import Session
from fastsession.stores.contract import Revocations, SessionStore

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.device_binding import DeviceBinding
    from fastsession.device_binding.devices import Devices

Clock = Callable[[], float]
Outage = Literal["unavailable", "anonymous"]
WhenFull = Literal["evict", "refuse"]


class Options(TypedDict, total=False):
    """What `SessionMiddleware` takes beside the application, for type checkers. `setup_of` has the defaults."""

    secret_key: Required[SecretKey]
    secret_key_fallbacks: Sequence[SecretKey]
    model: type[Session]
    session_cookie: str
    path: str
    domain: str | None
    same_site: SameSite
    https_only: bool
    partitioned: bool
    idle_timeout: timedelta | float
    absolute_timeout: timedelta | float
    renew_after: timedelta | float | None
    remember: Lifetime | bool | None
    max_cookies: int
    audience: str
    binding: Binding | FrontEndBinding | None
    device_binding: DeviceBinding | None
    format: CookieFormat | None
    migrate_from: Sequence[Migration]
    store: SessionStore | None
    revocations: Revocations | None
    store_outage: Outage
    max_sessions: int | None
    when_full: WhenFull
    not_before: datetime | float | None
    on_event: Listener | Sequence[Listener] | None
    clock: Clock


@dataclass(frozen=True, slots=True, repr=False)
class Setup:
    """The checked configuration of one middleware."""

    model: type[Session]
    codec: PayloadCodec
    declared: DeclaredFields
    cookies: SessionCookies
    writer: CookieWriter
    timeouts: Timeouts
    keys: KeyRing
    events: EventLog
    clock: Clock
    binding: Binding | None
    devices: Devices | None
    # What needs I/O: who is signed in at a front end, a migration's stored sessions, our own store, what is revoked.
    front_end: FrontEndBinding | None
    migrations: Migrations | None
    store: SessionStore | None
    revocations: Revocations | None
    outage: Outage
    most_sessions: int | None
    when_full: WhenFull
    # Our names for sessions and subjects outside of cookies belong to this audience.
    audience: str
    # Whether a session may need I/O.
    needs_io: bool
    # What another middleware must have the same to share the cookie: options and their settings.
    rules: Mapping[str, object]

    def bound_to(self, scope: Scope) -> bytes:
        """What a token keeps of that which the application binds sessions to; raises `ConfigurationError`."""
        return digest_of(self.binding(HTTPConnection(scope))) if self.binding else b""


@explained
def setup_of(
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
    remember: Lifetime | bool | None = None,
    max_cookies: int = 2,
    audience: str = "",
    binding: Binding | FrontEndBinding | None = None,
    device_binding: DeviceBinding | None = None,
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
) -> Setup:
    """The setup that the options make together; raises `ConfigurationError`. docs/configuration.md has each option."""
    if not (isinstance(model, type) and issubclass(model, Session)):
        message = "model must be a class derived from fastsession.Session."
        raise ConfigurationError(message)
    lifetime = standard_lifetime(idle_timeout, absolute_timeout)
    timeouts = Timeouts(lifetime, remembered=remember, renew_after=renew_after, not_before=not_before)
    codec = PayloadCodec(model, foreign=format is not None)
    secrets = accepted_secrets(secret_key, secret_key_fallbacks)
    keys = KeyRing(secrets)
    refuse_misused(format, migrate_from, secrets, store)
    check_clock(clock)
    check_audience(audience)
    check_server_side(store, store_outage, max_sessions, when_full)
    if store is not None or revocations is not None:
        check_subject(model, counted=max_sessions is not None)
    check_binding(binding)
    front_end = binding if isinstance(binding, FrontEndBinding) else None
    refuse_shared_secrets([] if front_end is None else [front_end.reader], secrets)
    cookies: SessionCookies
    if format is None:
        name = cookie_name(session_cookie, path=path, domain=domain, https_only=https_only)
        sealer = TokenSealer(keys, cookie_name=name, audience=audience)
        cookies = OwnCookies(sealer, Chunks(name, max_cookies, partitioned=partitioned), timeouts)
    else:
        refuse_unused(session_cookie=session_cookie, max_cookies=max_cookies, audience=audience)
        check_name(format.cookie_name, path=path, domain=domain, https_only=https_only)
        cookies = SharedCookies(format, codec.fields, timeouts)
    migrations = None
    if migrate_from:
        migrations = Migrations(
            migrate_from, fields=codec.fields, timeouts=timeouts, own_name=cookies.name, https_only=https_only
        )
        cookies = MigratingCookies(cookies, migrations)
    writer = CookieWriter(path=path, domain=domain, same_site=same_site, https_only=https_only, partitioned=partitioned)
    events = EventLog(on_event, keys.primary, model, clock)
    devices = None
    if device_binding is not None:
        # Applications that do not bind import nothing of it.
        from fastsession.device_binding.devices import Devices  # noqa: PLC0415

        devices = Devices(
            device_binding,
            keys=keys,
            writer=writer,
            timeouts=timeouts,
            codec=codec,
            events=events,
            cookie_name=cookies.name,
            audience=audience,
            refused={
                "format=": format,
                "domain=": domain,
                "https_only=False": not https_only,
                "partitioned=True": partitioned,
            },
        )
    return Setup(
        model=model,
        codec=codec,
        declared=DeclaredFields(codec),
        cookies=cookies,
        writer=writer,
        timeouts=timeouts,
        keys=keys,
        events=events,
        clock=clock,
        binding=None if isinstance(binding, FrontEndBinding) else binding,
        devices=devices,
        front_end=front_end,
        migrations=migrations,
        store=store,
        revocations=revocations,
        outage=store_outage,
        most_sessions=max_sessions,
        when_full=when_full,
        audience=audience,
        needs_io=any(backend is not None for backend in (store, revocations, front_end))
        or (migrations is not None and migrations.awaits),
        rules={
            "secret_key": keys.primary.handle(b""),
            "audience": audience,
            "format": (type(format), *getattr(format, "secrets", ())),
            "path, domain, same_site, https_only or partitioned": (path, domain, same_site, https_only, partitioned),
            "idle_timeout or absolute_timeout": timeouts.standard,
            "remember": remember,
            "not_before": not_before,
            "binding": binding,
            "device_binding": device_binding,
            "store": type(store),
            "revocations": type(revocations),
            "migrate_from": [type(migration.format) for migration in migrate_from],
        },
    )
