"""One request's session: how it arrived, and what has been recorded of it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastsession.errors import ConfigurationError, Rejected
from fastsession.events import EventKind
from fastsession.lifetime import as_datetime
from fastsession.sealing.token import Token, new_id
from fastsession.session import Session, SessionInfo, SessionState
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.cookies import Header
    from fastsession.formats.migrating import Adopted
    from fastsession.lifecycle import Lifecycle
    from fastsession.payload.codec import Untouched
    from fastsession.payload.edits import Edit
    from fastsession.payload.entries import Entries


class RequestSession(SessionState):
    """The record behind a session model, from the cookie to the response.

    It is reached from the scope and from the model, so it leads back to neither, nor to `send`: that
    would leave a reference cycle behind every request.
    """

    extras: dict[str, Any] = {}  # noqa: RUF012  (replaced when the session is loaded, never filled)
    # Through request.session.
    written = False
    # Where it is new: the values that count as absent there, None for those of the model.
    defaults: Mapping[str, Any] | None = None
    # The session that arrived was emptied there: it ends, and what is saved is another one.
    emptied = False
    # Whose the emptied session was.
    emptied_subject: str | None = None
    # What the session was when the response started: later dumps are compared with it.
    committed: bytes | None = None
    rejection_reported = False
    # For a session of another system: its name, and the headers that delete its cookies.
    origin: str | None = None
    deletions: Sequence[Header] = ()
    # For it as well: what is denied of its cookie, and when it began there.
    mark = b""
    began = 0
    # With a server-side store: the version of the record that was read.
    version = 0
    # The cut-off with which this request ended its subject's other sessions.
    spared_at = 0
    # What the response's cookie carries, once there is one; and whether the response deleted the cookie.
    sealed: Token | None = None
    ended = False
    # A new id without a new sign-in.
    reissued = False
    # Renewal asked for (True) or declined (False), whatever the idle deadline says.
    renewal: bool | None = None

    # Its own browser was given another cookie a moment ago, or none: this request was sent before.
    outdated = False

    def __init__(
        self,
        lifecycle: Lifecycle,
        now: float,
        token: Token | None,
        status: SessionStatus,
        detail: str = "",
    ) -> None:
        self.lifecycle = lifecycle
        self.now = now
        self.token = token
        # What the cookie held, None without a valid one.
        self.payload = None if token is None else token.payload
        self.status = status
        self.detail = detail

    @cached_property
    def id(self) -> bytes:
        """The session's secret id; a new session gets one as soon as somebody needs it."""
        return self.token.id if self.token else new_id()

    @cached_property
    def untouched(self) -> Untouched:
        """A session that nobody has touched. For a new one it is set when that is made."""
        return self.lifecycle.codec.untouched(arrived=True)

    def adopt(self, adopted: Adopted | None) -> None:
        """Take over a session of another system, if there is one."""
        if adopted is not None:
            self.token, self.origin, self.deletions, self.mark, self.began = adopted
            self.payload, self.status = adopted.token.payload, SessionStatus.VALID

    def reissue(self, spared_at: int) -> None:
        """Continue under a new id that the subject's cut-off `spared_at` does not end; no other time changes."""
        self.reissued = self.to_be_saved = True
        self.spared_at = spared_at

    @property
    def has_new_id(self) -> bool:
        """Whether what is saved is another session than the one that arrived."""
        return self.regenerated or self.reissued or self.emptied

    def empty(self, subject: str | None) -> None:
        """Note that the session was emptied by key: this ends it, and what was asked for until now is over."""
        if not self.emptied:
            self.emptied_subject = subject
        self.emptied = self.written = True
        self.to_be_saved = False

    def reject(self, rejected: Rejected) -> None:
        """Turn away what had been believed. A session of another system is then not ours, and keeps its cookies."""
        self.token = self.payload = None
        self.deletions = ()
        self.outdated = rejected.outdated
        self.status, self.detail = rejected.status, rejected.detail

    def info(self) -> SessionInfo:
        """How the session arrived."""
        token, timeouts = self.token, self.lifecycle.timeouts
        created_at, renewed_at = (token.created_at, token.renewed_at) if token else (int(self.now),) * 2
        remembered = token is not None and token.remembered
        expires_at = timeouts.lifetime(remembered=remembered).expires_at(created_at=created_at, renewed_at=renewed_at)
        return SessionInfo(
            id=self.lifecycle.handle(self.id),
            created_at=as_datetime(created_at),
            authenticated_at=as_datetime(token.authenticated_at) if token and token.authenticated_at else None,
            renewed_at=as_datetime(renewed_at),
            expires_at=as_datetime(expires_at),
            is_new=token is None,
            remembered=remembered,
            status=self.status,
            origin=None if self.status is SessionStatus.ABSENT else self.origin or self.lifecycle.cookies.origin,
        )

    def changed(self, session: Session) -> bool:
        """Whether the model differs from what arrived."""
        if self.payload is None:
            return self.lifecycle.codec.dump(session, {}) != self.untouched.payload
        return self.lifecycle.codec.model_changed(session, self.payload)

    def remember_as(self, on: bool) -> None:  # noqa: FBT001  (the verb's own argument)
        """Record which lifetime was asked for; raises `ConfigurationError` when there is only one."""
        if self.lifecycle.timeouts.remembered is None:
            message = "session.remember() needs SessionMiddleware(..., remember=Lifetime(idle=..., absolute=...))."
            raise ConfigurationError(message)
        super().remember_as(on)

    def to_save(self, model: Session | None, payload: bytes, edit: Edit | None = None) -> bool:
        """Whether the response has something to save: `payload` is what the session is now, `edit` what differs."""
        if self.to_be_saved or self.emptied:
            return True
        if model is None or payload == self.payload:
            return False
        if self.payload is None:
            return payload != self.untouched.payload
        return self.lifecycle.codec.changed(payload, self.payload, edit)

    def to_end(self, entries: Entries | None) -> bool:
        """Whether the session ends: by `destroy()`, or emptied as a dict, as with Starlette's sessions."""
        if self.destroyed or not self.written or self.to_be_saved or entries is None:
            return self.destroyed
        return entries.is_empty()

    def to_renew(self) -> bool:
        """Whether a session in which nothing changed is sealed again: asked for, or stale, or because it is time."""
        if self.renewal is not None or self.token is None:
            return bool(self.renewal)
        token = self.token
        return token.stale or self.lifecycle.timeouts.renewal_due(token.renewed_at, token.remembered, self.now)

    def verbs(self) -> list[str]:
        """What was called to have the session saved, for reports."""
        called = {
            "regenerate()": self.regenerated,
            "end_others()": self.reissued,
            "remember()": self.remember is not None,
        }
        return [name for name, was_called in called.items() if was_called]

    def saved_token(self, payload: bytes, binding: bytes, now: int) -> Token:
        """What is to be sealed of a changed session: `payload` is what it is now."""
        arrived = None if self.emptied else self.token
        remembered = arrived is not None and arrived.remembered if self.remember is None else self.remember
        if self.regenerated:
            return Token(new_id(), now, now, now, remembered, payload, binding)
        if arrived is None:
            session_id = new_id() if self.emptied else self.id
            return Token(session_id, now, 0, now, remembered, payload, binding)
        session_id = new_id() if self.reissued else arrived.id
        return Token(
            session_id,
            arrived.created_at,
            arrived.authenticated_at,
            now,
            remembered,
            payload,
            binding,
            spared_at=max(arrived.spared_at, self.spared_at),
        )

    @property
    def begins_anew(self) -> bool:
        """Whether the session that arrived was emptied, and what has been written since is a session of its own."""
        return self.emptied and not self.to_be_saved

    def kind_of_save(self) -> EventKind:
        """What saving the session is called."""
        if self.has_new_id and not self.begins_anew:
            return EventKind.REGENERATED
        return _CREATED if self.token is None or self.emptied else _SAVED


# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_CREATED, _SAVED = EventKind.CREATED, EventKind.SAVED
