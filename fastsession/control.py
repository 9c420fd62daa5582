"""Ending sessions from outside: one by its handle, all others, all of a subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection

from fastsession.dependencies import get_session
from fastsession.errors import ConfigurationError
from fastsession.lifetime import as_datetime
from fastsession.mapping import SessionDict
from fastsession.server_side import ServerSide


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One place where a subject is signed in. `handle` is the public one that `SessionInfo.id` shows too."""

    handle: str
    created_at: datetime
    last_seen: datetime
    is_current: bool


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
            )
            for entry in await server_side.records.owned(server_side.owners(self._named(subject)))
        ]

    async def end_all(self, subject: str | None = None) -> None:
        """End every session of the subject, this one too if it is one of them."""
        await self._server_side.end_subject(self._named(subject), keep=None)

    async def end_others(self) -> None:
        """End the subject's other sessions; this one goes on under a new id (OWASP ASVS 7.4.3)."""
        request = self._session.open()
        subject = self._named(None)
        before = await self._server_side.end_subject(subject, keep=request.id)
        request.begins_at_least = before
        self._session.session().regenerate()

    async def end(self, handle: str) -> bool:
        """End the session with this handle; with a store only if it is the subject's own. Whether there was one."""
        server_side = self._server_side
        if server_side.records is None:
            await server_side.deny_handle(handle)
            return True
        for entry in await server_side.records.owned(server_side.owners(self._named(None))):
            if server_side.keys.primary.handle(entry.id) == handle:
                await server_side.end_entry(entry)
                return True
        return False

    def _named(self, subject: str | None) -> str:
        """The subject that is meant, by default this session's."""
        named = subject or self._server_side.subject(self._session.session())
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
