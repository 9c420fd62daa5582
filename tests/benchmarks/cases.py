"""What is measured: a contender doing one thing to a session of one size, checked before it is timed."""

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tests.benchmarks.asgi import Answer, App, Header, exchange, request_headers
from tests.benchmarks.contender import Contender, Data, Deed
from tests.benchmarks.payloads import ADDED_ROLES, OTHER_THEMES, QUANTITIES, compact_json, contents
from tests.benchmarks.product import EXPIRED, RENEWAL_DUE

# More cookies than any memory of cookies holds, each as long since its last use as can be.
MANY = 2_048
Arrival = Literal["absent", "valid", "many", "due", "expired", "forged", "garbage"]
_STATUS: dict[Arrival, bytes] = {
    "absent": b"absent",
    "valid": b"valid",
    "many": b"valid",
    "due": b"valid",
    "expired": b"expired_idle",
    "forged": b"forged",
    "garbage": b"malformed",
}
SetCookie = Literal["none", "set", "clear"]


class Scenario(NamedTuple):
    name: str
    deed: Deed
    arrival: Arrival


NO_COOKIE = Scenario("no cookie", "ignore", "absent")
UNTOUCHED = Scenario("untouched", "ignore", "valid")
READ = Scenario("read", "read", "valid")
READ_NEW = Scenario("read, first sight", "read", "many")
WRITE = Scenario("nested write", "nested write", "valid")
WRITE_NEW = Scenario("nested write, first sight", "nested write", "many")
WRITE_TOP = Scenario("top-level write", "top-level write", "valid")
WRITE_CART = Scenario("write in the cart", "cart write", "valid")
DUE = Scenario("renewal due", "ignore", "due")
REJECTED = [Scenario(name, "read", name) for name in ("expired", "forged", "garbage")]
# 8 KB of cookies each, made by somebody who has a valid cookie of his own.
HOSTILE_BYTES = 8_192
HOSTILE_SHAPES = (
    "copies of a session, each altered",
    "forged sessions among empty cookies of our name",
    "forged sessions among cookies of similar names",
    "forged sessions of 1 KB",
    "one long value that begins like a token",
    "our name again and again, empty",
    "first chunks of sessions",
    "other cookies of one letter",
    "our name in front of blanks",
    "semicolons",
)


class Key(NamedTuple):
    """What one figure is of."""

    contender: str
    scenario: str
    size: str


class WrongAnswerError(AssertionError):
    """A contender did something else than what is to be measured."""


@dataclass(frozen=True)
class Case:
    """One application with the headers of its requests, in turn."""

    key: Key
    app: App
    requests: list[list[Header]]
    bare: str


async def case(
    contender: Contender, scenario: Scenario, size: str, *, data: Data | None = None, other_cookies: int = 0
) -> Case:
    """The case, after a request has shown that it does what its name says; raises `WrongAnswerError`."""
    data = data or contents(size)
    key = Key(contender.name, scenario.name, size)
    app = contender.build(scenario.deed)
    cookies = [cookie async for cookie in _cookies(contender, app, scenario.arrival, data)]
    requests = [request_headers("; ".join(filter(None, [*_others(other_cookies), cookie]))) for cookie in cookies]
    checked = Case(key, app, requests, contender.bare)
    await check(checked, contender, scenario, data)
    return checked


async def check(case: Case, contender: Contender, scenario: Scenario, data: Data) -> None:
    """Raise `WrongAnswerError` unless the answer, its Set-Cookie and the session after it are as they must be."""
    answer = await exchange(case.app, case.requests[0])
    accepted = scenario.arrival in ("valid", "many", "due")
    _expect(case.key, "status", answer.status, 200)
    _expect(case.key, "body", answer.body, b"42" if accepted or scenario.deed == "ignore" else b"None")
    _expect(case.key, "Set-Cookie", _kind(answer), _expected_kind(contender, scenario))
    if contender.tells_status:
        told = await exchange(contender.build("tell status"), case.requests[0])
        _expect(case.key, "status of the session", told.body, _STATUS[scenario.arrival])
    if accepted:
        cookies = _pairs(answer) or _cookie_line(case.requests[0])
        shown = await exchange(contender.build("show"), request_headers(cookies))
        _expect(case.key, "session afterwards", shown.body in map(compact_json, _after(data, scenario.deed)), True)


def _expect(key: Key, what: str, found: object, expected: object) -> None:
    if found != expected:
        message = f"{', '.join(key)}: {what} is not as it must be"
        raise WrongAnswerError(message)


def _after(data: Data, deed: Deed) -> list[Data]:
    if deed == "nested write":
        return [{**data, "roles": [*data["roles"], role]} for role in ADDED_ROLES]
    if deed == "cart write":
        first, *others = data["cart"]
        return [{**data, "cart": [{**first, "quantity": quantity}, *others]} for quantity in QUANTITIES]
    return [{**data, "theme": theme} for theme in OTHER_THEMES] if deed == "top-level write" else [data]


