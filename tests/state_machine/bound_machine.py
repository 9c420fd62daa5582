"""Histories of sessions that are bound to devices: as `machine.py`, with a browser that registers and refreshes."""

import re
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule

from fastsession import DeviceBinding
from tests.device_binding.device_key import DeviceKey
from tests.reference.token_reader import challenge as read_challenge
from tests.reference.token_reader import opened
from tests.state_machine.actions import LOGINS
from tests.state_machine.bound_rules import DEVICE_AGE, PROOF, Beside, BoundCookie, BoundRules, Challenge, DeviceCookie
from tests.state_machine.checks import OFFER, is_ours, same
from tests.state_machine.jar import parsed
from tests.state_machine.machine import PLANS, STEPS, Answer, Plan, Sessions
from tests.state_machine.rules import CLEAR
from tests.state_machine.site import NAME, Site

PREFIX, _, REST = NAME.partition("-")
DEVICE, BOUND = f"{PREFIX}-device-{REST}", f"{PREFIX}-bound-{REST}"
REGISTER, REFRESH = "/session/device/register", "/session/device/refresh"
SHORT_STEPS = (0, 0, 0, 0, 0, 1, 100, 179, 180, 299, 301)
# Seconds after which a bound session is still there: before and after the end of a proof, and of an offer.
GENTLE_STEPS = (0, 1, 100, 150, 179, 180, 181, 331, 331)
GENTLE_PLANS = st.builds(
    Plan,
    st.sampled_from(GENTLE_STEPS),
    st.sampled_from((*["nothing"] * 6, "a rotation goes on", "the cookies are copied")),
    st.sampled_from(
        (
            [],
            [],
            ["append to the cart"],
            ["append to the cart"],
            ["sign in"],
            ["sign in as another"],
            ["sign in as nobody"],
        )
    ),
    st.just(200),
)
# Mostly the browser's own cookies.
COPIES = st.sampled_from((None, None, None, 0, 1, 2))


