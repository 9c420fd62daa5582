"""What is reported of a request's session: its cookie rejected or sealed, and changes that no response carries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from fastsession.decision import RENEW, Outcome
from fastsession.errors import SessionNotSerializableError
from fastsession.events import EventKind
from fastsession.response_headers import PLAIN_HTTP_WARNING, drops_secure_cookies
from fastsession.status import ABSENT, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Scope

    from fastsession.payload.entries import Entries
    from fastsession.sealing.token import Token
    from fastsession.session import Session
    from fastsession.visit import Visit

# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
_LATE_CHANGE = EventKind.LATE_CHANGE

# In place of what was committed, where a change that cannot be written has been reported.
_UNWRITABLE = b""
# Bytes of cookie value that are worth a warning before they are too many.
NEAR_LIMIT = 3000


class View(Protocol):
    """`request.session`, which leads to the visit; model and entries are None until the first look."""

    visit: Visit
    model: Session | None
    entries: Entries | None


def shown(view: View) -> str:
    """The text of `request.session` in logs and error reports, where neither the data nor the cookie belongs.

    Caches make keys of it (fastapi-cache2), so other contents have another text: a number that only the secret's
    holder could compute.
    """
    visit, model, handle = view.visit, view.model, view.visit.setup.events.handle
    if model is None:
        return f"<session, not looked at: {handle(visit.header)}>"
    try:
        return f"<session, looked at: {handle(visit.setup.codec.dump(model, visit.extras))}>"
    except SessionNotSerializableError:
        return "<session, looked at: not to be saved>"


def report(
    kind: EventKind, view: View, scope: Mapping[str, Any], *, session_id: bytes | None = None, detail: str = ""
) -> None:
    """Send an event about the session."""
    visit, model, subject = view.visit, view.model, None
    if kind is EventKind.DESTROYED and visit.emptied:
        # By now the model is its successor's.
        model, subject = None, visit.emptied_subject
    visit.setup.events.send(
        kind, visit.status, scope, session_id=session_id or visit.id, subject=subject, model=model, detail=detail
    )


def report_rejection(visit: Visit, scope: Scope) -> None:
    """Report the cookie that was rejected, if one was, once in this process."""
    if visit.status is ABSENT or visit.rejection_reported:
        return
    visit.rejection_reported = True
    setup = visit.setup
    if visit.status is SessionStatus.STORE_DOWN:
        setup.events.unavailable(visit.detail, scope)
    if setup.events.is_first_report(visit.status, setup.cookies.presented(visit.header)):
        setup.events.send(EventKind.REJECTED, visit.status, scope, detail=visit.detail)


def report_sealed(outcome: Outcome, token: Token, view: View, scope: Scope, *, size: int) -> None:
    """Report the session that the response seals, in so many bytes of cookie value."""
    visit, detail = view.visit, ""
    begins_anew = visit.emptied and not visit.to_be_saved
    if begins_anew and visit.token is not None:
        report(EventKind.DESTROYED, view, scope)
    if begins_anew or (visit.token is None and not visit.has_new_id):
        kind = EventKind.CREATED
    elif visit.origin:
        kind, detail = EventKind.MIGRATED, visit.origin.format
    elif outcome is RENEW:
        kind = EventKind.RENEWED
    else:
        kind = EventKind.REGENERATED if visit.asks and visit.has_new_id else EventKind.SAVED
    report(kind, view, scope, session_id=token.id, detail=detail)
    if size > NEAR_LIMIT:
        report(EventKind.NEAR_LIMIT, view, scope, session_id=token.id, detail=f"{size} bytes")
    if visit.setup.writer.https_only and drops_secure_cookies(scope):
        visit.setup.events.warn_once(PLAIN_HTTP_WARNING)


def report_unsaved(view: View, scope: Scope, payload: bytes, *, status_code: int, outdated: bool) -> None:
    """Report a change that was made in time, and that the response does not save."""
    why = f"a response of status {status_code} saves nothing"
    visit = view.visit
    if outdated:
        unbound = visit.status is SessionStatus.UNBOUND
        why = "its device has not proven itself" if unbound else "the browser has been given another session since"
    verbs = {
        "regenerate()": visit.regenerated,
        "end_others()": visit.reissued,
        "remember()": visit.remember is not None,
    }
    names = [*_changed_names(visit, visit.payload, payload), *(name for name, called in verbs.items() if called)]
    report(_LATE_CHANGE, view, scope, detail=f"{_fields(names)} ({why})")


def find_late_changes(view: View, scope: Scope) -> None:
    """When the application has returned: report what it did when the cookie could no longer be sent."""
    visit, model = view.visit, view.model
    if visit.token is None:
        report_rejection(visit, scope)
    if model is None:
        return
    codec = visit.setup.codec
    try:
        payload = codec.dump(model, visit.extras) if visit.extras else codec.to_json(model)
    except (ValueError, RecursionError):
        unwritable = codec.undumpable(model).field
    except SessionNotSerializableError as error:
        unwritable = error.field
    else:
        if payload != visit.committed:
            before, visit.committed = visit.committed, payload
            _report_difference(view, scope, before, payload)
        return
    if visit.committed != _UNWRITABLE:
        visit.committed = _UNWRITABLE
        report(_LATE_CHANGE, view, scope, detail=_fields([unwritable]))


def watch_handlers(view: View, scope: Scope) -> None:
    """Find changes that a handler of Exception makes. It runs outside of the middleware, mostly in the same task."""
    view.visit.failed_at = {name: scope[name] for name in ("client", "method", "path") if name in scope}

    def finish(_: object) -> None:
        if view.visit.opened:
            find_late_changes(view, scope)

    try:
        task = asyncio.current_task()
    except RuntimeError:
        # Another event loop than asyncio's.
        return
    if task is not None:
        task.add_done_callback(finish)


def _report_difference(view: View, scope: Scope, before: bytes | None, payload: bytes) -> None:
    visit = view.visit
    if visit.late:
        # Nothing was committed if the session was first loaded after the response had started.
        names = _changed_names(visit, before or visit.payload, payload)
        if names:
            report(_LATE_CHANGE, view, scope, detail=_fields(names))
        return
    # Where no session had come, there was none to end.
    if visit.token is not None if visit.ends(view.entries) else visit.differs(payload):
        report(_LATE_CHANGE, view, scope, detail="no response was sent")


def _changed_names(visit: Visit, before: bytes | None, payload: bytes) -> list[str]:
    """The fields in which a dump differs from an earlier one, or from a new session's."""
    return visit.setup.codec.changed_names(before or visit.untouched.payload, payload)


def _fields(names: Iterable[str]) -> str:
    return f"fields: {', '.join(names)}"
