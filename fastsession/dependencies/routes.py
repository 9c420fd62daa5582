"""The routes behind a session middleware: inspected for slips before they are served, their refusals documented."""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute
from starlette.types import Message, Scope, Send

from fastsession.dependencies.requirement import NEEDS_BINDING, Requirement
from fastsession.dependencies.same_origin import SameOrigin
from fastsession.dependencies.signed_in import SignedIn
from fastsession.dependencies.slips import slips
from fastsession.errors import ConfigurationError

if TYPE_CHECKING:
    from fastsession.options import Setup

Guard = Requirement | SameOrigin | SignedIn
# Where an application, a middleware, a mount and an included router keep what they pass requests to.
_INNER = ("app", "router", "original_router")


class RouteInspection:
    """The routes of an application, inspected at start-up and again when their number has changed.

    `inspected` pairs each router with the number of routes that it had. The middleware compares them with
    every request.
    """

    # No number of routes is -1, so the first request is never passed uninspected.
    routes = ()

    def __init__(self, app: object, setup: Setup, kind: type[Any]) -> None:
        self._app = app
        self._setup = setup
        # The class of session middlewares, which may also stand further in.
        self._kind = kind
        self.inspected: list[tuple[Any, int]] = [(self, -1)]

    def inspect(self, scope: Scope) -> None:
        """Raise `ConfigurationError` naming every route that takes a session from the request, or can serve nobody."""
        routers = list(_routers(self._app, scope.get("app")))
        routes = [route for router in routers for route in router.routes]
        found = [f"{_where(route)}: {slip}" for route in routes for slip in _slips(route)]
        if self._setup.devices is None:
            found += self._closed_to_all(getattr(scope.get("app"), "dependency_overrides", ()))
        if found:
            raise ConfigurationError("\n".join(found))
        for route in routes:
            _document_refusals(route)
        self.inspected = [(router, len(router.routes)) for router in routers]

    def inspecting(self, scope: Scope, send: Send) -> Send:
        """Return a `send` for the lifespan that inspects the routes once the application has made them all."""

        async def send_when_inspected(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                # Raised in here it ends the application's own start-up, which tells the server that it failed.
                self.inspect(scope)
            await send(message)

        return send_when_inspected

    def _closed_to_all(self, overridden: Container[object]) -> list[str]:
        """The routes that ask for a proof of the device, which our sessions never have.

        None when another session middleware stands further in: then it depends on the request whose session is meant.
        """
        if any(_is_made_by(self._kind, each) for each in _reached_from(self._app)):
            return []
        return [
            f"{_where(route)}: {NEEDS_BINDING}"
            for router in _routers(self._app)
            for route in router.routes
            for dependant in _dependants(route)
            if isinstance(dependant.call, Requirement) and self._closes(dependant.call, overridden)
        ]

    def _closes(self, requirement: Requirement, overridden: Container[object]) -> bool:
        """Whether nobody meets the requirement with a session of ours."""
        is_ours = requirement.session_model is None or issubclass(self._setup.model, requirement.session_model)
        return requirement.bound and is_ours and not any(each in overridden for each in requirement.overridable)


def _is_made_by(kind: type[Any], reached: object) -> bool:
    """Whether this is a middleware of the kind, or an application that has yet to build one."""
    factories: list[Any] = [middleware.cls for middleware in _inside(reached).get("user_middleware", ())]
    return isinstance(reached, kind) or any(inspect.isclass(made) and issubclass(made, kind) for made in factories)


def _routers(*apps: object) -> Iterator[Any]:
    """Every object with routes of its own that requests to these applications can reach."""
    return (each for each in _reached_from(*apps) if isinstance(_inside(each).get("routes"), list))


def _inside(found: object) -> dict[str, Any]:
    """An object's own attributes. Not by getattr: a walk over an object that makes up attributes would never end."""
    inside: dict[str, Any] = getattr(found, "__dict__", {})
    return inside


def _reached_from(*apps: object) -> Iterator[Any]:
    """Every object that requests to these applications can reach."""
    waiting, seen = list(apps), set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        inside = _inside(current)
        yield current
        if isinstance(inside.get("routes"), list):
            waiting += inside["routes"]
        waiting += [inside[name] for name in _INNER if name in inside]


def _dependants(route: object) -> Iterator[Dependant]:
    """What FastAPI calls for a route, the endpoint first, or for all routes of an included router."""
    waiting: list[Dependant] = []
    dependant = getattr(route, "dependant", None)
    if isinstance(dependant, Dependant):
        waiting.append(dependant)
    # Newer versions of FastAPI do not copy the dependencies of `include_router` into the router's routes.
    included = getattr(getattr(route, "include_context", None), "dependencies", ())
    waiting += [get_dependant(path="", call=depends.dependency) for depends in included]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += current.dependencies


def _slips(route: object) -> Iterator[str]:
    endpoint = getattr(route, "dependant", None)
    for dependant in _dependants(route):
        yield from slips(dependant, is_endpoint=dependant is endpoint)


def _where(route: object) -> str:
    if hasattr(route, "original_router"):
        return "include_router(dependencies=...)"
    methods = ", ".join(sorted(getattr(route, "methods", None) or ()))
    return f"{methods or 'WebSocket'} {getattr(route, 'path', '')}"


def _document_refusals(route: Any, inherited: tuple[Guard, ...] = ()) -> None:
    """Note in the OpenAPI document how a route's guards refuse, where the application does not say it."""
    calls = [dependant.call for dependant in _dependants(route)]
    guards = (*inherited, *(call for call in calls if isinstance(call, Guard)))
    included = getattr(route, "original_router", None)
    if included is not None:
        for inner in included.routes:
            _document_refusals(inner, guards)
    if not isinstance(route, APIRoute):
        return
    for guard in guards:
        refusal = guard.refusal(route.methods or ())
        if refusal is not None and not {refusal[0], str(refusal[0])} & route.responses.keys():
            route.responses = {**route.responses, refusal[0]: {"description": refusal[1]}}