def _expected_kind(contender: Contender, scenario: Scenario) -> SetCookie:
    if scenario.arrival in ("expired", "forged", "garbage"):
        return "clear" if contender.clears else "none"
    if scenario.arrival == "due" or scenario.deed in ("nested write", "top-level write", "cart write"):
        return "set"
    if contender.rewrites == "always" or (contender.rewrites == "when looked at" and scenario.deed == "read"):
        return "set" if scenario.arrival != "absent" else "none"
    return "none"


def _kind(answer: Answer) -> SetCookie:
    values = [line.partition(";")[0].partition("=")[2] for line in answer.set_cookies()]
    if not values:
        return "none"
    return "clear" if all(value in ("", "null") for value in values) else "set"


def _pairs(answer: Answer) -> str:
    """The Cookie header of a browser that has had this answer."""
    return "; ".join(line.partition(";")[0] for line in answer.set_cookies())


def _cookie_line(headers: list[Header]) -> str:
    return next((value.decode() for name, value in headers if name == b"cookie"), "")


async def _cookies(contender: Contender, timed: App, arrival: Arrival, data: Data) -> AsyncIterator[str]:
    """The Cookie headers that the case's requests bring in turn."""
    if arrival == "absent":
        yield ""
        return
    app = contender.issue(data, {"due": RENEWAL_DUE, "expired": EXPIRED}.get(arrival, 0))
    for _ in range(MANY if arrival == "many" else 1):
        cookie = _pairs(await exchange(app, request_headers()))
        if arrival == "forged":
            # Of a session in use: who alters a cookie has one.
            await exchange(timed, request_headers(cookie))
        yield {"forged": _forged, "garbage": _garbage}.get(arrival, str)(cookie)


def _forged(cookie: str) -> str:
    """The cookie with one character altered, three quarters into it."""
    position = len(cookie) * 3 // 4
    return f"{cookie[:position]}{'A' if cookie[position] != 'A' else 'B'}{cookie[position + 1 :]}"


def _garbage(cookie: str) -> str:
    """As long, under the same name, and nothing that a session could be."""
    name, _, value = cookie.partition("=")
    return f"{name}={''.join(random.Random(5).choices('!#$%&*^|~', k=len(value)))}"


async def hostile_case(contender: Contender, shape: str) -> Case:
    """8 KB of cookies in one of the shapes, of which no session comes."""
    app = contender.build("read")
    [cookie] = [one async for one in _cookies(contender, app, "valid", contents("120 B"))]
    [larger] = [one async for one in _cookies(contender, app, "valid", contents("1 KB"))]
    headers = request_headers(_hostile(shape, cookie, larger)[:HOSTILE_BYTES])
    key = Key(contender.name, f"hostile: {shape}", "8 KB")
    answer = await exchange(app, headers)
    _expect(key, "answer", (answer.status, answer.body, _kind(answer)), (200, b"None", "none"))
    return Case(key, app, [headers], contender.bare)


def _hostile(shape: str, cookie: str, larger: str) -> str:
    name, _, value = cookie.partition("=")
    many = range(HOSTILE_BYTES)
    altered = (f"{name}={value[:-9]}{number:05d}{value[-4:]}" for number in many)
    # Each for a sub-key of its own, which has to be derived: the nonce's first half is altered.
    forged = [f"{name}={value[:12]}{number:016d}{value[28:]}" for number in range(4)]
    larger_value = larger.partition("=")[2]
    forged_larger = [f"{name}={larger_value[:12]}{number:016d}{larger_value[28:]}" for number in range(4)]
    chunks = (f"{name}=2.{number:08d}.{value * 4}" for number in many)
    made: dict[str, str] = {
        "copies of a session, each altered": "; ".join(itertools.islice(altered, 40)),
        "forged sessions among empty cookies of our name": "; ".join([*forged, *[f"{name}="] * 600]),
        "forged sessions among cookies of similar names": "; ".join([*forged, *[f"x{name}=A"] * 600]),
        "forged sessions of 1 KB": "; ".join([*forged_larger, *["a=b"] * 600]),
        "one long value that begins like a token": f"{name}={value * 40}",
        "our name again and again, empty": "; ".join([f"{name}="] * 600),
        "first chunks of sessions": "; ".join(itertools.islice(chunks, 10)),
        "other cookies of one letter": "; ".join(["a=b"] * 3_000),
        "our name in front of blanks": f"{name}{' ' * 8_000}=x; ".ljust(HOSTILE_BYTES, " "),
        "semicolons": ";" * HOSTILE_BYTES,
    }
    return made[shape]


def _others(count: int) -> Iterator[str]:
    """Cookies as analytics and preferences leave them."""
    return itertools.islice((f"_ga_{n}=GA1.2.{1_234_567 * (n + 1)}.1700000000" for n in itertools.count()), count)
