"""Presents cookies to the application's own session code, and tells what became of them. Nothing leaves it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastsession.cookies import CookieWriter
from fastsession.events import EventLog, SessionEvent
from fastsession.lifecycle import Lifecycle
from fastsession.mapping import SessionDict
from fastsession.reporting import Reporter
from fastsession.sealing.keyring import KeyRing, generate_key
from fastsession.sealing.own_cookies import SessionCookies, TokenCookies
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.cookies import Header
    from fastsession.inspector.evidence import Evidence

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
    """What became of an attempt: how it was received, what was told of it, what the response would have done."""

    done: str
    status: SessionStatus
    detail: str
    events: tuple[SessionEvent, ...]
    response: str
    payload: bytes | None


class RotatedCookies(TokenCookies):
    """The application's cookies as they are read once a new secret seals, with the old ones or without them."""

    def __init__(self, today: TokenCookies, *, keeps_old: bool) -> None:
        keys = KeyRing([generate_key().encode()])
        sealer = copy(today.sealer)
        if keeps_old:
            keys.by_id |= sealer.keys.by_id
        sealer.keys = keys
        super().__init__(sealer, today.chunks, today.timeouts)


async def try_out(evidence: Evidence, attempt: Attempt, scope: Scope) -> Finding:
    """Send an attempt through the real lifecycle, from the cookie to the response's headers.

    Nothing of it is sent, and nothing written to a store; its events go to the logger, as always. Raises
    `StoreUnavailableError`.
    """
    events: list[SessionEvent] = []
    lifecycle = _beside(evidence.session.lifecycle, attempt, events)
    header = "; ".join(f"{name}={value}" for name, value in attempt.cookies)
    probe = SessionDict(lifecycle, header.encode("latin-1"), evidence.session.binding)
    await lifecycle.preload(probe)
    probe.session()
    request = probe.open()
    request.renewal = None if attempt.renews else False
    headers = lifecycle.commit(probe, scope, (), _STATUS_OK)
    return Finding(attempt.done, request.status, request.detail, tuple(events), _told(list(headers)), request.payload)


def _beside(lifecycle: Lifecycle, attempt: Attempt, events: list[SessionEvent]) -> Lifecycle:
    """The application's lifecycle with other cookies and another clock, heard by nobody else's listeners."""
    # A key for its log alone: the handles of rejected sessions are not told.
    key = KeyRing([generate_key().encode()]).primary

    def clock() -> float:
        return attempt.now

    return Lifecycle(
        cookies=attempt.reads,
        writer=CookieWriter(),
        migrations=None,
        server_side=lifecycle.server_side,
        codec=lifecycle.codec,
        timeouts=lifecycle.timeouts,
        reporter=Reporter(EventLog(events.append), key, lifecycle.codec.model, clock),
        clock=clock,
        settings={},
    )


def _told(headers: list[Header]) -> str:
    """What a response with these headers does to the cookie."""
    sets = any(name == b"set-cookie" for name, _ in headers)
    return "would seal the cookie anew" if sets else "would leave the cookie as it is"
