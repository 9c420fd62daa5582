import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request, WebSocket

from fastsession import ConfigurationError, Lifetime
from fastsession.formats import ForeignSession, IronSession, Migration
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import opened_session
from tests.shop import ABSOLUTE, DAY, HOUR, IDLE, START, Current, browser, set_cookies, shop

REMEMBERED = Lifetime(idle=14 * DAY, absolute=90 * DAY)


@pytest.fixture
def app(clock):
    return shop(clock=clock, remember=REMEMBERED)


@pytest.fixture
def client(app):
    client = browser(app)
    client.post("/login")
    return client


def max_age(response):
    [cookie] = set_cookies(response)
    found = re.search(r"Max-Age=(\d+)", cookie)
    return found and int(found[1])


def test_only_a_remembered_session_has_a_max_age(client):
    assert max_age(client.post("/cart/tea")) is None
    assert max_age(client.post("/remember/true")) == 14 * DAY
    assert max_age(client.post("/cart/milk")) == 14 * DAY


def test_a_remembered_session_lives_by_the_other_lifetime(app, client, clock):
    client.post("/remember/true")
    clock.advance(14 * DAY - 1)
    info = opened_session(app, client).info
    assert (info.status, info.remembered) == ("valid", True)
    clock.advance(1)
    assert opened_session(app, client).info.status == "expired_idle"


def test_a_remembered_session_ends_at_its_own_absolute_timeout(app, client, clock):
    client.post("/remember/true")
    for _ in range(9):
        clock.advance(10 * DAY - 1)
        client.get("/cart")
    clock.advance(9)
    assert opened_session(app, client).info.status == "expired_absolute"


def test_a_remembered_session_is_renewed_by_its_own_quarter(client, clock):
    client.post("/remember/true")
    clock.advance(IDLE)
    assert set_cookies(client.get("/public")) == []
    clock.advance(14 * DAY // 4 - IDLE)
    assert max_age(client.get("/public")) == 14 * DAY


def test_the_browser_is_never_told_more_than_what_is_left_of_the_absolute_timeout(client, clock):
    client.post("/remember/true")
    for _ in range(8):
        clock.advance(10 * DAY)
        client.get("/cart")
    assert max_age(client.post("/cart/tea")) == 10 * DAY


def test_remembering_neither_changes_the_id_nor_restarts_the_clocks(app, client, clock):
    before = opened_session(app, client).info
    clock.advance(60)
    client.post("/remember/true")
    after = opened_session(app, client).info
    assert (after.id, after.created_at, after.authenticated_at) == (
        before.id,
        before.created_at,
        before.authenticated_at,
    )


def test_a_session_can_be_switched_back(app, client, clock):
    client.post("/remember/true")
    assert max_age(client.post("/remember/false")) is None
    assert not opened_session(app, client).info.remembered
    clock.advance(IDLE)
    assert opened_session(app, client).info.status == "expired_idle"


def test_remember_says_how_the_request_arrived_until_the_next_one(app):
    @app.post("/remembered-now")
    async def remembered_now(session: Current) -> bool:
        session.remember()
        return session.info.remembered

    client = browser(app)
    assert client.post("/remembered-now").json() is False
    assert client.get("/info").json()["remembered"] is True


def test_a_new_login_stays_remembered(app, client):
    client.post("/remember/true")
    assert max_age(client.post("/login")) == 14 * DAY


def test_remember_without_a_second_lifetime_says_what_to_write():
    with pytest.raises(ConfigurationError, match=r"remember=Lifetime\(idle=..., absolute=...\)"):
        browser(shop()).post("/remember/true")


def test_a_session_remembered_before_the_option_was_removed_lives_by_the_standard_lifetime(client, clock):
    client.post("/remember/true")
    without = browser(shop(clock=clock))
    without.cookies = client.cookies
    assert max_age(without.post("/cart/tea")) is None
    clock.advance(IDLE)
    assert without.get("/info").json()["status"] == "expired_idle"


def test_a_lifetime_is_frozen_seconds():
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=ABSOLUTE)
    assert (lifetime.idle, lifetime.absolute) == (HOUR, ABSOLUTE)
    with pytest.raises(AttributeError):
        lifetime.idle = 1


def test_no_lifetime_is_longer_than_browsers_keep_a_cookie():
    with pytest.raises(ConfigurationError, match="400 days"):
        Lifetime(idle=DAY, absolute=401 * DAY)


def test_every_session_is_remembered_from_the_start_with_the_standard_timeouts(clock):
    client = browser(shop(clock=clock, remember=True, idle_timeout=14 * DAY, absolute_timeout=60 * DAY))
    assert max_age(client.post("/cart/tea")) == 14 * DAY
    clock.advance(7 * DAY)
    assert max_age(client.get("/cart")) == 14 * DAY
    clock.advance(14 * DAY)
    assert client.get("/cart").json() == []


