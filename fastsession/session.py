"""The typed model that a route works with, and what its verbs record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from fastsession.errors import ConfigurationError, LateSessionChangeError
from fastsession.lifetime import as_datetime
from fastsession.status import SessionStatus

RESERVED = ("changed", "info", "regenerate", "destroy", "remember")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """How the session arrived with this request; what the request does to it does not show here.

    `id` is a public handle (16 hex digits), never the secret id. `authenticated_at` is when
    `regenerate()` was last called, None for never. `origin` names the format of the cookie, None
    without one. `device_bound` is whether the session is bound to a device's key, and `bound_until` until
    when this request proves it, None without a live proof. Datetimes are aware, in UTC.
    """

    id: str
    created_at: datetime
    authenticated_at: datetime | None
    renewed_at: datetime
    expires_at: datetime
    is_new: bool
    remembered: bool
    status: SessionStatus
    origin: str | None
    device_bound: bool = False
    bound_until: datetime | None = None

    @classmethod
    def of(cls, handle: str, times: tuple[int, int, int, int], **facts: Any) -> SessionInfo:
        """Make one of a handle, facts, and the Unix seconds of its four times, `authenticated_at` 0 for never."""
        created_at, authenticated_at, renewed_at, expires_at = map(as_datetime, times)
        return cls(handle, created_at, authenticated_at if times[1] else None, renewed_at, expires_at, **facts)


class Intent:
    """What the verbs of a session asked for; the response then does it once.

    As it stands here it serves a model that belongs to no request, in a unit test for example.
    """

    # Whether anything was asked for at all.
    asks: bool
    destroyed = False
    regenerated = False
    # Whether a new cookie was asked for, even if nothing differs.
    to_be_saved = False
    remember: bool | None = None
    # Renewal asked for (True) or declined (False), whatever the idle deadline says.
    renewal: bool | None = None
    # Whether it was written to, and emptied, key by key or not: the session that came ends, what is saved is another.
    written = emptied = drained = False
    emptied_subject: str | None = None
    # A new id without a new sign-in, and the cut-off that ended the subject's other sessions.
    reissued, spared_at = False, 0
    # Whether the response has started, so that its cookie can no longer be sent.
    late: bool

    def __init__(self) -> None:
        self.asks = self.late = False

    @property
    def remembers(self) -> bool:
        """Whether there is a lifetime for remembered sessions."""
        return True

    def info(self) -> SessionInfo:
        """How the session arrived."""
        now = datetime.now(UTC)
        return SessionInfo(
            "", now, None, now, now, is_new=True, remembered=False, status=SessionStatus.ABSENT, origin=None
        )

    def changed(self, model: Session) -> bool:
        """Whether the model differs from what arrived."""
        fresh = type(model)()
        return model.model_dump_json(round_trip=True) != fresh.model_dump_json(round_trip=True)

    def remember_as(self, on: bool) -> None:  # noqa: FBT001  (the verb's own argument)
        """Record which lifetime was asked for; raises `ConfigurationError` when there is only one."""
        if not self.remembers:
            message = "session.remember() needs SessionMiddleware(..., remember=Lifetime(idle=..., absolute=...))."
            raise ConfigurationError(message)
        self.remember = on
        self.asks = self.to_be_saved = True

    def renew_as(self, *, wanted: bool) -> None:
        """Ask for renewal, or decline it, whatever the idle deadline says."""
        self.asks, self.renewal = True, wanted

    def reissue(self, spared_at: int) -> None:
        """Continue under a new id that the subject's cut-off `spared_at` does not end; no other time changes."""
        self.asks = self.reissued = self.to_be_saved = True
        self.spared_at = spared_at

    def empty(self, subject: str | None, *, drained: bool) -> None:
        """Note that the session was emptied by key: it ends, and so does what was asked for until now."""
        if not self.emptied:
            self.emptied_subject = subject
        self.asks = self.emptied = self.written = True
        self.drained, self.to_be_saved = drained, False

    @property
    def was_told_to_end(self) -> bool:
        """Whether `destroy()` or `clear()` was called, and the session is not just empty."""
        return self.destroyed or (self.emptied and not self.drained)

    def refuse_late(self, verb: str) -> None:
        """Raise `LateSessionChangeError` once the cookie can no longer be sent."""
        if self.late:
            message = (
                f"{verb} came after the response had started, so its cookie can no longer be sent. Move it before the "
                "response, for a WebSocket before accept(): not in a background task, a streaming body, behind a yield "
                "or in a handler of Exception, which runs outside of the session middleware (a handler of a narrower "
                "class runs inside)."
            )
            raise LateSessionChangeError(message)


class Session(BaseModel):
    """The base of every session model: a Pydantic model with five more names.

    The verbs record what is wanted; the response then does it once. What they record takes no part in
    equality, copies, dumps, repr or the JSON schema.
    """

    # Validation errors end up in logs, and session data must not.
    model_config = ConfigDict(hide_input_in_errors=True, allow_inf_nan=False, ser_json_inf_nan="constants")
    # A name that no field and no private attribute of a model can have.
    __slots__ = ("__fastsession_state__",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a field or method with one of the five names, before it would hide them."""
        for parent in cls.__mro__[: cls.__mro__.index(Session)]:
            for name in RESERVED:
                if name in vars(parent) or name in vars(parent).get("__annotations__", {}):
                    message = (
                        f"{cls.__name__} cannot have a field or method called {name!r}: every Session has "
                        f"{', '.join(RESERVED)}. Choose another name, {name}_ for example."
                    )
                    raise ConfigurationError(message)
        super().__init_subclass__(**kwargs)

    def __sentry_repr__(self) -> str:
        # An error report shows local variables, which are read by others than a repr.
        return f"<{type(self).__name__}>"

    @property
    def changed(self) -> bool:
        """True when what the model would dump now differs from what was loaded, nested edits included."""
        return intent_of(self).changed(self)

    @property
    def info(self) -> SessionInfo:
        """How the session arrived: its times, its public handle, why a cookie was turned away."""
        return intent_of(self).info()

    def regenerate(self) -> None:
        """Give the session a new id and restart its clocks; call it at every login (OWASP: session fixation).

        Raises `LateSessionChangeError` after the response has started.
        """
        intent = intent_of(self)
        intent.refuse_late("session.regenerate()")
        intent.asks = intent.regenerated = intent.to_be_saved = True

    def destroy(self) -> None:
        """End the session: the response deletes its cookies, whatever else is done to it.

        Raises `LateSessionChangeError` after the response has started.
        """
        intent = intent_of(self)
        intent.refuse_late("session.destroy()")
        intent.asks = intent.destroyed = True

    def remember(self, on: bool = True) -> None:  # noqa: FBT001, FBT002  (the published signature)
        """Switch to the lifetimes of `remember=`, in a cookie that outlives the browser; `False` switches back.

        Raises `LateSessionChangeError` after the response has started, and `ConfigurationError` when
        the middleware has no `remember=`.
        """
        intent = intent_of(self)
        intent.refuse_late("session.remember()")
        intent.remember_as(on)


def intent_of(model: Session) -> Intent:
    """What was recorded for this model; one that belongs to no request begins a record of its own."""
    try:
        intent: Intent = _slot.__get__(model)
    except AttributeError:
        intent = Intent()
        attach(model, intent)
    return intent


_slot: Any = vars(Session)["__fastsession_state__"]
# Give a session the record of its request.
attach = _slot.__set__
