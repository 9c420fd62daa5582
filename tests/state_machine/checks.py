"""What must hold of one request and its response. Messages name what differs, never a token or an id."""

import json

from tests.reference.token_reader import joined, read
from tests.state_machine.jar import parsed
from tests.state_machine.rules import CLEAR, FRESH, KEEP, LIFETIMES, Cookie
from tests.state_machine.site import NAME, Seen

ENDLESS = (2**60, 2**60)


# Offers a browser to bind its session to a key.
OFFER = b"secure-session-registration"


class SealedCookies:
    """Every cookie there ever was, by its first value, with what the rules say that it holds."""

    def __init__(self, secrets):
        self._secrets = secrets
        self._sealed: dict[str, Cookie] = {}
        # The real id behind each of the rules' own, and the real pair.
        self._ids: dict[int, str] = {}
        self.pairs: dict[int | None, str] = {None: ""}

    def behind(self, pairs):
        """What the cookies of a request hold, or how they are received if that is nothing."""
        value = dict(pairs).get(NAME)
        if value is not None:
            return self._sealed[value]
        # A response that came late may have left chunks that its request knew nothing of.
        return "incomplete" if any(is_ours(name) for name, _ in pairs) else "absent"

    def add(self, expected, set_cookies, now):
        """Take a new cookie apart by the documented format, and compare it with what it has to hold."""
        set_cookies = [cookie for cookie in set_cookies if is_ours(cookie.name)]
        values = {cookie.name: cookie.value for cookie in set_cookies if cookie.value}
        found = opened(joined(values, NAME), expected.key, self._secrets[expected.key])
        if expected.id in self._ids:
            assert found["id"] == self._ids[expected.id], "the session has another id"
        else:
            assert found["id"] not in self._ids.values(), "a new session has an old id"
        for name in ("created_at", "authenticated_at", "renewed_at", "remembered"):
            same(name, found[name], getattr(expected, name))
        data = {**json.loads(found["model"]), **json.loads(found["extras"] or "{}")} if found["model"] else None
        same("data", data, expected.data)
        if expected.pair not in self.pairs:
            assert found["pair"] not in self.pairs.values(), "a new login has an old pair"
            self.pairs[expected.pair] = found["pair"]
        assert found["pair"] == self.pairs[expected.pair], "the session has another pair"
        age = max(0, expected.expires_at - int(now)) if expected.remembered else None
        same("Max-Age", {cookie.max_age for cookie in set_cookies if cookie.value}, {age})
        self._ids[expected.id] = found["id"]
        self._sealed[values[NAME]] = expected


def opened(token, key, secret):
    try:
        return read(token, secrets=[secret], name=NAME, now=2**40, lifetime=ENDLESS, remembered=ENDLESS)
    except ValueError as error:
        message = f"{key} did not seal it: {error}"
        raise AssertionError(message) from error


def set_cookies_for(visit, outcome):
    """The response's Set-Cookie lines, which have to be those of its outcome, and what it says to caches."""
    cookies = [parsed(value.decode()) for name, value in visit.headers if name == b"set-cookie"]
    assert len({cookie.name for cookie in cookies}) == len(cookies), "one name is set twice"
    names = [cookie.name for cookie in cookies if is_ours(cookie.name)]
    values = [cookie.name for cookie in cookies if cookie.value and is_ours(cookie.name)]
    deleted = set(names) - set(values)
    brought = {name for name, _ in visit.pairs if is_ours(name)}
    if outcome == KEEP:
        same("Set-Cookie", names, [])
    elif outcome == CLEAR:
        same("what is set", values, [])
        same("what is deleted", deleted, brought | {NAME})
    else:
        same("what is set", values, [NAME, f"{NAME}.1", f"{NAME}.2"][: len(values) or 1])
        same("what is deleted", deleted, brought - set(values))
    headers = {name: value for name, value in visit.headers if name not in (b"set-cookie", OFFER)}
    expected = {b"vary": b"Cookie"} if visit.looks or cookies else {}
    shown = visit.seen is not None and visit.seen.status == "valid" and visit.seen.data != FRESH
    same("caching", headers, expected | ({b"cache-control": b"no-store"} if shown or cookies else {}))
    return cookies


def is_ours(name):
    """Whether it is the session's own cookie, or one of its chunks."""
    return name.startswith(NAME)


def check_seen(found, arrival):
    """What the request found has to be what the rules say that arrived."""
    cookie, now = arrival.cookie, int(arrival.at)
    if cookie is None:
        expires_at = now + min(LIFETIMES[False])
        same("what is seen", found, Seen(arrival.status, now, now, expires_at, 0, remembered=False, data=FRESH))
    else:
        times = (cookie.created_at, cookie.renewed_at, cookie.expires_at, cookie.authenticated_at)
        same("what is seen", found, Seen(arrival.status, *times, cookie.remembered, arrival.data))


def same(what, found, expected):
    assert found == expected, f"{what}: {shortened(found)} in place of {shortened(expected)}"


def shortened(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:200]} … {text[-200:]}"