PASSWORD = "shared with a server in Node, long enough"
IRON = IronSession(password=PASSWORD, cookie_name="__Host-shop", ttl=30 * DAY)
OLD = IronSession(password=PASSWORD[::-1], cookie_name="__Host-old")
# Where sessions are kept, all of which are remembered.
KEPT = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
    "store and revocations": lambda: {"store": MemoryStore(), "revocations": MemoryRevocations()},
    "format": lambda: {"format": IRON},
    "format and revocations": lambda: {"format": IRON, "revocations": MemoryRevocations()},
}


@pytest.fixture(params=KEPT)
def lasting(request, clock):
    """A visitor of a shop that remembers everybody from the start."""
    migration = Migration(OLD, accept_until=datetime.fromtimestamp(START + 400 * DAY, UTC))
    app = shop(clock=clock, remember=True, migrate_from=[migration], **KEPT[request.param]())

    @app.post("/only-today")
    async def only_today(session: Current) -> bool:
        session.remember(False)
        return session.info.remembered

    @app.post("/begin-anew")
    async def begin_anew(request: Request) -> None:
        request.session.clear()
        request.session["note"] = "new"

    @app.websocket("/login")
    async def log_in(socket: WebSocket, session: Current) -> None:
        session.regenerate()
        session.user_id = 42
        await socket.accept()
        await socket.close()

    return browser(app)


def handshake(client):
    """The Set-Cookie that accepts a WebSocket, over which one logs in."""
    with client.websocket_connect("wss://testserver/login") as socket:
        [line] = [value.decode() for name, value in socket.extra_headers if name == b"set-cookie"]
    return line


def test_a_session_is_remembered_from_the_start_wherever_it_is_kept(lasting, clock):
    assert max_age(lasting.post("/cart/tea")) == IDLE
    assert lasting.get("/info").json()["remembered"] is True
    clock.advance(IDLE // 2)
    assert max_age(lasting.get("/public")) == IDLE
    assert max_age(lasting.post("/update", json={"note": "x"})) == IDLE
    assert max_age(lasting.post("/login")) == IDLE


def test_a_login_over_a_websocket_is_remembered_from_the_start(lasting):
    line = handshake(lasting)
    assert f"Max-Age={IDLE};" in line
    info = lasting.get("/info", headers={"cookie": line.partition(";")[0]}).json()
    assert (info["status"], info["remembered"]) == ("valid", True)


def test_who_declines_is_not_remembered_until_the_session_ends(lasting, clock):
    lasting.post("/login")
    answer = lasting.post("/only-today")
    assert (answer.json(), max_age(answer)) == (True, None)
    assert max_age(lasting.post("/cart/tea")) is None
    assert max_age(lasting.post("/login")) is None
    line = handshake(lasting)
    assert "Max-Age" not in line
    name, _, value = line.partition(";")[0].partition("=")
    lasting.cookies.set(name, value, domain="testserver.local", path="/")
    clock.advance(IDLE // 2)
    assert max_age(lasting.get("/public")) is None
    assert lasting.get("/info").json()["remembered"] is False
    assert max_age(lasting.post("/begin-anew")) == IDLE


def test_who_declines_at_once_is_not_remembered(lasting):
    assert max_age(lasting.post("/only-today")) is None
    assert lasting.get("/info").json()["remembered"] is False


def test_who_declined_can_ask_for_it_again(lasting):
    lasting.post("/only-today")
    assert max_age(lasting.post("/remember/true")) == IDLE


def test_a_session_that_another_system_began_is_remembered_from_the_start(lasting):
    signed = OLD.write(ForeignSession({"cart": ["tea"]}), now=START)
    for name, value in signed.items():
        lasting.cookies.set(name, value, domain="testserver.local", path="/")
    answer = lasting.get("/cart")
    assert answer.json() == ["tea"]
    ours = [line for line in set_cookies(answer) if "-old=" not in line]
    assert f"Max-Age={IDLE};" in ours[0]
    assert lasting.get("/info").json()["remembered"] is True


@pytest.mark.parametrize("remember", [True, REMEMBERED, None], ids=["from the start", "when asked for", "never"])
def test_a_session_that_the_other_side_began_is_remembered_as_ours_are(clock, remember):
    client = browser(shop(clock=clock, format=IRON, remember=remember))
    [(name, value)] = IRON.write(ForeignSession({"cart": ["tea"]}), now=START).items()
    client.cookies.set(name, value, domain="testserver.local", path="/")
    assert client.get("/info").json()["remembered"] is (remember is True)
    assert max_age(client.post("/cart/milk")) == (IDLE if remember is True else None)
    assert client.get("/cart").json() == ["tea", "milk"]


def test_remember_false_is_as_none(clock):
    assert max_age(browser(shop(clock=clock, remember=False)).post("/login")) is None
