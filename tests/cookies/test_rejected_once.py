"""A rejected cookie stays in the browser, and comes with every request: one event for each, in bounded memory."""

import asyncio
import tracemalloc
from datetime import UTC, datetime

import pytest
from starlette.requests import HTTPConnection

from fastsession import Session, SessionMiddleware, get_session
from fastsession.formats import IronSession, Migration, StarletteSession
from fastsession.stores import MemoryStore
from fastsession.testing import Clock, sealed_cookies
from tests.server_side.counting import Counting
from tests.shop import COOKIE, IDLE, SECRET, START, browser, cookie_header, shop, shown
from tests.wire import answer, call, exchange, http_scope

PASSWORD = "the forty lanterns of the harbour burn until the morning"
GARBAGE = f"{COOKIE}=garbage"


def told(events):
    # The outage itself is told beside what it does to each session.
    return [(event.kind, event.status) for event in events if event.kind != "unavailable"]


@pytest.mark.parametrize("path", ["/cart", "/view", "/info"])
def test_a_cookie_that_stays_is_reported_once(clock, events, path):
    app = shop(clock=clock, on_event=events.append)
    for _ in range(5):
        shown(app, GARBAGE, path)
        clock.advance(10)
    assert told(events) == [("rejected", "malformed")]


def test_the_logger_hears_of_it_once_too(clock, caplog):
    app = shop(clock=clock)
    for _ in range(5):
        shown(app, GARBAGE)
        clock.advance(10)
    assert [record.name for record in caplog.records].count("fastsession") == 1


def test_other_cookies_beside_it_make_it_no_other_cookie(clock, events):
    app = shop(clock=clock, on_event=events.append)
    for number in range(5):
        shown(app, f"theme={number}; {GARBAGE}; visits={number}")
    assert told(events) == [("rejected", "malformed")]


def test_each_rejected_cookie_is_reported(clock, events):
    app = shop(clock=clock, on_event=events.append)
    for number in (1, 2, 1, 2):
        shown(app, f"{GARBAGE}{number}")
    assert told(events) == [("rejected", "malformed")] * 2


def test_chunks_are_part_of_the_cookie(clock, events):
    app = shop(clock=clock, on_event=events.append)
    for number in (1, 2, 1, 2):
        shown(app, f"{COOKIE}=2.AAAAAAAA.x; {COOKIE}.1=2.BBBBBBBB.{number}")
    assert told(events) == [("rejected", "incomplete")] * 2


def test_a_header_too_long_to_be_searched_is_reported_once(clock, events):
    app = shop(clock=clock, on_event=events.append)
    for _ in range(3):
        shown(app, f"{COOKIE}=x; other={'a' * 70_000}")
    assert told(events) == [("rejected", "oversize")]


def test_another_systems_cookie_in_a_header_too_long_to_be_searched_is_reported_once(clock, events):
    shared = IronSession(password=PASSWORD, cookie_name="old")
    migration = Migration(
        StarletteSession(secret_key=PASSWORD, cookie_name="old"), accept_until=datetime(2100, 1, 1, tzinfo=UTC)
    )
    for options in ({"format": shared}, {"migrate_from": [migration]}):
        app = shop(clock=clock, on_event=events.append, **options)
        events.clear()
        for _ in range(3):
            assert shown(app, f"old=x; other={'a' * 70_000}").status_code == 200
        assert [event.kind for event in events] == ["rejected"]


def test_each_middleware_reports_for_itself(clock, events):
    for _ in range(2):
        shown(shop(clock=clock, on_event=events.append), GARBAGE)
    assert len(events) == 2


def test_a_cookie_whose_status_changes_is_reported_with_each(clock, events):
    store = Counting(MemoryStore(clock=clock))
    app = shop(clock=clock, store=store, store_outage="anonymous", on_event=events.append)
    client = browser(app)
    client.post("/login")
    copied = cookie_header(client)
    client.post("/logout")
    events.clear()
    for failing in ("read", None, "read", None):
        store.fail_on = failing
        shown(app, copied)
    assert told(events) == [("rejected", "store_down"), ("rejected", "revoked")]


