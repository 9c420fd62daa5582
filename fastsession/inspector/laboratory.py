"""Presents cookies to the application's own session code, and tells what became of them. Nothing leaves it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastsession.cookies import CookieWriter
from fastsession.events import EventLog, SessionEvent
from fastsession.keyring import KeyRing, generate_key
from fastsession.lifecycle import Lifecycle, Step
from fastsession.mapping import SessionDict
from fastsession.sealing.contract import SessionCookies
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.status import SessionStatus
from fastsession.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Message, Scope, Send

    from fastsession.cookies import Header
    from fastsession.inspector.evidence import Evidence
    from fastsession.options import Setup
    from fastsession.reports import View

_STATUS_OK = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """Cookies, name and value, to be presented at the time `now` to whoever `reads` them."""

    cookies: tuple[tuple[str, str], ...]
    reads: SessionCookies
    now: float
    done: str
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an attempt: how it was received, what was told of it, what the response would have done.

    `proven` is whether it brought a live proof of its device, None without `device_binding=`.
    """

    done: str
    status: SessionStatus
    detail: str
    events: tuple[SessionEvent, ...]
    response: str
    payload: bytes | None
    proven: bool | None = None


class RotatedCookies(OwnCookies):
    """The application's cookies as they are read once a new secret seals, with the old ones or without them."""

    def __init__(self, today: OwnCookies, *, keeps_old: bool) -> None:
        keys = KeyRing([generate_key().encode()])
        sealer = copy(today.sealer)
        if keeps_old:
            keys.by_id |= sealer.keys.by_id
        sealer.keys = keys
        super().__init__(sealer, today.chunks, today.timeouts)


class _Rehearsal(ServerLifecycle):
    """The server's path up to the response, where nothing is carried out."""

    async def carry_out(self, step: Step, view: View, scope: Scope, message: Message, send: Send) -> None:
        """Say in the response's headers what the step does, and nothing more."""
        self.answer(step, view, scope, message)
        await send(message)


async def try_out(evidence: Evidence, attempt: Attempt, scope: Scope) -> Finding:
    """Send an attempt through the real lifecycle, from the cookie to the response's headers.

    Nothing of it is sent, and nothing written to a store; its events go to the logger, as always. Raises
    `StoreUnavailableError`.
    """
    events: list[SessionEvent] = []
    lifecycle = _beside(evidence.setup, attempt, events)
    header = "; ".join(f"{name}={value}" for name, value in attempt.cookies)
    visit, probe = Visit(lifecycle.setup, header.encode("latin-1"), evidence.visit.binding), SessionDict()
    probe.lifecycle, probe.visit, probe.model, probe.entries = lifecycle, visit, None, None
    if isinstance(lifecycle, ServerLifecycle):
        await lifecycle.fetch(visit)
    probe.session()
    if not attempt.renews:
        visit.renew_as(wanted=False)
    answer: Message = {"status": _STATUS_OK, "headers": ()}
    await lifecycle.commit(probe, scope, answer, _discard)
    proven = None if lifecycle.devices is None else visit.info().bound_until is not None
    told = _told(answer["headers"])
    return Finding(attempt.done, visit.status, visit.detail, tuple(events), told, visit.payload, proven)


def _beside(setup: Setup, attempt: Attempt, events: list[SessionEvent]) -> Lifecycle:
    """The application's lifecycle with other cookies and another clock, heard by nobody else's listeners."""
    # A key for its log alone: the handles of rejected sessions are not told.
    key = KeyRing([generate_key().encode()]).primary

    def clock() -> float:
        return attempt.now

    log = EventLog(events.append, key, setup.model, clock)
    tried = replace(setup, cookies=attempt.reads, writer=CookieWriter(), migrations=None, events=log, clock=clock)
    return _Rehearsal(tried) if setup.needs_io else Lifecycle(tried)


async def _discard(_: Message) -> None:
    """Send nothing."""


def _told(headers: Iterable[Header]) -> str:
    """What a response with these headers does to the cookie."""
    sets = any(name == b"set-cookie" for name, _ in headers)
    return "would seal the cookie anew" if sets else "would leave the cookie as it is"
