"""`SignedIn`: who is signed in at the front end, by its own session cookie, which is looked at and left alone."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException, Response
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.types import Scope

from fastsession.cookies import cookie_header, cookie_pairs, lambda_headers
from fastsession.errors import ConfigurationError, Rejected, StoreUnavailableError
from fastsession.events import EventKind, EventLog, Listener
from fastsession.formats.candidates import load_newest
from fastsession.formats.contract import CookieReader, ForeignSession
from fastsession.status import SessionStatus

# What each SignedIn found in this request, so that the session middleware and the route ask once.
_SCOPE_KEY: Final = "fastsession.signed_in"
# Claims that the front end writes anew whenever it renews the cookie.
_RENEWED_CLAIMS: Final = frozenset({"iat", "nbf", "exp", "jti"})


class SignedIn(SecurityBase):
    """A dependency that returns the session of the user who is signed in at the front end, or answers 401.

    `reader` is a format such as `AuthjsSession(secret=...)`. Its cookie is read on every request, and never
    written or deleted. With `optional=True` a visitor who is not signed in is None. `subject` finds the user
    in the session's data, for formats that do not say who it is, and for a user of another claim than theirs;
    None from it means that nobody is signed in. A cookie that is turned away is one event, with its status.

    The session middleware takes one as `binding=`: then a session of ours ends when another user, or nobody,
    is signed in at the front end. Raises `ConfigurationError` for a format that needs `subject`.
    """

    def __init__(
        self,
        reader: CookieReader,
        *,
        optional: bool = False,
        subject: Callable[[dict[str, Any]], object] | None = None,
        on_event: Listener | Sequence[Listener] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not any(callable(getattr(reader, method, None)) for method in ("read", "load")):
            message = "SignedIn takes a format, such as SignedIn(AuthjsSession(secret=...))."
            raise ConfigurationError(message)
        name = type(reader).__name__
        if subject is None and not getattr(reader, "of_front_end", False):
            message = (
                f"{name} has sessions of visitors too, and does not say who is signed in. Write "
                f'SignedIn({name}(...), subject=lambda data: (data.get("user") or {{}}).get("id")).'
            )
            raise ConfigurationError(message)
        self.reader = reader
        self.scheme_name = f"{name}Cookie"
        self.model = APIKey.model_validate(
            {"in": APIKeyIn.cookie, "name": reader.cookie_name, "description": "The front end's session cookie."}
        )
        self._optional = optional
        self._subject = subject
        self._events = EventLog(on_event, None, None, clock)
        self._clock = clock

    async def __call__(self, connection: HTTPConnection, response: Response) -> Any:
        """Return the front end's session; raise an `HTTPException` with 401, or 503 when its store is down.

        Caches must not give one user's response to another. A route that returns a `Response` of its own
        has to say so itself.
        """
        try:
            session = await self._session(connection)
        except StoreUnavailableError:
            headers = {"Retry-After": "1", "Cache-Control": "no-store"}
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "Sessions are unavailable", headers) from None
        response.headers.add_vary_header("Cookie")
        if session is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        elif not self._optional:
            # RFC 9110, section 15.5.2: a 401 names a way to authenticate.
            headers = {"WWW-Authenticate": "Cookie"}
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "Not authenticated", headers)
        return session

    async def identity(self, connection: HTTPConnection) -> bytes:
        """What a session of ours is bound to: the front end's session where it has an id, else its user.

        Nobody is b"". Raises `StoreUnavailableError`.
        """
        session = await self._session(connection)
        if session is None:
            return b""
        who: list[Any] = [session.id, session.subject]
        if who == [None, None]:
            # Two users whom the front end does not name must not be taken for one.
            who.append({name: value for name, value in session.data.items() if name not in _RENEWED_CLAIMS})
        return json.dumps(who, sort_keys=True, default=str).encode()

    def refusal(self, methods: Collection[str]) -> tuple[int, str] | None:  # noqa: ARG002  (the same for all methods)
        """Return status code and description of a refusal, for the OpenAPI document."""
        return None if self._optional else (int(HTTPStatus.UNAUTHORIZED), "Not signed in at the front end")

    async def _session(self, connection: HTTPConnection) -> ForeignSession | None:
        """The front end's session in this request, read once; raises `StoreUnavailableError`."""
        scope = connection.scope
        header = cookie_header(scope["headers"] if "aws.event" not in scope else lambda_headers(scope))
        # By the header too: a scope may be used for more than one request.
        found: dict[object, ForeignSession | None] = scope.setdefault(_SCOPE_KEY, {})
        asked = self, header
        if asked not in found:
            found[asked] = await self._read(scope, header)
        return found[asked]

    async def _read(self, scope: Scope, header: bytes) -> ForeignSession | None:
        now = self._clock()
        try:
            session = await load_newest(self.reader, cookie_pairs(header), now=now)
        except Rejected as rejected:
            self._tell(rejected, header, scope)
            return None
        if self._subject is None:
            return session
        subject = _checked_subject(self._subject(session.data))
        return None if subject is None else replace(session, subject=subject)

    def _tell(self, rejected: Rejected, header: bytes, scope: Scope) -> None:
        """Report a cookie that was turned away, the first time that this process sees it."""
        status = rejected.status
        if status is not SessionStatus.ABSENT and self._events.is_first_report(status, header):
            detail = f"{type(self.reader).__name__}: {rejected.detail}"
            self._events.send(EventKind.REJECTED, status, scope, detail=detail)


def _checked_subject(subject: object) -> str | None:
    """The user's name, None for nobody; raises `ConfigurationError` for what would name all users alike."""
    if subject is None or subject is False or subject == "":
        return None
    if isinstance(subject, bool) or not isinstance(subject, str | int | UUID):
        if inspect.iscoroutine(subject):
            subject.close()
        message = (
            f"subject= returned {type(subject).__name__}: it takes a plain function that returns the user's id as a "
            "str, int or UUID, and None for nobody."
        )
        raise ConfigurationError(message)
    return str(subject)
