"""State of one request's session: the cookie that came in and the changes requested since."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastsession.errors import Rejected
from fastsession.sealing.token import Token, new_id
from fastsession.session import Intent, SessionInfo
from fastsession.status import ABSENT, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastsession.device_binding.device_cookies import Device
    from fastsession.lifetime import Window
    from fastsession.options import Setup
    from fastsession.payload.codec import Untouched
    from fastsession.payload.edits import Edit
    from fastsession.payload.entries import Entries
    from fastsession.sealing.contract import Origin
    from fastsession.session import Session


class Visit(Intent):
    """What came with the request, what was asked for since, and the token that the response seals.

    Must not reference the scope, the model or `send`: both hold this object, so that would create a
    reference cycle per request. Every request reads the attributes that `__init__` sets, which Python finds at
    once; where the default stands on the class, it looks up both.
    """

    # How the cookie was received. Outdated: its browser was given another one, or none, a moment before.
    rejection_reported = outdated = False
    detail = ""
    # When it was opened, and what `request.session` holds beside the model's fields.
    now: float
    extras: dict[str, Any]
    origin: Origin | None = None  # Another system's.
    # With a store, the version of the record that the session's data come from.
    version = 0
    # The device that it is bound to. A request may lack a proof of that when it comes to bring one.
    device: Device | None = None
    brings_proof = False
    # What counts as absent in a new session.
    defaults: Mapping[str, Any] | None = None
    # What the response's cookie carries, or that it was deleted; where the middleware has returned by an exception.
    sealed: Token | None = None
    ended = False
    failed_at: Mapping[str, Any] | None = None

    def __init__(self, setup: Setup, header: bytes, binding: bytes) -> None:
        self.setup, self.header, self.binding, self.status = setup, header, binding, ABSENT
        # Refused: an answer of ours replaced the response. Over: the middleware has returned.
        self.opened = self.asks = self.late = self.refused = self.over = False
        # The valid session that came, and its data.
        self.token: Token | None = None
        self.window: Window | None = None
        self.payload: bytes | None = None
        # What the session was when the response started.
        self.committed: bytes | None = None

    @cached_property
    def id(self) -> bytes:
        """The session's secret id; a new session gets one when it is first needed."""
        return self.token.id if self.token else new_id()

    @cached_property
    def untouched(self) -> Untouched:
        """A session that nobody has touched. For a new one it is set when that is made."""
        return self.setup.codec.untouched(arrived=True)

    @property
    def has_new_id(self) -> bool:
        """Whether the response seals another session than the one that came."""
        return self.regenerated or self.reissued or (self.emptied and (self.token is not None or not self.drained))

    def reject(self, rejected: Rejected) -> None:
        """Turn the cookie away, whatever was believed of it. Another system's session keeps its cookies."""
        self.token = self.window = self.payload = self.origin = None
        self.status, self.detail, self.outdated = rejected.status, rejected.detail, rejected.outdated

    @property
    def remembers(self) -> bool:
        """Whether there is a lifetime for remembered sessions."""
        return self.setup.timeouts.remembered is not None

    def changed(self, model: Session) -> bool:
        """Whether the model differs from what came."""
        codec = self.setup.codec
        if self.payload is None:
            return codec.dump(model) != self.untouched.payload
        return codec.model_changed(model, self.payload)

    def ends(self, entries: Entries | None) -> bool:
        """Whether the session ends: by `destroy()`, or emptied by key, as with Starlette's sessions."""
        if self.destroyed or not self.written or self.to_be_saved or entries is None:
            return self.destroyed
        return entries.is_empty()

    def differs(self, payload: bytes, edit: Edit | None = None) -> bool:
        """Whether there is something to save: a session that is `payload` now, `edit` of it changed, was looked at."""
        if self.to_be_saved or self.emptied:
            return True
        if self.payload is None:
            return payload != self.untouched.payload
        return payload != self.payload and self.setup.codec.changed(payload, self.payload, edit)

    def is_due(self) -> bool:
        """Whether an unchanged session is sealed again: because it was asked for, or its renewal is due."""
        if self.window is None or (self.setup.devices is not None and not self.setup.devices.may_renew(self)):
            return False
        return self.now >= self.window.renews if self.renewal is None else self.renewal

    def next_token(self, payload: bytes, now: int) -> Token:
        """The token of a changed session, which is `payload` now."""
        came = None if self.emptied else self.token
        begun = self.setup.timeouts.from_the_start if came is None else came.remembered
        remembered = begun if self.remember is None else self.remember
        if self.regenerated:
            return Token(new_id(), now, now, now, remembered, payload, self.binding)
        if came is None:
            return Token(new_id() if self.emptied else self.id, now, 0, now, remembered, payload, self.binding)
        session_id, spared_at = new_id() if self.reissued else came.id, max(came.spared_at, self.spared_at)
        times = came.created_at, came.authenticated_at, now
        return Token(session_id, *times, remembered, payload, self.binding, spared_at=spared_at, pair=came.pair)

    def info(self) -> SessionInfo:
        """How the session arrived."""
        setup, now = self.setup, int(self.now)
        came = self.token or Token(self.id, now, 0, now, setup.timeouts.from_the_start, b"")
        lifetime = setup.timeouts.lifetime(remembered=came.remembered)
        origin = self.origin.format if self.origin else setup.cookies.origin
        expires_at = lifetime.expires_at(created_at=came.created_at, renewed_at=came.renewed_at)
        device = setup.devices.shown(self.device, now) if setup.devices and self.token else {}
        return SessionInfo.of(
            setup.events.handle(came.id),
            (came.created_at, came.authenticated_at, came.renewed_at, expires_at),
            is_new=self.token is None,
            remembered=came.remembered,
            status=self.status,
            origin=None if self.status is SessionStatus.ABSENT else origin,
            **device,
        )
