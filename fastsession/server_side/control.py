"""Ending sessions from outside: one by its handle, all others, all of a subject."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from fastsession.dependencies.sessions import get_session, session_of
from fastsession.errors import ConfigurationError
from fastsession.lifetime import as_datetime
from fastsession.mapping import SessionDict
from fastsession.scope import SCOPE_KEY
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.session import Session

# Handles come from forms and links.
_HANDLE = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One place where a subject is signed in.

    `handle` is the public one that `SessionInfo.id` shows too. `session` is what the session holds, a
    user agent for example if the model has a field for it; None when today's model does not accept it.
    """

    handle: str
    created_at: datetime
    last_seen: datetime
    is_current: bool
    session: Session | None


class SessionControl:
    """Lists and ends sessions of the request's subject, or of a subject by name.

    Every method that ends sessions raises `StoreUnavailableError` unless they are ended.
    """

    def __init__(self, view: SessionDict, lifecycle: ServerLifecycle) -> None:
        self._view = view
        self._lifecycle = lifecycle
        self._handle = lifecycle.setup.keys.primary.handle
        self._subject = lifecycle.setup.events.subject

    async def list(self, subject: str | None = None) -> list[SessionEntry]:
        """Where the subject is signed in, the oldest first; nowhere for a visitor without one. Needs `store=`."""
        records = self._lifecycle.records
        if records is None:
            message = "Listing sessions needs SessionMiddleware(..., store=...): without a store nobody knows them."
            raise ConfigurationError(message)
        current = self._view.opened().id
        return [
            SessionEntry(
                handle=self._handle(entry.id),
                created_at=as_datetime(entry.created_at),
                last_seen=as_datetime(entry.renewed_at),
                is_current=entry.id == current,
                session=self._lifecycle.model_of(entry.payload),
            )
            for entry in await records.owned(self._owners(subject))
        ]

    async def end_all(self, subject: str | None = None) -> None:
        """End every session of the subject, this one too if it is one of them.

        A visitor who is not signed in and names nobody is answered 401, here and by `end_others()`.
        """
        named = self._named(subject)
        if named:
            await self._lifecycle.revoking.end_subject(named, keep=None)

    async def end_others(self) -> None:
        """End the subject's other sessions; this one goes on under a new id (OWASP ASVS 7.4.3).

        That is no new sign-in: `authenticated_at` stays. Raises `LateSessionChangeError` after the response
        has started.
        """
        visit, subject = self._view.opened(), self._named(None)
        visit.refuse_late("end_others()")
        visit.reissue(await self._lifecycle.revoking.end_subject(subject, keep=visit.id))

    async def end(self, handle: str) -> bool:
        """End the session with this handle; with a store only if it is the subject's own. Whether there was one.

        Without a store nobody knows whose it is, nor whether there is one: any handle is then denied.
        """
        if not _HANDLE.fullmatch(handle):
            return False
        records = self._lifecycle.records
        if records is None:
            await self._lifecycle.revoking.deny_handle(handle)
            return True
        async for entry in records.each_owned(self._owners(None)):
            if self._handle(entry.id) == handle:
                await self._lifecycle.revoking.end(records, entry.id, entry.created_at)
                return True
        return False

    def _owners(self, subject: str | None) -> Sequence[str]:
        """The store's names of the subject that is meant; none for nobody: a visitor, or an empty text."""
        named = "" if subject is None and self._is_visitor() else self._named(subject)
        return self._lifecycle.revoking.names.owners(named) if named else []

    def _is_visitor(self) -> bool:
        """Whether nobody is signed in, as the model says."""
        model = self._view.session()
        return callable(getattr(model, "subject", None)) and self._subject(model) is None

    def _named(self, subject: str | None) -> str:
        """The subject that is meant, by default this session's: a visitor is answered 401, as by `require`."""
        if subject is not None and not isinstance(subject, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            message = (
                f"A subject is text, as `subject()` returns it: write str(...) around the {type(subject).__name__}."
            )
            raise ConfigurationError(message)
        named = self._subject(self._view.session()) if subject is None else subject
        if named is None:
            if self._is_visitor():
                # Whose session has ended meanwhile: in another tab, by a second click, or of its age.
                raise HTTPException(HTTPStatus.UNAUTHORIZED, "Not authenticated", {"WWW-Authenticate": "Cookie"})
            message = "Whose sessions? Name a subject, or give the session model a `def subject(self) -> str | None`."
            raise ConfigurationError(message)
        return named


async def get_session_control(connection: HTTPConnection) -> SessionControl:
    """The dependency for `SessionControl`, among several middlewares of the innermost one.

    Raises `ConfigurationError` without a store or revocations.
    """
    views: tuple[SessionDict, ...] = connection.scope.get(SCOPE_KEY, ())
    return await _control(views[-1] if views else get_session.view_in(connection))


@cache
def control_of(model: type[Session]) -> Callable[[HTTPConnection], Awaitable[SessionControl]]:
    """A dependency for the `SessionControl` of the middleware with this model, as `session_of` is for its session."""

    async def get_control(connection: HTTPConnection) -> SessionControl:
        return await _control(session_of(model).view_in(connection))

    return get_control


async def _control(view: SessionDict) -> SessionControl:
    lifecycle = view.lifecycle
    if not isinstance(lifecycle, ServerLifecycle) or (lifecycle.records is None and lifecycle.revocations is None):
        model = lifecycle.codec.model.__name__
        message = (
            "Ending sessions needs SessionMiddleware(..., revocations=...) or store=...: no cookie can be called back. "
            f"The middleware with model={model} has neither; another one's is had with Depends(control_of(Model))."
        )
        raise ConfigurationError(message)
    await lifecycle.backends.start()
    await lifecycle.ask(view.visit)
    return SessionControl(view, lifecycle)
