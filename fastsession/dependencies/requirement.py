"""`require`: the session if it meets a condition; otherwise the request is refused before the route runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar, overload

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from fastsession.dependencies.condition import Condition, checked_condition, declared_model, holds
from fastsession.dependencies.openapi import SessionScheme
from fastsession.dependencies.sessions import NOT_OVERRIDDEN, SessionDependency, get_session, overridden, session_of
from fastsession.errors import ConfigurationError
from fastsession.lifetime import seconds
from fastsession.session import Session, intent_of
from fastsession.visit import Visit

SessionT = TypeVar("SessionT", bound=Session)
_CLIENT_ERRORS = range(400, 500)
NEEDS_BINDING = "require(bound=True) needs SessionMiddleware(..., device_binding=DeviceBinding())."


class Requirement(SessionScheme):
    """Returns a session that meets a condition, or raises an `HTTPException`."""

    def __init__(
        self,
        condition: object,
        *,
        fresh: timedelta | float | None,
        bound: bool,
        status_code: int,
        model: type[Session] | None,
    ) -> None:
        super().__init__(model)
        if not isinstance(status_code, int) or status_code not in _CLIENT_ERRORS:
            message = "status_code says how require refuses: a client error from 400 to 499, such as 401 or 403."
            raise ConfigurationError(message)
        self._condition = checked_condition(condition, where="require")
        self._declared = declared_model(self._condition)
        self._fresh = None if fresh is None else seconds("fresh", fresh, least=1)
        self.bound = bound
        self._status_code = status_code
        self._session = SessionDependency(model, asked_as=self, innermost=True)
        self.overridable = (get_session,) if model is None else (session_of(model), get_session)

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the session, or raise an `HTTPException` with the status code."""
        session = await overridden(connection, *self.overridable)
        if session is NOT_OVERRIDDEN:
            session = await self._session(connection)
            self._check_declared(session)
        if not await holds(self._condition, session):
            raise self._refusal("Not authenticated")
        if self._fresh is not None and not _is_fresh(session, self._fresh):
            raise self._refusal("Fresh authentication required")
        if self.bound and not _is_proven(session):
            raise self._refusal("Proof of the device required")
        return session

    def refusal(self, methods: Collection[str]) -> tuple[int, str]:  # noqa: ARG002  (the same for all methods)
        """Return status code and description of a refusal, for the OpenAPI document."""
        if self._status_code == HTTPStatus.UNAUTHORIZED:
            return self._status_code, "Not authenticated"
        return self._status_code, "The session does not meet the route's condition"

    def _check_declared(self, session: Session) -> None:
        declared = self._declared
        if declared is not None and not isinstance(session, declared):
            message = (
                f"The condition of require takes a {declared.__name__}, but gets a {type(session).__name__}, the "
                f"session of the innermost middleware. Write require({declared.__name__}, ...), or another condition."
            )
            raise ConfigurationError(message)

    def _refusal(self, detail: str) -> HTTPException:
        # RFC 9110, section 15.5.2: a 401 names a way to authenticate.
        headers = {"WWW-Authenticate": "Cookie"} if self._status_code == HTTPStatus.UNAUTHORIZED else None
        return HTTPException(self._status_code, detail, headers)


def _is_fresh(session: object, limit: int) -> bool:
    visit = intent_of(session) if isinstance(session, Session) else None
    if not isinstance(visit, Visit):
        # Made by a dependency override: it belongs to no request, so there is no login to look at.
        return True
    return visit.token is not None and visit.setup.clock() < visit.token.authenticated_at + limit


def _is_proven(session: object) -> bool:
    visit = intent_of(session) if isinstance(session, Session) else None
    if not isinstance(visit, Visit):
        # As for `_is_fresh`.
        return True
    if visit.setup.devices is None:
        raise ConfigurationError(NEEDS_BINDING)
    return visit.info().bound_until is not None


@overload
def require(
    model: type[SessionT],
    condition: Callable[[SessionT], object],
    /,
    *,
    fresh: timedelta | float | None = None,
    bound: bool = False,
    status_code: int = ...,
) -> Requirement: ...


@overload
def require(
    condition: Condition,
    *,
    fresh: timedelta | float | None = None,
    bound: bool = False,
    status_code: int = ...,
    model: type[Session] | None = None,
) -> Requirement: ...


def require(
    condition: object,
    model_condition: object = None,
    *,
    fresh: timedelta | float | None = None,
    bound: bool = False,
    status_code: int = HTTPStatus.UNAUTHORIZED,
    model: type[Session] | None = None,
) -> Requirement:
    """Make a dependency that returns the session when `condition` holds, and answers `status_code` otherwise.

    `require(Shop, condition)` tells type checkers the condition's parameter type and takes the innermost
    session with that model; `model=Shop` does the same at run time. An asynchronous condition is awaited.
    `fresh` (a timedelta or seconds) also requires that `regenerate()` was called no longer ago than that
    (OWASP ASVS 7.5.1). `bound` also requires a session that is bound to its device, and proven in this request.
    Raises `ConfigurationError` for a condition that could never refuse anybody.
    """
    if model_condition is not None:
        if model is not None:
            message = "Name the model once: require(Shop, condition), or require(condition, model=Shop)."
            raise ConfigurationError(message)
        if not (isinstance(condition, type) and issubclass(condition, Session)):
            message = "With two arguments require takes the session model first: require(Shop, condition)."
            raise ConfigurationError(message)
        model, condition = condition, model_condition
    return Requirement(condition, fresh=fresh, bound=bound, status_code=status_code, model=model)
