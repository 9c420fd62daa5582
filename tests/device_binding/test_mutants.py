"""No changed cookie or challenge counts: every bit, character, cut and splice of the three cookies and the challenges."""

import pytest

from tests.cookies.test_token_mutants import mutants
from tests.device_binding.bank import BOUND, DEVICE, bank, challenge_name, opened, sealer
from tests.device_binding.modelled_browser import Browser, offer_in
from tests.shop import COOKIE, START
from tests.wire import http_scope

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NAMES = {
    "session": COOKIE,
    "device": DEVICE,
    "bound": BOUND,
    "register": challenge_name("register"),
    "refresh": challenge_name("refresh"),
}


@pytest.fixture(scope="module")
def signed_in():
    """Two bound users, their cookies and challenges of both purposes, by name."""
    from fastsession.testing import Clock

    clock = Clock(START)
    app = bank(clock=clock)
    users = []
    for user_id in (42, 7):
        browser = Browser(app, clock)
        offer = offer_in(browser.post(f"/login/{user_id}"))
        browser.refresh()
        users.append(
            {
                **browser.cookies(),
                NAMES["register"]: offer.challenge,
                NAMES["refresh"]: browser.binding.challenge,
            }
        )
    return app, *users


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_mutant_opens(signed_in, name):
    _, user, other = signed_in
    opens, tried = sealer(name), 0
    from fastsession.errors import Rejected

    for mutant in mutants(user[name], other[name]):
        if mutant in (user[name], other[name]):
            continue
        tried += 1
        with pytest.raises(Rejected):
            opens.open(mutant)
    assert tried > 40_000


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("other", NAMES.values(), ids=NAMES)
def test_none_opens_under_the_name_of_another(signed_in, name, other):
    from fastsession.errors import Rejected

    _, user, _ = signed_in
    if name == other:
        opened(name, user[name])
        return
    with pytest.raises(Rejected):
        opened(other, user[name])


@pytest.mark.parametrize("name", [DEVICE, BOUND])
def test_no_mutant_is_received(signed_in, name):
    """Over the wire: every flipped character, every cut, and each of the two cookies doubled."""
    app, user, other = signed_in
    from fastsession.testing import Clock

    del Clock
    value, tried = user[name], 0
    candidates = {value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in range(len(value))}
    candidates |= {value[:at] for at in range(0, len(value), 7)} | {value + value, value + "A", other[name]}
    for mutant in sorted(candidates - {value}):
        if ";" in mutant or not mutant.isprintable():
            continue
        tried += 1
        seen = look(app, {**{each: user[each] for each in (COOKIE, DEVICE, BOUND)}, name: mutant})
        assert seen[:2] in ([None, "unbound"], [None, "unknown_key"]), mutant
    assert tried > 100


def look(app, cookies):
    import asyncio
    import json

    from tests.wire import exchange

    header = "; ".join(f"{each}={value}" for each, value in cookies.items()).encode("latin-1")
    _, body = asyncio.run(exchange(app, http_scope("/who", headers=[(b"cookie", header)])))
    return json.loads(body["body"])
