"""What a session that is bound to a device should be: the tables of docs/device-binding.md over plain data."""

from dataclasses import dataclass, field
from typing import Any

from tests.state_machine.rules import LIFETIMES, SKEW, Arrival, Rules

# Seconds for which a proof counts, and a challenge for registration holds; one for a refresh holds for both together.
PROOF, CHALLENGE = 180, 300
# The device cookie has to outlive every session.
DEVICE_AGE = max(absolute for _, absolute in LIFETIMES.values())


@dataclass(frozen=True)
class DeviceCookie:
    """What a sealed device cookie says; without a key the browser has yet to register one."""

    secret: str
    pair: int
    since: int
    key: Any = None


@dataclass(frozen=True)
class BoundCookie:
    """What a sealed bound cookie says."""

    secret: str
    pair: int
    proven_at: int


@dataclass(frozen=True)
class Challenge:
    """A challenge and what it is for: the pair, the purpose, the second at which it was made."""

    secret: str
    pair: int
    purpose: str
    issued: int
    text: str

    def holds(self, purpose, pair, keys, now):
        hold = {"register": CHALLENGE, "refresh": PROOF + CHALLENGE}[purpose]
        meant = (self.purpose, self.pair) == (purpose, pair) and self.secret in keys
        return meant and -SKEW <= now - self.issued <= hold


@dataclass(frozen=True)
class Beside:
    """The two cookies that come with a session's own, to a server that has these keys.

    A request to the endpoints need not be proven yet.
    """

    keys: tuple[str, ...]
    device: DeviceCookie | None = None
    bound: BoundCookie | None = None
    brings_proof: bool = False
    # Whether a bound cookie came, whatever it says, or the request comes from another site: the browser may have the key.
    sent_late: bool = False

    def registers(self, now):
        """Whether the browser may be registering its key this moment."""
        return self.device is not None and self.device.key is None and now <= self.device.since + CHALLENGE + SKEW

    def lacks_proof(self, now):
        """Whether the device is registered, and not proven."""
        return self.device is not None and self.device.key is not None and not self.is_proven(now)

    def is_proven(self, now):
        device, bound = self.device, self.bound
        if device is None or device.key is None or bound is None:
            return False
        is_his = bound.pair == device.pair and bound.secret in self.keys
        return is_his and bound.proven_at - SKEW <= now < bound.proven_at + PROOF


@dataclass
class BoundRules(Rules):
    """The rules of sessions that are bound to devices. `without_proof` is the option."""

    without_proof: str = "reject"
    # Pairs that were claimed, and until when that is known.
    claimed: dict[int, int] = field(default_factory=dict)
    pairs: int = 0

    def without_device(self, cookie, keys, now, beside):
        if cookie.pair is None:
            return None
        device = beside.device
        if device is not None and device.secret not in keys:
            return Arrival("unknown_key", now)
        # Outdated: its browser may come back with the key, so no new session may replace this one.
        if device is None or device.pair != cookie.pair:
            return Arrival("unbound", now, outdated=beside.sent_late)
        must_prove = self.without_proof == "reject" and not beside.brings_proof
        if must_prove and beside.lacks_proof(now):
            return Arrival("unbound", now, outdated=beside.sent_late)
        return None

    def is_unclaimed(self, cookie, now, beside):
        if self.mode != "revocations" or cookie.pair is None or beside.device.key is not None:
            return False
        return self.claimed.get(cookie.pair, 0) > now

    def may_renew(self, cookie, now, beside):
        return cookie.pair is None or not beside.lacks_proof(now)

    def kept_pair(self, arrival):
        pair, device = arrival.cookie.pair, arrival.beside.device
        if pair is not None and device.key is None and arrival.at > device.since + CHALLENGE + SKEW:
            return None
        return pair

    def login_pair(self, arrival, work):
        came = arrival.cookie
        if came is not None and came.pair is not None and arrival.beside.is_proven(arrival.at):
            before, after = arrival.data["user_id"], work.data["user_id"]
            if before is not None and before == after:
                return came.pair
        self.pairs += 1
        return self.pairs

    def registers(self, arrival, key, challenge, keys, now):
        """What the endpoint answers to a key."""
        if arrival.status == "unknown_key":
            return 503
        if arrival.cookie is None or arrival.cookie.pair is None or arrival.beside.device.key not in (None, key):
            return 400
        if not challenge.holds("register", arrival.cookie.pair, keys, now):
            return 400
        if self.mode == "revocations":
            self.claimed[arrival.cookie.pair] = arrival.cookie.created_at + DEVICE_AGE + SKEW
        return 200

    def refreshes(self, arrival, key, challenge, keys, now):
        """What the endpoint answers to a proof of the key, or to a request without one."""
        if arrival.status == "unknown_key":
            return 503
        if arrival.cookie is None or arrival.cookie.pair is None or arrival.beside.device.key is not key:
            return 401
        if challenge is None or not challenge.holds("refresh", arrival.cookie.pair, keys, now):
            return 403
        return 200
