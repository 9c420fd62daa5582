"""What a session should be: the rules of docs/lifecycle.md over plain dicts, with nothing of the package."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

KEEP, SAVE, RENEW, CLEAR = "keep", "save", "renew", "clear"
# Idle and absolute timeout in seconds, of sessions that are remembered and of those that are not.
LIFETIMES = {False: (400, 700), True: (1600, 3000)}
SKEW = 30
# Seconds for which a plain change in a request from before a login or logout is not saved.
MOMENT = 60
# How a cookie is rejected whose session was one browser's own.
OVER = ("expired_idle", "expired_absolute", "revoked")
FRESH: dict[str, Any] = {"user_id": None, "cart": [], "details": {}, "note": ""}


@dataclass(frozen=True)
class Cookie:
    """What a sealed cookie says. With a store it holds no data."""

    key: str
    id: int
    created_at: int
    authenticated_at: int
    renewed_at: int
    remembered: bool
    data: Any
    # Of a session that is bound to a device, or was offered to be.
    pair: int | None = None

    @property
    def expires_at(self):
        idle, absolute = LIFETIMES[self.remembered]
        return min(self.renewed_at + idle, self.created_at + absolute)


@dataclass(frozen=True)
class Record:
    """What the store keeps of a session."""

    key: str
    data: Any
    version: int
    expires_at: int


@dataclass(frozen=True)
class Arrival:
    """How a request's cookie was received, and with a valid one the session as it was then."""

    status: str
    at: float
    cookie: Cookie | None = None
    data: Any = None
    version: int = 0
    due: bool = False
    outdated: bool = False
    # What came beside the session's own cookie.
    beside: Any = None


@dataclass
class Work:
    """What a request does to a session: its data, and the verbs that were called."""

    data: Any
    destroyed: bool = False
    regenerated: bool = False
    remember: bool | None = None
    # Whether request.session was written to: empty as a dict at the response, a session ends.
    wrote: bool = False
    # Whether it was emptied on the way: what was written since is another session.
    emptied: bool = False
    # Whether that was done key by key, which does not say that a session should end.
    drained: bool = False
    # Whether a verb asked for a cookie, since it was emptied.
    to_be_saved: bool = False

    def empty(self, *, drained=False):
        self.data, self.wrote, self.emptied, self.to_be_saved = deepcopy(FRESH), True, True, False
        self.drained = drained

    @property
    def signs_in(self):
        return self.regenerated or self.data.get("user_id") is not None

    @property
    def was_told_to_end(self):
        return self.destroyed or (self.emptied and not self.drained)

    def ends(self, status_code):
        if self.emptied and status_code >= 500:
            return True
        return self.destroyed or (self.wrote and self.data == FRESH and not self.to_be_saved)

    def changes(self, arrival):
        before = FRESH if arrival.data is None else arrival.data
        return self.to_be_saved or self.emptied or self.data != before


