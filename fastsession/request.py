"""One request's session, from the scope to the response."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastsession.errors import ConfigurationError, Rejected
from fastsession.session import Session, SessionInfo, SessionState
from fastsession.token import ID_SIZE, Token

if TYPE_CHECKING:
    from fastsession.cookies import Header
    from fastsession.events import SessionStatus
    from fastsession.lifecycle import Lifecycle


class Arrival(SessionState):
    """How the session arrived with one request, and what its verbs have recorded since."""

    def __init__(
        self, lifecycle: Lifecycle, now: float, token: Token | None, status: SessionStatus, detail: str = ""
    ) -> None:
        self.lifecycle = lifecycle
        self.now = now
        self.token = token
        self.payload = token.payload if token else None
        self.status = status
        self.detail = detail

    @cached_property
    def id(self) -> bytes:
        """The session's secret id; a new session gets one as soon as somebody needs it."""
        return self.token.id if self.token else new_id()

    def reject(self, rejected: Rejected) -> None:
        """Turn away what had been believed."""
        self.token = self.payload = None
        self.status, self.detail = rejected.status, rejected.detail

    def info(self) -> SessionInfo:
        """How the session arrived."""
        return self.lifecycle.info(self)

    def changed(self, session: Session) -> bool:
        """Whether the model differs from what arrived."""
        return self.lifecycle.codec.model_changed(session, self.payload)

    def remember_as(self, on: bool) -> None:  # noqa: FBT001  (the verb's own argument)
        """Record which lifetime was asked for; raises `ConfigurationError` when there is only one."""
        if self.lifecycle.timeouts.remembered is None:
            message = "session.remember() needs SessionMiddleware(..., remember=Lifetime(idle=..., absolute=...))."
            raise ConfigurationError(message)
        super().remember_as(on)


class RequestSession:
    """The session of a request that has one to do with: its arrival, and once it is looked at, model and extras.

    It is reached from the scope, so it must not lead back to the scope or to `send`: that would leave
    a reference cycle behind every request.
    """

    model: Session | None = None
    extras: dict[str, Any] = {}  # noqa: RUF012  (replaced when the session is opened, never filled)
    looked_at = False
    # `written`: through request.session; `forced`: to be saved even if nothing differs.
    written = False
    forced = False
    # What the session was when the response started: later dumps are compared with it.
    committed: bytes | None = None
    response_started = False
    rejection_reported = False

    def __init__(self, lifecycle: Lifecycle, headers: Iterable[Header], binding: bytes) -> None:
        self.lifecycle = lifecycle
        self.headers = headers
        self.binding = binding
        self.arrival = lifecycle.arrive(headers, binding)

    def session(self) -> Session:
        """The model, opened on first use."""
        self.looked_at = True
        return self.model or self.lifecycle.load(self)

    def payload(self) -> bytes:
        """The session as it is now; raises `SessionNotSerializableError`."""
        if self.model is not None:
            return self.lifecycle.codec.dump(self.model, self.extras)
        return self.arrival.payload or b""

    def changed(self, payload: bytes) -> bool:
        """Whether the response has something to save."""
        arrival = self.arrival
        return (
            arrival.to_be_saved
            or self.forced
            or (payload != arrival.payload and self.lifecycle.codec.changed(payload, arrival.payload))
        )

    def destroyed(self, payload: bytes) -> bool:
        """Whether the session ends: by `destroy()`, or emptied as a dict, as with Starlette's sessions."""
        arrival = self.arrival
        if arrival.destroyed or not self.written:
            return arrival.destroyed
        return payload == self.lifecycle.codec.empty and not (arrival.to_be_saved or self.forced)


def new_id() -> bytes:
    """A secret session id: 128 bits from the operating system (OWASP ASVS 7.2.3)."""
    return os.urandom(ID_SIZE)
