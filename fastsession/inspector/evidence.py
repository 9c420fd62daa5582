"""What a request tells of its own session: what the browser holds, and what the server makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastsession.errors import ConfigurationError
from fastsession.formats.migrating import MigratingCookies
from fastsession.inspector.anatomy import HeldCookie, held_cookies
from fastsession.inspector.notes import Look, Looks
from fastsession.payload.extras import load_extras
from fastsession.payload.lines import split_payload
from fastsession.scope import SCOPE_KEY
from fastsession.sealing.own_cookies import OwnCookies

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.mapping import SessionDict
    from fastsession.options import Setup
    from fastsession.sealing.contract import SessionCookies
    from fastsession.sealing.token import Token
    from fastsession.session import Session
    from fastsession.visit import Visit

# Model and extras, name to JSON value.
Contents = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request's session.

    `held` are its cookies, `beside` those of the device that it is bound to, and `looks` the earlier ones at it,
    the oldest first.
    """

    view: SessionDict
    held: tuple[HeldCookie, ...]
    payload: bytes
    beside: tuple[HeldCookie, ...] = ()
    looks: tuple[Look, ...] = ()

    @property
    def visit(self) -> Visit:
        """The state of the request's session."""
        return self.view.visit

    @property
    def setup(self) -> Setup:
        """The configuration of its middleware."""
        return self.visit.setup

    @property
    def session_cookies(self) -> SessionCookies:
        """How its sessions are written into cookies, those to migrate from aside."""
        cookies = self.setup.cookies
        return cookies.own if isinstance(cookies, MigratingCookies) else cookies

    @property
    def token(self) -> Token | None:
        """What the session's own cookie carries, None without one and for a session of another system."""
        return None if self.adopted else self.visit.token

    @property
    def handle(self) -> str:
        """The session's public handle, empty for one that has not begun."""
        return self.setup.events.handle(self.token.id) if self.token else ""

    @property
    def adopted(self) -> bool:
        """Whether the session is another system's, to be taken over when it is next used."""
        return self.visit.origin is not None

    @property
    def own_format(self) -> bool:
        """Whether the cookie is a token of ours, and not another system's."""
        return isinstance(self.session_cookies, OwnCookies)

    @property
    def in_store(self) -> bool:
        """Whether the data is on the server, and the cookie only leads to it."""
        return self.setup.store is not None

    @property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """The session's cookies, name and value."""
        return tuple((cookie.name, cookie.value) for cookie in self.held)

    @property
    def device_cookies(self) -> tuple[tuple[str, str], ...]:
        """The cookies of its device, name and value."""
        return tuple((cookie.name, cookie.value) for cookie in self.beside)

    def contents(self) -> Contents:
        """What the session holds now."""
        return contents_of(self.payload)

    def default_contents(self) -> Contents:
        """What an untouched session holds."""
        return contents_of(self.visit.untouched.payload)

    def arrived_contents(self) -> Contents:
        """What the session held when the request arrived, as today's model writes it."""
        if self.visit.payload is None:
            return self.default_contents()
        codec = self.setup.codec
        return contents_of(codec.dump(*codec.load(self.visit.payload)))

    def contents_at_last_look(self) -> Contents | None:
        """What the session held when the inspector was last opened, None when it was not."""
        return contents_of(self.looks[-1].payload) if self.looks else None


def examine(view: SessionDict, looks: Looks) -> Evidence:
    """Open the request's session without counting as a visit: it is neither renewed, nor saved, nor cleared."""
    lifecycle, visit = view.lifecycle, view.opened()
    visit.renew_as(wanted=False)
    # Loaded beside the request's own record of it: a look would save a model that today's code writes otherwise.
    model = lifecycle.load(visit) if view.model is None else view.model
    evidence = Evidence(view, (), lifecycle.codec.dump(model, visit.extras))
    held = held_cookies(lifecycle.cookies.brought(visit.header), visit.header, own_format=evidence.own_format)
    devices = lifecycle.devices
    beside = () if devices is None else devices.cookies.brought(visit.header)
    evidence = replace(evidence, held=held, beside=held_cookies(beside, visit.header, own_format=True))
    if evidence.token is None:
        return evidence
    earlier = looks.before(evidence.handle)
    looks.remember(evidence.handle, Look(evidence.cookies, evidence.payload))
    return replace(evidence, looks=earlier)


def decline_renewal(scope: Scope) -> None:
    """Have no session renewed by a request to the inspector, not even by one for its style sheet."""
    views: tuple[SessionDict, ...] = scope.get(SCOPE_KEY, ())
    for view in views:
        lifecycle, visit = view.lifecycle, view.visit
        if visit.opened or lifecycle.cookies.may_be_due(visit.header, lifecycle.clock()):
            view.opened().renew_as(wanted=False)


def inspected(scope: Scope, model: type[Session] | None) -> SessionDict:
    """The session that is meant; raises `ConfigurationError` saying what to write."""
    views: tuple[SessionDict, ...] = scope.get(SCOPE_KEY, ())
    fitting = [found for found in views if model is None or issubclass(found.lifecycle.codec.model, model)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(found.lifecycle.codec.model.__name__ for found in views) or "none"
    message = (
        "The inspector needs one session middleware around the app that it is mounted in, or to be told which: "
        f"SessionInspector(enabled=True, model=...). The models here are: {names}."
    )
    raise ConfigurationError(message)


def contents_of(payload: bytes) -> Contents:
    """Model and extras of a payload."""
    model, extras = split_payload(payload)
    return load_extras(model), load_extras(extras or b"{}")
