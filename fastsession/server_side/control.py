"""Ending sessions from outside: one by its handle, all others, all of a subject."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection

from fastsession.dependencies import get_session
from fastsession.errors import ConfigurationError
from fastsession.lifetime import as_datetime
from fastsession.mapping import SessionDict
from fastsession.server_side.lifecycle import ServerSide
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

    def __init__(self, session: SessionDict, server_side: ServerSide) -> None:
        self._session = session
        self._server_side = server_side

    async def list(self, subject: str | None = None) -> list[SessionEntry]:
        """Where the subject is signed in, the oldest first; needs `store=`."""
        server_side = self._server_side
        if server_side.records is None:
            message = "Listing sessions needs SessionMiddleware(..., store=...): without a store nobody knows them."
            raise ConfigurationError(message)
        current = self._session.open().id
        return [
            SessionEntry(
                handle=server_side.keys.primary.handle(entry.id),
                created_at=as_datetime(entry.created_at),
                last_seen=as_datetime(entry.renewed_at),
                is_current=entry.id == current,
                session=server_side.model_of(entry.payload),
            )
            for entry in await server_side.records.owned(server_side.owners(self._named(subject)))
        ]

    async def end_all(self, subject: str | None = None) -> None:
        """End every session of the subject, this one too if it is one of them."""
        await self._server_side.end_subject(self._named(subject), keep=None)

    async def end_others(self) -> None:
        """End the subject's other sessions; this one goes on under a new id (OWASP ASVS 7.4.3).

        That is no new sign-in: `authenticated_at` stays. Raises `LateSessionChangeError` after the response
        has started.
        """
        request, subject = self._session.open(), self._named(None)
        request.refuse_late("end_others()")
        request.reissue(await self._server_side.end_subject(subject, keep=request.id))

    async def end(self, handle: str) -> bool:
        """End the session with this handle; with a store only if it is the subject's own. Whether there was one.

        Without a store nobody knows whose it is, nor whether there is one: any handle is then denied.
        """
        server_side = self._server_side
        if not _HANDLE.fullmatch(handle):
            return False
        records = server_side.records
        if records is None:
            await server_side.deny_handle(handle)
            return True
        for entry in await records.owned(server_side.owners(self._named(None))):
            if server_side.keys.primary.handle(entry.id) == handle:
                await records.delete(entry.id)
                await server_side.deny_handle(handle)
                return True
        return False

    def _named(self, subject: str | None) -> str:
        """The subject that is meant, by default this session's."""
        named = self._server_side.subject(self._session.session()) if subject is None else subject
        if named is None:
            message = "Whose sessions? Name a subject, or give the session model a `def subject(self) -> str | None`."
            raise ConfigurationError(message)
        return named


async def get_session_control(connection: HTTPConnection) -> SessionControl:
    """The dependency for `SessionControl`; raises `ConfigurationError` without a store or revocations."""
    session = get_session.session_in(connection)
    server_side = session.lifecycle.server_side
    if server_side is None:
        message = (
            "Ending sessions needs SessionMiddleware(..., revocations=...) or store=...: no cookie can be called back."
        )
        raise ConfigurationError(message)
    await server_side.start()
    return SessionControl(session, server_side)
