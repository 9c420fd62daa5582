"""What a route asks for: the session, a certain session among several, or one that meets a condition."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, TypeVar
from weakref import ref

from fastapi import Depends, HTTPException
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from fastsession.errors import ConfigurationError
from fastsession.lifetime import seconds
from fastsession.mapping import SCOPE_KEY, SessionDict
from fastsession.openapi import SessionScheme
from fastsession.session import Session

SessionT = TypeVar("SessionT", bound=Session)


class SessionDependency(SessionScheme):
    """Hands the session of one middleware to a route, over HTTP and WebSocket."""

    def __init__(self, session_model: type[Session] | None = None) -> None:
        super().__init__(session_model)
        self._checked: set[ref[Any]] = set()

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the session model, opened now if nobody has looked before; raises `ConfigurationError`."""
        session = self.session_in(connection)
        endpoint = connection.scope.get("endpoint")
        if endpoint is not None and ref(endpoint) not in self._checked:
            self._check_annotations(connection.scope.get("route"), session.lifecycle.codec.model)
            self._checked.add(ref(endpoint, self._checked.discard))
        return session.session()

    def session_in(self, connection: HTTPConnection) -> SessionDict:
        """Return the one session in the scope that is meant; raises `ConfigurationError` saying what to write."""
        sessions: tuple[SessionDict, ...] = connection.scope.get(SCOPE_KEY, ())
        if self.session_model is None and len(sessions) == 1:
            return sessions[0]
        models = [session.lifecycle.codec.model for session in sessions]
        names = ", ".join(model.__name__ for model in models)
        if not sessions:
            message = "No session: write app.add_middleware(SessionMiddleware, secret_key=..., model=...)."
        elif self.session_model is None:
            example = models[0].__name__
            message = f"Several session middlewares are active ({names}): write Depends(session_of({example}))."
        else:
            wanted = self.session_model
            fitting = [session for session, model in zip(sessions, models, strict=True) if issubclass(model, wanted)]
            if len(fitting) == 1:
                return fitting[0]
            message = (
                f"session_of({wanted.__name__}) needs one middleware with model={wanted.__name__}; "
                f"the models here are: {names}."
            )
        raise ConfigurationError(message)

    def _check_annotations(self, route: object, model: type[Session]) -> None:
        """Raise `ConfigurationError` when the route declares another session model than it would get."""
        dependant = getattr(route, "dependant", None)
        if not isinstance(dependant, Dependant):
            return
        for call, name in _uses(dependant, self):
            annotation = _annotations(call).get(name)
            if isinstance(annotation, type) and issubclass(annotation, Session) and not issubclass(model, annotation):
                message = (
                    f"{getattr(call, '__name__', call)}() declares {name}: {annotation.__name__}, but its session "
                    f"middleware has model={model.__name__}. Write {name}: {model.__name__}, or SessionMiddleware(..., "
                    f"model={annotation.__name__})."
                )
                raise ConfigurationError(message)


def _uses(dependant: Dependant, dependency: SessionDependency) -> Iterator[tuple[Callable[..., Any], str]]:
    """The callables below a route that take the dependency, each with its parameter's name."""
    for inner in dependant.dependencies:
        if inner.call is dependency and dependant.call and inner.name:
            yield dependant.call, inner.name
        yield from _uses(inner, dependency)


def _annotations(call: Callable[..., Any]) -> dict[str, Any]:
    """The parameter types of a function, of a class that is called, or of an instance that can be."""
    if inspect.isclass(call):
        call = call.__init__
    elif not inspect.isroutine(call):
        call = type(call).__call__
    try:
        return typing.get_type_hints(call)
    except (NameError, TypeError):
        # Names that only a type checker knows: then there is nothing to compare.
        return {}


get_session = SessionDependency()

CurrentSession = Annotated[SessionT, Depends(get_session)]


@cache
def session_of(model: type[Session]) -> SessionDependency:
    """A dependency for the session of the middleware with this model, in an app that has several."""
    return SessionDependency(model)


class Requirement(SessionScheme):
    """Hands on a session that meets a condition, or answers the request in the route's place."""

    def __init__(
        self,
        condition: Callable[[Any], object],
        *,
        fresh: timedelta | float | None,
        status_code: int,
        model: type[Session] | None,
    ) -> None:
        super().__init__(model)
        self._condition = condition
        self._fresh = None if fresh is None else seconds("fresh", fresh, least=1)
        self._status_code = status_code
        self._session = get_session if model is None else session_of(model)

    async def __call__(self, connection: HTTPConnection) -> Any:
        """The session, or an `HTTPException` with the status code."""
        session = await self._session(connection)
        if not self._condition(session):
            raise self._refusal("Not authenticated")
        if self._fresh is not None and not self._is_fresh(connection, self._fresh):
            raise self._refusal("Fresh authentication required")
        return session

    def _is_fresh(self, connection: HTTPConnection, limit: int) -> bool:
        session = self._session.session_in(connection)
        token = session.open().token
        return token is not None and session.lifecycle.clock() < token.authenticated_at + limit

    def _refusal(self, detail: str) -> HTTPException:
        # RFC 9110, section 15.5.2: a 401 names a way to authenticate.
        headers = {"WWW-Authenticate": "Cookie"} if self._status_code == UNAUTHORIZED else None
        return HTTPException(self._status_code, detail, headers)


UNAUTHORIZED = 401


def require(
    condition: Callable[[Any], object],
    *,
    fresh: timedelta | float | None = None,
    status_code: int = UNAUTHORIZED,
    model: type[Session] | None = None,
) -> Requirement:
    """A dependency that returns the session when `condition` holds for it, and answers `status_code` otherwise.

    `fresh` (a timedelta or seconds) also asks that `regenerate()` was called no longer ago than that
    (OWASP ASVS 7.5.1). `model` chooses among several session middlewares.
    """
    return Requirement(condition, fresh=fresh, status_code=status_code, model=model)
