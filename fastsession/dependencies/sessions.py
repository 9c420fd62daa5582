"""Dependencies that return a session: the innermost one, or that of a certain model."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import cache
from typing import Annotated, Any, TypeVar
from weakref import ref

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant, solve_dependencies
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection, Request
from starlette.types import Scope
from starlette.websockets import WebSocket

from fastsession.dependencies.openapi import SessionScheme
from fastsession.errors import ConfigurationError
from fastsession.lifecycle import Lifecycle
from fastsession.mapping import SessionDict
from fastsession.scope import SCOPE_KEY
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.session import Session

SessionT = TypeVar("SessionT", bound=Session)


class SessionDependency(SessionScheme):
    """Returns the session of one middleware, over HTTP and WebSocket.

    Without a model it is the innermost session, as with `request.session`. With a model it is the one session
    of that model, or the innermost of several with `innermost`. `asked_as` is the dependency that routes
    declare, when that is another object.
    """

    def __init__(
        self,
        session_model: type[Session] | None = None,
        *,
        asked_as: object = None,
        innermost: bool = False,
    ) -> None:
        super().__init__(session_model)
        self._asked_as = asked_as or self
        self._innermost = innermost
        self._checked: set[ref[Any]] = set()

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the session model, opened at its first use; raises `ConfigurationError`."""
        view = self.view_in(connection)
        endpoint = connection.scope.get("endpoint")
        if endpoint is not None and ref(endpoint) not in self._checked:
            self._check_annotations(connection.scope, view.lifecycle.codec.model)
            self._checked.add(ref(endpoint, self._checked.discard))
        if view.model is None and isinstance(view.lifecycle, ServerLifecycle):
            await view.lifecycle.ask(view.visit)
        # Another task of this request may have loaded it meanwhile: both have to write to one model.
        if view.model is None:
            view.model = view.lifecycle.load(view.visit)
        return view.model

    def view_in(self, connection: HTTPConnection) -> SessionDict:
        """Return the session in the scope that is meant; raises `ConfigurationError` saying what to write."""
        views: tuple[SessionDict, ...] = connection.scope.get(SCOPE_KEY, ())
        if not views:
            raise ConfigurationError(_no_session(connection.scope))
        wanted = self.session_model
        if wanted is None:
            return views[-1]
        fitting = [view for view in views if issubclass(view.lifecycle.codec.model, wanted)]
        if len(fitting) == 1 or (fitting and self._innermost):
            return fitting[-1]
        message = (
            f"session_of({wanted.__name__}) needs one middleware with model={wanted.__name__}; "
            f"the models here are: {_model_names(views)}."
        )
        if fitting:
            message += " Depends(get_session) gives the innermost session."
        raise ConfigurationError(message)

    def _check_annotations(self, scope: Scope, model: type[Session]) -> None:
        """Raise `ConfigurationError` when the route declares another session model than it would get."""
        dependant = getattr(scope.get("route"), "dependant", None)
        if not isinstance(dependant, Dependant):
            return
        for call, name in _uses(dependant, self._asked_as):
            annotation = annotations_of(call).get(name)
            if isinstance(annotation, type) and issubclass(annotation, Session) and not issubclass(model, annotation):
                raise ConfigurationError(_another_model(call, name, annotation, scope[SCOPE_KEY]))


class ModelDependency(SessionDependency):
    """Returns the session of one model, or what the application's overrides give in its place."""

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the session model; raises `ConfigurationError`."""
        session = await overridden(connection, get_session)
        return await super().__call__(connection) if session is NOT_OVERRIDDEN else session


NOT_OVERRIDDEN = object()
_EXIT_STACK = "fastapi_inner_astack"


async def overridden(connection: HTTPConnection, *dependencies: SessionDependency) -> Any:
    """Return what the first override of these dependencies gives, or `NOT_OVERRIDDEN`.

    FastAPI looks up overrides only for what a route declares, and a sub-dependency would cost every request
    a tenth of its time. An override may have parameters and dependencies of its own, so FastAPI solves it.
    """
    app = connection.scope.get("app")
    overrides = getattr(app, "dependency_overrides", None)
    dependency = next((each for each in dependencies if each in overrides), None) if overrides else None
    # FastAPI needs what it puts into the scope of its own routes.
    if dependency is None or _EXIT_STACK not in connection.scope or not isinstance(connection, Request | WebSocket):
        return NOT_OVERRIDDEN
    solved = await solve_dependencies(
        request=connection,
        dependant=Dependant(dependencies=[get_dependant(path="", call=dependency, name="session")]),
        dependency_overrides_provider=app,
        async_exit_stack=AsyncExitStack(),
        embed_body_fields=False,
    )
    if solved.errors:
        raise RequestValidationError(solved.errors)
    return solved.values["session"]


def annotations_of(call: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameter types of a function, a class that is called, or an instance that can be called."""
    if inspect.isclass(call):
        call = call.__init__
    elif not inspect.isroutine(call):
        call = type(call).__call__
    try:
        return typing.get_type_hints(call)
    except (NameError, TypeError):
        # Names that only a type checker knows: then there is nothing to compare.
        return {}


def _uses(dependant: Dependant, dependency: object) -> Iterator[tuple[Callable[..., Any], str]]:
    """The callables below a route that take the dependency, each with its parameter's name."""
    for inner in dependant.dependencies:
        if inner.call is dependency and dependant.call and inner.name:
            yield dependant.call, inner.name
        yield from _uses(inner, dependency)


def _model_names(views: tuple[SessionDict, ...]) -> str:
    return ", ".join(view.lifecycle.codec.model.__name__ for view in views)


def _another_model(call: Callable[..., Any], name: str, declared: type[Session], views: tuple[SessionDict, ...]) -> str:
    """Say what to write in a route that declares a model, but gets a session of another one."""
    model = views[-1].lifecycle.codec.model.__name__
    function, wanted = getattr(call, "__name__", call), declared.__name__
    if any(issubclass(view.lifecycle.codec.model, declared) for view in views):
        return (
            f"{function}() declares {name}: {wanted}, but gets the innermost session, a {model}. Several session "
            f"middlewares are active ({_model_names(views)}): write Depends(session_of({wanted}))."
        )
    return (
        f"{function}() declares {name}: {wanted}, but its session middleware has model={model}. "
        f"Write {name}: {model}, or SessionMiddleware(..., model={wanted})."
    )


def _no_session(scope: Scope) -> str:
    """Say why there is no session: no middleware, or this code runs outside of it."""
    layer = getattr(scope.get("app"), "middleware_stack", None)
    while layer is not None:
        inside = getattr(layer, "__dict__", {})
        if isinstance(inside.get("lifecycle"), Lifecycle):
            return (
                "No session yet: this code runs outside of the session middleware, in a middleware around it or its "
                "error handler. The middleware added last is the outermost, so write app.add_middleware("
                "SessionMiddleware, ...) after the add_middleware of what needs the session."
            )
        layer = inside.get("app")
    return "No session: write app.add_middleware(SessionMiddleware, secret_key=..., model=...)."


get_session = SessionDependency()

CurrentSession = Annotated[SessionT, Depends(get_session)]


@cache
def session_of(model: type[Session]) -> SessionDependency:
    """A dependency for the session of the middleware with this model, in an app that has several."""
    return ModelDependency(model)
