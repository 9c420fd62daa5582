"""The one path of a session: open, load, commit; server_side/lifecycle.py adds its I/O. The only place with a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fastsession.decision import CLEAR, RENEW, SAVE, SERVER_ERROR, Outcome, decide
from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.events import EventKind
from fastsession.payload.codec import WORTH_TELLING_APART
from fastsession.reports import report, report_rejection, report_sealed, report_unsaved
from fastsession.response_headers import for_caches
from fastsession.session import attach
from fastsession.status import ABSENT, UNBOUND, VALID

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import Message, Scope, Send

    from fastsession.cookies import Header
    from fastsession.options import Setup
    from fastsession.reports import View
    from fastsession.sealing.token import Token
    from fastsession.session import Session
    from fastsession.visit import Visit

SWITCHING_PROTOCOLS = 101  # What accepting a WebSocket answers, which has no status.


class Step(NamedTuple):
    """What the response does to the cookie, and the token that it seals, if any."""

    outcome: Outcome
    token: Token | None = None


class Lifecycle:
    """The path of the sessions of one middleware. Holds configuration, nothing of a request."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.codec, self.cookies = setup, setup.codec, setup.cookies
        self.clock, self.devices = setup.clock, setup.devices

    def open(self, visit: Visit) -> None:
        """Open the cookie: the one place where a rejection of it is caught."""
        visit.opened = True
        visit.now = now = self.clock()
        try:
            arrival = self.cookies.open(visit.header, visit.binding, now)
            if arrival is not None:
                visit.token, visit.window, visit.origin = arrival
                visit.payload, visit.status = arrival.token.payload, VALID
                if self.devices is not None:
                    self.devices.admit(visit)
        except Rejected as rejected:
            visit.reject(rejected)

    def load(self, visit: Visit) -> Session:
        """The model of what came; whatever was wrong with it, the session is a new one."""
        if not visit.opened:
            self.open(visit)
        if visit.payload is not None:
            try:
                model, visit.extras = self.codec.load(visit.payload)
            except Rejected as rejected:
                visit.reject(rejected)
            else:
                attach(model, visit)
                return model
        return self.new_model(visit)

    def new_model(self, visit: Visit) -> Session:
        """The model of a new session. Its defaults are noted now: what a factory looks at may change."""
        model, visit.extras = self.codec.fresh(), {}
        visit.untouched = self.codec.untouched()
        visit.defaults = self.setup.declared.defaults_of(model)
        attach(model, visit)
        return model

    def commit(self, view: View, scope: Scope, message: Message, send: Send) -> Awaitable[None]:
        """Send the message that starts the response; raises what keeps a session from being sealed."""
        visit, model, codec = view.visit, view.model, self.codec
        if not visit.opened:
            self.open(visit)
        payload = visit.payload if model is None else codec.dump(model, visit.extras)
        visit.committed, window = payload, visit.window
        unasked = window is None and not visit.asks and self.devices is None
        if unasked and model is not None and payload == visit.untouched.payload:
            # A new session as it was made: nothing to decide.
            report_rejection(visit, scope)
        elif payload != visit.payload or visit.asks or window is None or visit.now >= window.renews:
            step = self._decided(view, scope, message)
            if self.devices is not None and step.token is not None:
                step = Step(step.outcome, self.devices.paired(step.token, visit, scope))
            return self.carry_out(step, view, scope, message, send)
        visit.late = True
        if model is not None:
            private = visit.payload is not None and payload != codec.empty
            message["headers"] = for_caches(message.get("headers", ()), cookies=(), private=private)
        return send(message)

    def carry_out(self, step: Step, view: View, scope: Scope, message: Message, send: Send) -> Awaitable[None]:
        """Do what the step needs before the response says so, and send it: here there is nothing to await."""
        self.answer(step, view, scope, message)
        return send(message)

    def answer(self, step: Step, view: View, scope: Scope, message: Message) -> None:
        """Put the step into the response's headers."""
        visit = view.visit
        cookies: list[Header] = []
        if step.token is not None:
            cookies = self._sealed(step.outcome, step.token, view, scope)
        elif step.outcome is CLEAR:
            deleted = self.setup.writer.delete(self.cookies.brought(visit.header))
            cookies = [*deleted, *self.cookies.other_deletions(visit.header, visit.now)]
            if visit.token is not None:
                visit.ended = True
                report(EventKind.DESTROYED, view, scope)
        if self.devices is not None:
            cookies += self.devices.headers(visit, scope, self.clock(), cleared=step.outcome is CLEAR)
        visit.late = True
        if cookies or view.model is not None:
            private = visit.payload is not None and visit.payload != self.codec.empty
            message["headers"] = for_caches(message.get("headers", ()), cookies=cookies, private=private)

    def _decided(self, view: View, scope: Scope, message: Message) -> Step:
        """What the response does with a session that may have changed, may be due, or was rejected."""
        visit, codec, payload = view.visit, self.codec, view.visit.committed or b""
        status_code = message.get("status", SWITCHING_PROTOCOLS)
        if visit.token is None:
            report_rejection(visit, scope)
        edit = codec.edit(payload, visit.payload) if len(payload) >= WORTH_TELLING_APART else None
        changed = visit.to_be_saved or (view.model is not None and visit.differs(payload, edit))
        # What was ended stays so if its successor cannot be saved.
        destroyed = visit.asks and (visit.ends(view.entries) or (visit.emptied and status_code >= SERVER_ERROR))
        # A login in a request from before another one is a decision of now, and saved.
        outdated = visit.outdated and not visit.has_new_id
        if outdated and visit.status is UNBOUND and self.devices is not None:
            outdated = self.devices.may_come_back(visit, scope)
        due = not changed and visit.is_due()
        # Keys that were written and removed again end no session, and delete no cookie, if none had come.
        status = ABSENT if destroyed and visit.token is None and not visit.was_told_to_end else visit.status
        outcome = decide(
            status, destroyed=destroyed, changed=changed, outdated=outdated, due=due, status_code=status_code
        )
        if outcome is SAVE:
            model = self.load(visit) if view.model is None else view.model
            codec.verify(model, visit.extras, payload, edit)
            return Step(outcome, visit.next_token(payload, int(self.clock())))
        if outcome is RENEW and visit.token is not None:
            # As it came, and not as it dumps: only what changed is shown to load again.
            came = visit.token._replace(payload=visit.payload or b"", binding=visit.binding)
            return Step(outcome, came._replace(renewed_at=int(self.clock())))
        if changed and not destroyed:
            if visit.reissued and visit.token is not None:
                # Its subject's other sessions are ended already, and that would end this one as well.
                return Step(SAVE, visit.next_token(visit.payload or b"", int(self.clock())))
            report_unsaved(view, scope, payload, status_code=status_code, outdated=outdated)
        return Step(outcome)

    def _sealed(self, outcome: Outcome, token: Token, view: View, scope: Scope) -> list[Header]:
        """The Set-Cookie headers that carry a token, and its events."""
        visit, now, writer = view.visit, self.clock(), self.setup.writer
        try:
            values = self.cookies.seal(self.in_cookie(token), now=now)
        except SessionTooLargeError:
            # Another system's session may be larger than ours can be: unchanged, it stays as it is.
            if outcome is not RENEW:
                raise
            return []
        visit.sealed = token
        report_sealed(outcome, token, view, scope, size=sum(map(len, values.values())))
        max_age = self.setup.timeouts.max_age(token.created_at, token.renewed_at, token.remembered, now)
        cookies, stale = writer.set(values, max_age=max_age), self.cookies.stale(visit.header, values)
        if stale or visit.origin:
            cookies += [*writer.delete(stale), *(visit.origin.deletions if visit.origin else ())]
        return cookies

    def in_cookie(self, token: Token) -> Token:
        """What of a token its cookie carries."""
        return token
