"""Random histories of one browser, its copied cookies and a changing site, checked against the rules."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule

from fastsession.testing import Clock
from tests.state_machine.actions import ACTIONS, ALL_ACTIONS
from tests.state_machine.checks import OFFER, SealedCookies, check_seen, is_ours, set_cookies_for
from tests.state_machine.jar import Jar
from tests.state_machine.rules import CLEAR, FRESH, KEEP, LIFETIMES, SKEW, Arrival, Cookie, Rules, Work
from tests.state_machine.site import Site, Visit

START = 1_800_000_000
# Seconds until the next thing happens: none, up to and past renewal, idle and absolute timeout of both
# lifetimes, and a clock that is set back.
STEPS = (0, 0, 0, 0, 0, 1, 0.5, 99, 100, 100, 300, 300, 399, 400, 700, 1_600, 3_000, -7, -20)
LONGEST_IDLE = LIFETIMES[True][0]
EVENTS = (
    *["nothing"] * 4,
    *["a rotation goes on"] * 3,
    "the secret is replaced",
    "the browser is closed",
    "the cookies are copied",
)
OFTEN = ("append to the cart", "sign in", "sign in", "remember")
actions = st.lists(st.sampled_from((*OFTEN, *ACTIONS)), max_size=3)


class Plan(NamedTuple):
    """What happens before a response, what its request does to the session, and how it ends."""

    after: float = 0
    event: str = "nothing"
    does: list[str] = []
    # 0 is an exception that nobody handles.
    status_code: int = 200


PLANS = st.builds(
    Plan, st.sampled_from(STEPS), st.sampled_from(EVENTS), actions, st.sampled_from((200, 200, 200, 404, 500, 0))
)


@dataclass(eq=False)
class Request:
    """A request under way: what it brought, and once that is known, how it was received."""

    visit: Visit
    cookie: Cookie | str
    beside: Any = None
    arrival: Arrival | None = None


@dataclass(eq=False)
class Answer:
    """A response on its way to the browser."""

    set_cookies: list[Any]


class Sessions(RuleBasedStateMachine):
    """One browser and one site. A subclass says where the site keeps its sessions."""

    mode: str
    # Whether pages of another site start the requests.
    elsewhere = False
    requests, answers = Bundle("requests"), Bundle("answers")

    def __init__(self):
        super().__init__()
        self.clock = Clock(START)
        self.site, self.rules, self.jar = *self.made(), Jar()
        self.sealed = SealedCookies(self.site.secrets)
        self.under_way: list[Request] = []
        self.copies: list[Any] = []
        self.newest_key, self.latest = 1, self.clock.now
        self.deploy("key 1")

    def made(self):
        """The site, and what it has to do."""
        return Site(self.mode, self.clock), Rules(self.mode)

    def teardown(self):
        self.site.close()

    @initialize(does=actions)
    def visit_first(self, does):
        self.visit(Plan(does=does), looks=True)

    @rule(plan=PLANS, looks=st.booleans())
    def visit(self, plan, looks):
        self.happens(plan.event, plan.after)
        outcome, set_cookies = self.finished(self.begun(self.jar.pairs(self.clock()), looks), plan)
        self.jar.keep(set_cookies, self.clock())
        if outcome != KEEP:
            held = sorted(name for name, _ in self.jar.pairs(self.clock()) if is_ours(name))
            ours = sorted(cookie.name for cookie in set_cookies if cookie.value and is_ours(cookie.name))
            expected = [] if outcome == CLEAR else ours
            assert held == expected, f"the browser holds {held} in place of {expected}"

    @rule(plans=st.lists(PLANS, min_size=2, max_size=3), order=st.permutations(range(3)))
    def visit_in_parallel(self, plans, order):
        """Several requests with one cookie, whose responses come in another order."""
        requests = [self.begun(self.jar.pairs(self.clock()), looks=True) for _ in plans]
        answers = []
        for request, plan in zip(requests, plans, strict=True):
            self.happens("nothing", plan.after)
            answers.append(self.finished(request, plan)[1])
        for number in order:
            if number < len(answers):
                self.jar.keep(answers[number], self.clock())

    @rule(target=requests, looks=st.booleans())
    def begin(self, looks):
        return self.begun(self.jar.pairs(self.clock()), looks)

    @rule(target=answers, request=consumes(requests), plan=PLANS, at_once=st.booleans())
    def finish(self, request, plan, at_once):
        self.happens(plan.event, plan.after)
        answer = Answer(self.finished(request, plan)[1])
        if not at_once:
            return answer
        self.deliver(answer)
        return multiple()

    @rule(answer=consumes(answers))
    def deliver(self, answer):
        self.jar.keep(answer.set_cookies, self.clock())

    @rule(after=st.sampled_from(STEPS), number=st.integers(0, 9), does=actions)
    def present_a_copy(self, after, number, does):
        self.happens("nothing", after)
        if self.copies:
            self.finished(self.begun(self.copies[number % len(self.copies)], looks=True), Plan(does=does))

    def happens(self, event, after):
        # Denials are kept for clocks that are set back by as much as those of servers may differ.
        if self.mode != "revocations" or self.latest - self.clock.now - after <= SKEW:
            self.clock.advance(after)
        self.latest = max(self.latest, self.clock.now)
        if event == "the browser is closed":
            self.jar.close()
        elif event == "the cookies are copied":
            self.copies.append(self.jar.pairs(self.clock()))
        elif event == "a rotation goes on":
            self.rotate()
        elif event == "the secret is replaced":
            self.deploy(self.new_key())

    def rotate(self):
        """Accept, seal, retire. A step waits until no server of the one before is still answering."""
        sealing, *others = self.server.keys
        if not others:
            self.deploy(sealing, self.new_key())
        elif any(request.visit.server is not self.server for request in self.under_way):
            return
        elif others == [f"key {self.newest_key}"]:
            self.deploy(*others, sealing)
        elif self.mode != "revocations" or self.latest >= self.last_of_old_key + LONGEST_IDLE:
            # Where denials are named by keys, as late as docs/keys.md says; elsewhere it only costs sessions.
            self.deploy(sealing)

    def new_key(self):
        self.newest_key += 1
        return f"key {self.newest_key}"

    def deploy(self, *keys):
        self.server, self.last_of_old_key = self.site.deploy(keys), self.latest

    def begun(self, pairs, looks):
        visit = Visit(self.server, pairs, looks=looks, elsewhere=self.elsewhere)
        request = Request(visit, self.sealed.behind(pairs), self.beside(pairs))
        self.under_way.append(request)
        if looks or self.mode == "store":
            request.arrival = self.received(request)
        self.site.begin(request.visit)
        if looks:
            check_seen(request.visit.seen, request.arrival)
        return request

    def received(self, request):
        return self.rules.receive(request.cookie, request.visit.server.keys, self.clock(), request.beside)

    def beside(self, pairs):
        """What the cookies hold that come beside the session's own."""
        return

    def check_beside(self, visit, arrival, outcome, cookie, set_cookies):
        """What the response does to those."""
        assert not any(name == OFFER for name, _ in visit.headers)
        assert all(is_ours(each.name) for each in set_cookies)

    def finished(self, request, plan):
        """Let a request answer, and check all that must hold of its response."""
        visit, work = request.visit, None
        self.under_way.remove(request)
        if visit.server is not self.server:
            self.last_of_old_key = self.latest
        # Where nobody looked, a cookie is opened when the response starts.
        arrival = request.arrival or self.received(request)
        if visit.looks:
            work = Work(deepcopy(FRESH if arrival.data is None else arrival.data))
            for name in plan.does:
                ALL_ACTIONS[name].to_work(work)
        self.site.finish(visit, plan.does if visit.looks else [], plan.status_code)
        if plan.status_code == 0:
            return KEEP, []
        brought = tuple(sorted(pair for pair in visit.pairs if is_ours(pair[0])))
        outcome, cookie = self.rules.answer(arrival, work, plan.status_code, visit.server.keys, self.clock(), brought)
        set_cookies = set_cookies_for(visit, outcome)
        if cookie is not None:
            self.sealed.add(cookie, set_cookies, self.clock())
        self.check_beside(visit, arrival, outcome, cookie, set_cookies)
        return outcome, set_cookies


MODES = ("cookies", "revocations", "store")
MACHINES = {mode: type(f"SessionsBy{mode.title()}", (Sessions,), {"mode": mode}) for mode in MODES}