def test_a_session_that_comes_back_after_an_outage_is_no_event(clock, events):
    store = Counting(MemoryStore(clock=clock))
    app = shop(clock=clock, store=store, store_outage="anonymous", on_event=events.append)
    client = browser(app)
    client.post("/cart/tea")
    for failing in ("read", None, "read", None):
        store.fail_on = failing
        client.get("/cart")
    assert told(events) == [("created", "absent"), ("rejected", "store_down")]


async def looking(scope, receive, send):
    assert (await get_session(HTTPConnection(scope))).info is not None
    await answer(send)


def flood(middleware, numbers):
    """Have so many made-up cookies looked at, each another one."""

    async def visits():
        for number in numbers:
            await exchange(middleware, http_scope(headers=[(b"cookie", f"{GARBAGE}{number:0200}".encode())]))

    asyncio.run(visits())


def test_made_up_cookies_do_not_push_out_those_of_sessions_that_are_over(events):
    clock = Clock(START)
    middleware = SessionMiddleware(looking, secret_key=SECRET, clock=clock, on_event=events.append)
    [(name, value)] = sealed_cookies(middleware, Session()).items()
    over = http_scope(headers=[(b"cookie", f"{name}={value}".encode())])
    clock.advance(IDLE)
    call(middleware, {**over})
    assert told(events) == [("rejected", "expired_idle")]
    flood(middleware, range(3_000))
    assert len(events) == 3_001
    call(middleware, {**over})
    assert len(events) == 3_001


def test_what_is_remembered_of_rejected_cookies_is_bounded(clock):
    middleware = SessionMiddleware(looking, secret_key=SECRET, clock=clock)
    flood(middleware, range(3_000))
    tracemalloc.start()
    flood(middleware, range(3_000, 3_100))
    before = tracemalloc.get_traced_memory()[0]
    flood(middleware, range(3_100, 8_000))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # 4,900 values of this length would be more than a megabyte.
    assert grown < 300_000


def test_a_shared_cookie_that_is_rejected_is_reported_once(clock, events):
    format_ = IronSession(password=PASSWORD, cookie_name="shared")
    app = shop(format=format_, clock=clock, on_event=events.append)
    for number in range(3):
        shown(app, f"theme={number}; shared=garbage")
    assert [event.kind for event in events] == ["rejected"]


def test_a_migrated_cookie_that_is_rejected_is_reported_once_and_deleted_by_a_logout_only(clock, events):
    migration = Migration(StarletteSession(secret_key=PASSWORD), accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    app = shop(migrate_from=[migration], clock=clock, on_event=events.append)
    for number in range(3):
        response = shown(app, f"theme={number}; session=garbage")
        assert "set-cookie" not in response.headers
    assert [event.kind for event in events] == ["rejected"]
    saved = browser(app).post("/cart/tea", headers={"cookie": "session=garbage"})
    assert [line.partition("=")[0] for line in saved.headers.get_list("set-cookie")] == [COOKIE]
    ended = browser(app).post("/logout", headers={"cookie": "session=garbage"})
    assert ended.headers.get_list("set-cookie") == ["session=; path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]


def test_a_logout_takes_the_old_systems_cookie_with_a_session_of_ours(clock):
    migration = Migration(StarletteSession(secret_key=PASSWORD), accept_until=datetime(2100, 1, 1, tzinfo=UTC))
    app = shop(migrate_from=[migration], clock=clock)
    client = browser(app)
    client.post("/login")
    response = client.post("/logout", headers={"cookie": f"{cookie_header(client)}; session=still here"})
    assert [line.partition("=")[0] for line in response.headers.get_list("set-cookie")] == [COOKIE, "session"]


def test_after_the_migration_the_old_cookies_are_left_alone(clock):
    migration = Migration(StarletteSession(secret_key=PASSWORD), accept_until=datetime(2020, 1, 1, tzinfo=UTC))
    client = browser(shop(migrate_from=[migration], clock=clock))
    client.post("/login")
    response = client.post("/logout", headers={"cookie": f"{cookie_header(client)}; session=still here"})
    assert [line.partition("=")[0] for line in response.headers.get_list("set-cookie")] == [COOKIE]