class BoundSessions(Sessions):
    """One browser that has the feature, its copied cookies, and one site."""

    without_proof: str
    answers = Bundle("answers")

    def made(self):
        binding = DeviceBinding(PROOF, without_proof=self.without_proof)
        # What each device cookie and bound cookie says, by its value.
        self.known = {}
        self.offers, self.keys, self.challenges = [], [], {}
        return (
            Site(self.mode, self.clock, device_binding=binding),
            BoundRules(self.mode, without_proof=self.without_proof),
        )

    # What the browser does, beside the visits of every other machine.

    @rule(
        after=st.sampled_from(STEPS),
        login=st.sampled_from(sorted(LOGINS)),
        # Which offers it takes, with a key each: the newest, that one twice, one from before it.
        registers=st.sampled_from(((0,), (0,), (0, 0), (1, 0), ())),
        copied=st.booleans(),
        rotated=st.sampled_from((False, False, True)),
        plans=st.lists(st.tuples(GENTLE_PLANS, st.booleans()), max_size=4),
    )
    def log_in(self, after, login, registers, copied, rotated, plans):
        """Sign in, and go on for a while as people do: the browser refreshes before a visit, or could not."""
        if copied:
            self.copies.append(self.jar.pairs(self.clock()))
        self.visit(Plan(after=after, does=[login]), looks=True)
        early = self.jar.pairs(self.clock())
        for older in registers:
            self.register(after=0, older=older, same_key=False, at_once=True, copy=None)
        if copied:
            # Somebody who has the cookies from between the login and the registration.
            self.finished(self.begun(early, looks=True), Plan())
            # Somebody with a session of their own and this user's device, or the other way round.
            self.present_a_mixture(after=0, copies=(-1, -2, -2), plan=Plan())
            self.present_a_mixture(after=0, copies=(-2, -1, -1), plan=Plan())
        if rotated:
            # The new secret is accepted, and then seals.
            self.rotate()
            self.rotate()
        for plan, refreshes in plans:
            self.happens("nothing", plan.after)
            if refreshes:
                self.refresh(after=0, meanwhile=0, older=0, at_once=True, copy=None)
            self.visit(plan._replace(after=0), looks=True)

    @rule(
        target=answers,
        after=st.sampled_from(SHORT_STEPS),
        older=st.sampled_from((0, 0, 0, 1, 2)),
        same_key=st.booleans(),
        at_once=st.booleans(),
        copy=COPIES,
    )
    def register(self, after, older, same_key, at_once, copy):
        """Accept an offer, mostly the newest, with a new key or again with the last one."""
        self.happens("nothing", after)
        if older >= len(self.offers):
            return multiple()
        offer = self.offers[-1 - older]
        key = self.keys[-1] if same_key and self.keys else DeviceKey()
        pairs = self.held(copy)
        arrival = self.received_by_endpoint(pairs)
        expected = self.rules.registers(arrival, key, offer, self.server.keys, self.clock())
        messages = self.post(REGISTER, pairs, [(b"secure-session-response", key.registration(offer.text).encode())])
        cookies = self.checked(messages, expected)
        if expected != 200:
            same("Set-Cookie", cookies, [])
            return multiple()
        if key not in self.keys:
            self.keys.append(key)
        same("what is set", {cookie.name for cookie in cookies}, {DEVICE, BOUND})
        self.keep_device(cookies, arrival.cookie.pair, key)
        self.keep_proof(cookies, arrival.cookie.pair)
        return self.delivered(cookies, at_once=at_once)

    @rule(
        target=answers,
        after=st.sampled_from(SHORT_STEPS),
        meanwhile=st.sampled_from((0, 0, 0, 0, 299, 470, 490, -20)),
        older=st.sampled_from((0, 0, 0, 1)),
        at_once=st.sampled_from((True, True, True, False)),
        copy=COPIES,
    )
    def refresh(self, after, meanwhile, older, at_once, copy):
        """Ask for a challenge, and prove the newest key with it, or an older one."""
        self.happens("nothing", after)
        if older >= len(self.keys):
            return multiple()
        key = self.keys[-1 - older]
        named = (b"sec-secure-session-id", key.identifier.encode())
        challenge = self.asked_for(key, named, self.held(copy))
        if challenge is None:
            return multiple()
        self.happens("nothing", meanwhile)
        pairs = self.held(copy)
        arrival = self.received_by_endpoint(pairs)
        expected = self.rules.refreshes(arrival, key, challenge, self.server.keys, self.clock())
        proof = (b"secure-session-response", key.refresh(challenge.text).encode())
        cookies = self.checked(self.post(REFRESH, pairs, [named, proof]), expected)
        if expected != 200:
            same("Set-Cookie", cookies, [])
            return multiple()
        pair, device = arrival.cookie.pair, arrival.beside.device
        is_stale = device.secret != self.server.keys[0]
        same("what is set", {cookie.name for cookie in cookies}, {BOUND, DEVICE} if is_stale else {BOUND})
        self.keep_proof(cookies, pair)
        if is_stale:
            self.keep_device(cookies, pair, key, since=device.since)
        return self.delivered(cookies, at_once=at_once)

    @rule(
        after=st.sampled_from(SHORT_STEPS),
        copies=st.tuples(*[st.sampled_from((-1, -1, -2, -3, -4, 0, 1))] * 3),
        plan=PLANS,
    )
    def present_a_mixture(self, after, copies, plan):
        """The session, the device cookie and the bound cookie of different copies: from elsewhere, or planted."""
        self.happens("nothing", after)
        jars = [[], *self.copies, self.jar.pairs(self.clock())]
        chosen = [jars[number % len(jars)] for number in copies]
        wanted = (is_ours, DEVICE.__eq__, BOUND.__eq__)
        pairs = [pair for jar, fits in zip(chosen, wanted, strict=True) for pair in jar if fits(pair[0])]
        self.finished(self.begun(pairs, looks=True), plan)

    @rule(after=st.sampled_from(GENTLE_STEPS), plan=GENTLE_PLANS)
    def follow_a_link(self, after, plan):
        """Come from a page of another site: no browser refreshes for that."""
        self.happens("nothing", after)
        self.elsewhere = True
        self.visit(plan, looks=True)
        self.elsewhere = False

    # What the requests of every machine mean for the two cookies beside the session's own.

    def beside(self, pairs):
        values = dict(pairs)
        device, bound = self.known.get(values.get(DEVICE)), self.known.get(values.get(BOUND))
        return Beside(self.server.keys, device, bound, sent_late=BOUND in values or self.elsewhere)

    def check_beside(self, visit, arrival, outcome, cookie, set_cookies):
        came = arrival.cookie.pair if arrival.cookie else None
        pair = cookie.pair if cookie else None
        others = [each for each in set_cookies if not is_ours(each.name)]
        brought = any(name in (DEVICE, BOUND) for name, _ in visit.pairs)
        both = {DEVICE, BOUND} if brought else set()
        is_offered = cookie is not None and pair not in (None, came)
        # A login that keeps its pair: the device cookie has to last as long as the session that goes on.
        goes_on = cookie is not None and pair == came is not None and cookie.id != arrival.cookie.id
        expected_set = {DEVICE} if is_offered or goes_on else set()
        expected_deleted = both - expected_set if outcome == CLEAR or (cookie is not None and pair != came) else set()
        same("what is set beside", {each.name for each in others if each.value}, expected_set)
        same("what is deleted beside", {each.name for each in others if not each.value}, expected_deleted)
        offers = [value.decode() for name, value in visit.headers if name == OFFER]
        same("offers", len(offers), int(is_offered))
        secret = visit.server.keys[0]
        if goes_on:
            device = arrival.beside.device
            self.keep_device(set_cookies, pair, device.key, since=device.since, secret=secret)
        if is_offered:
            self.keep_device(set_cookies, pair, None, secret=secret)
            path, text = re.fullmatch(r'\(ES256\);path="([^"]+)";challenge="([^"]+)"', offers[0]).groups()
            assert path == REGISTER
            self.offers.append(self.challenge(text, pair, "register", secret))

    # The browser's own requests.

    def received_by_endpoint(self, pairs):
        beside = replace(self.beside(pairs), brings_proof=True)
        return self.rules.receive(self.sealed.behind(pairs), self.server.keys, self.clock(), beside)

    def post(self, path, pairs, headers):
        header = "; ".join(f"{name}={value}" for name, value in pairs).encode()
        return self.site.post(self.server, path, [*([(b"cookie", header)] if header else []), *headers])

    def held(self, copy):
        """The cookies of the browser, or of an earlier moment."""
        return self.jar.pairs(self.clock()) if copy is None or not self.copies else self.copies[copy % len(self.copies)]

    def asked_for(self, key, named, pairs):
        """A new challenge for a refresh, None where the rules give none."""
        arrival = self.received_by_endpoint(pairs)
        expected = self.rules.refreshes(arrival, key, None, self.server.keys, self.clock())
        messages = self.post(REFRESH, pairs, [named])
        same("Set-Cookie", self.checked(messages, expected), [])
        if expected != 403:
            return None
        [value] = [value.decode() for name, value in messages[0]["headers"] if name == b"secure-session-challenge"]
        text, identifier = re.fullmatch(r'"([^"]+)";id="([^"]+)"', value).groups()
        same("identifier", identifier, key.identifier)
        return self.challenge(text, arrival.cookie.pair, "refresh", self.server.keys[0])

    def checked(self, messages, expected):
        """The cookies in an endpoint's answer, which has to have the expected status and never the session's own."""
        same("status", messages[0]["status"], expected)
        headers = messages[0]["headers"]
        challenges = [name for name, _ in headers if name == b"secure-session-challenge"]
        same("challenges", len(challenges) > 0, expected == 403 or (expected == 200 and not messages[1]["body"]))
        cookies = [parsed(value.decode()) for name, value in headers if name == b"set-cookie"]
        same("what is set of the session", [cookie.name for cookie in cookies if is_ours(cookie.name)], [])
        return cookies

    def delivered(self, cookies, *, at_once):
        if not at_once:
            return Answer(cookies)
        self.jar.keep(cookies, self.clock())
        return multiple()

    def challenge(self, text, pair, purpose, secret):
        now = int(self.clock())
        found = read_challenge(text, NAME, purpose, secrets=[self.site.secrets[secret]])
        same("challenge", (found[0].hex(), found[1]), (self.sealed.pairs[pair], now))
        return Challenge(secret, pair, purpose, now, text)

    def keep_device(self, cookies, pair, key, since=None, secret=None):
        secret = secret or self.server.keys[0]
        since = int(self.clock()) if since is None else since
        self.keep(cookies, DEVICE, key.compressed if key else b"", since, pair, DEVICE_AGE, secret)
        [value] = [cookie.value for cookie in cookies if cookie.name == DEVICE]
        self.known[value] = DeviceCookie(secret, pair, since, key)

    def keep_proof(self, cookies, pair):
        secret, now = self.server.keys[0], int(self.clock())
        self.keep(cookies, BOUND, b"", now, pair, PROOF, secret)
        [value] = [cookie.value for cookie in cookies if cookie.name == BOUND]
        self.known[value] = BoundCookie(secret, pair, now)

    def keep(self, cookies, name, payload, at, pair, age, secret):
        """Take one of the two cookies apart by the documented format, and compare it with what it has to hold."""
        [cookie] = [cookie for cookie in cookies if cookie.name == name]
        found = opened_beside(cookie.value, secret, self.site.secrets[secret], name)
        same("cookie", (found["id"].hex(), found["renewed_at"]), (self.sealed.pairs[pair], at))
        same("key", found["payload"], payload)
        same("Max-Age", cookie.max_age, age)


def opened_beside(value, key, secret, name):
    try:
        return opened(value, secrets=[secret], name=name)
    except ValueError as error:
        message = f"{key} did not seal it: {error}"
        raise AssertionError(message) from error


BOUND_MACHINES = {
    f"bound {mode} {without_proof}": type(
        f"SessionsBy{mode.title()}Bound", (BoundSessions,), {"mode": mode, "without_proof": without_proof}
    )
    for mode, without_proof in (
        ("cookies", "reject"),
        ("cookies", "allow"),
        ("revocations", "reject"),
        ("store", "reject"),
    )
}