@dataclass
class Rules:
    """The server's side of all sessions, in one of three modes: cookies, revocations, store."""

    mode: str
    # Until when, in Unix seconds.
    denied: dict[int, int] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    # When a session was ended by a response to its own browser.
    told: dict[int, int] = field(default_factory=dict)
    # When a login came with these cookies, of a session that was over.
    signed_in: dict[Any, int] = field(default_factory=dict)
    ids: int = 0

    def receive(self, cookie, keys, now, beside=None):
        """How a cookie, or the lack of one, is received by a server that has these keys, the sealing one first."""
        if isinstance(cookie, str):
            return Arrival(cookie, now)
        if cookie.key not in keys:
            return Arrival("unknown_key", now)
        idle, absolute = LIFETIMES[cookie.remembered]
        if now >= cookie.expires_at:
            ends_idle = cookie.renewed_at + idle < cookie.created_at + absolute
            return Arrival("expired_idle" if ends_idle else "expired_absolute", now)
        if max(cookie.renewed_at, cookie.created_at) > now + SKEW:
            return Arrival("future", now)
        refused = self.without_device(cookie, keys, now, beside)
        if refused is not None:
            return refused
        if self._over(cookie.id, now):
            return Arrival("revoked", now, outdated=self._is_known_since(self.told.get(cookie.id), now))
        if self.is_unclaimed(cookie, now, beside):
            return Arrival("unbound", now, outdated=beside.sent_late or beside.registers(now))
        record = self.records.get(cookie.id) or Record(cookie.key, cookie.data, 0, 0)
        if record.key not in keys:
            return Arrival("unknown_key", now)
        due = now >= cookie.renewed_at + idle // 4 or (cookie.key, record.key) != (keys[0], keys[0])
        due = due and self.may_renew(cookie, now, beside)
        return Arrival("valid", now, cookie, deepcopy(record.data), record.version, due, beside=beside)

    def without_device(self, cookie, keys, now, beside):
        """How a session is received that lacks what it is bound to."""
        return

    def is_unclaimed(self, cookie, now, beside):
        """Whether it was copied before its device was registered, and that is known."""
        return False

    def may_renew(self, cookie, now, beside):
        return True

    def kept_pair(self, arrival):
        return arrival.cookie.pair

    def login_pair(self, arrival, work):
        """The pair of a new login."""
        return

    def answer(self, arrival, work, status_code, keys, now, brought):
        """What the response does to a request that brought these cookies, and what its own says.

        `work` is None where nobody looked.
        """
        outcome = decide(arrival, work, status_code)
        is_over = outcome == SAVE and arrival.status in OVER
        if is_over and not work.signs_in and self._is_known_since(self.signed_in.get(brought), now):
            return KEEP, None
        if outcome == CLEAR and work.drained and arrival.cookie and self._over(arrival.cookie.id, now):
            return KEEP, None
        if outcome == CLEAR and arrival.cookie:
            self._end(arrival.cookie, now)
        if outcome in {KEEP, CLEAR}:
            return outcome, None
        if arrival.cookie and self._over(arrival.cookie.id, now):
            return KEEP, None
        if outcome == RENEW:
            cookie = replace(arrival.cookie, key=keys[0], renewed_at=int(now), pair=self.kept_pair(arrival))
        else:
            cookie = self._saved(arrival, work, keys[0], int(now))
        if self.mode == "store":
            self._store(arrival, outcome, cookie, emptied=work is not None and work.emptied)
            cookie = replace(cookie, data=None)
        if arrival.cookie and cookie.id != arrival.cookie.id:
            self._end(arrival.cookie, now)
        if is_over and work.signs_in:
            self.signed_in[brought] = int(now)
        return outcome, cookie

    def _saved(self, arrival, work, key, now):
        old = None if work.emptied else arrival.cookie
        remembered = bool(old and old.remembered) if work.remember is None else work.remember
        if old and not work.regenerated:
            times = {"key": key, "renewed_at": now, "remembered": remembered}
            return replace(old, **times, data=deepcopy(work.data), pair=self.kept_pair(arrival))
        self.ids += 1
        signed_in, pair = (now, self.login_pair(arrival, work)) if work.regenerated else (0, None)
        return Cookie(key, self.ids, now, signed_in, now, remembered, deepcopy(work.data), pair)

    def _store(self, arrival, outcome, cookie, *, emptied):
        """Keep the data. Of parallel requests none is lost: each lays the fields that it changed over the others'."""
        old = self.records.get(arrival.cookie.id) if arrival.cookie and not emptied else None
        written_since = old is not None and old.version != arrival.version
        if outcome == RENEW and written_since:
            self.records[cookie.id] = replace(old, expires_at=cookie.expires_at)
            return
        data = cookie.data if outcome == SAVE else arrival.data
        if written_since:
            before, names = arrival.data, arrival.data.keys() | data.keys()
            changed = {name for name in names if before.get(name) != data.get(name)}
            others = {name: value for name, value in old.data.items() if name not in changed}
            data = others | {name: data[name] for name in changed if name in data}
        version = old.version + 1 if old else 1
        self.records[cookie.id] = Record(cookie.key, data, version, cookie.expires_at)

    def _over(self, session_id, now):
        """Whether a session was ended on the server; a record that has expired does not exist."""
        record = self.records.get(session_id)
        if record and record.expires_at <= now:
            del self.records[session_id]
        return self.denied.get(session_id, 0) > now or (self.mode == "store" and session_id not in self.records)

    def _is_known_since(self, told, now):
        """Whether it is still known what a browser was told; denials know it by whole minutes."""
        if told is None or self.mode == "cookies":
            return False
        if self.mode == "store":
            return now < told + MOMENT
        return abs(int(now) // MOMENT - told // MOMENT) <= 1

    def _end(self, cookie, now):
        """Deny every cookie of the session, for as long as any could last by any server's clock.

        Its browser is told by this very response.
        """
        self.told[cookie.id] = int(now)
        if self.mode == "revocations":
            self.denied[cookie.id] = cookie.created_at + max(absolute for _, absolute in LIFETIMES.values()) + SKEW
        self.records.pop(cookie.id, None)


def decide(arrival, work, status_code):
    """The table of docs/lifecycle.md."""
    if work and work.ends(status_code):
        ends_nothing = arrival.cookie is None and not work.was_told_to_end
        return KEEP if arrival.status == "absent" or ends_nothing else CLEAR
    if work and work.changes(arrival):
        is_new = work.regenerated or (work.emptied and not work.drained)
        return SAVE if status_code < 500 and (is_new or not arrival.outdated) else KEEP
    return RENEW if arrival.status == "valid" and arrival.due else KEEP
