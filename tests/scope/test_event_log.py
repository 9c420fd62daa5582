"""The `fastsession` logger: levels, fields, limits, and lines that nobody can break."""

import itertools
import logging
from dataclasses import asdict
from urllib.parse import unquote

import pytest
from fastapi import BackgroundTasks, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from fastsession import SessionMiddleware
from fastsession.testing import Clock
from tests.shop import COOKIE, IDLE, SECRET, START, Current, ShopSession, browser, shop, shown
from tests.wire import answer, call, http_scope


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.DEBUG, "fastsession")
    return caplog


def lines(log):
    return [record for record in log.records if record.name == "fastsession"]


def test_every_kind_has_its_level(log, clock):
    app = shop(clock=clock)

    @app.post("/late")
    async def late(session: Current):
        return Response(background=BackgroundTask(session.cart.append, "late"))

    client = browser(app)
    client.post("/cart/tea")
    client.post("/cart/milk")
    clock.advance(IDLE // 4)
    client.get("/public")
    client.post("/login")
    client.post("/note/2500")
    client.post("/late")
    client.post("/logout")
    shown(app, f"{COOKIE}=garbage")
    assert [(record.kind, record.levelname) for record in lines(log)] == [
        ("created", "DEBUG"),
        ("saved", "DEBUG"),
        ("renewed", "DEBUG"),
        ("regenerated", "INFO"),
        ("saved", "DEBUG"),
        ("near_limit", "WARNING"),
        ("late_change", "WARNING"),
        ("destroyed", "INFO"),
        ("rejected", "WARNING"),
    ]


def test_a_line_carries_the_events_fields(log, client, events):
    client.post("/login")
    [record], [event] = lines(log), events
    assert {name: getattr(record, name) for name in asdict(event)} == asdict(event)


def test_a_line_reads_without_a_formatter_that_knows_the_fields(log, client):
    client.post("/login")
    message = lines(log)[0].getMessage()
    assert message.startswith("session kind=regenerated status=absent session=")
    assert "subject=user-42 client=testclient method=POST path=/login at=2027-01-15 08:00:00+00:00" in message


def test_a_quiet_logger_costs_no_event(clock):
    logging.getLogger("fastsession").setLevel(logging.ERROR)
    client = browser(shop(clock=clock))
    client.post("/cart/tea")
    assert client.get("/cart").json() == ["tea"]


garbage = itertools.count()


def reject(app, times):
    """Send so many cookies, each another one."""
    for number in itertools.islice(garbage, times):
        shown(app, f"{COOKIE}=garbage{number}")


def test_rejections_of_one_status_take_ten_lines_a_second(log):
    clock = Clock(START)
    reject(shop(clock=clock), 25)
    assert len(lines(log)) == 10
    assert not hasattr(lines(log)[0], "suppressed")


def test_the_next_second_says_how_many_were_suppressed(log):
    clock = Clock(START)
    app = shop(clock=clock)
    reject(app, 25)
    clock.advance(1)
    reject(app, 2)
    clock.advance(1)
    reject(app, 1)
    assert [getattr(record, "suppressed", None) for record in lines(log)[10:]] == [15, None, None]
    assert "suppressed=15" in lines(log)[10].getMessage()


def test_each_status_has_its_own_ten_lines(log):
    app = shop(clock=Clock(START))
    reject(app, 15)
    for number in range(15):
        shown(app, f"{COOKIE}=AQ{number:0198}")
    assert [record.status for record in lines(log)] == ["malformed"] * 10 + ["unknown_key"] * 10


def test_no_path_can_break_a_line_or_add_a_field(log):
    path = "/cart\r\nkind=destroyed\x1b[31m\u2028 status=valid é"
    scope = http_scope(path, headers=[(b"cookie", COOKIE.encode() + b"=garbage")])

    async def inner(scope, receive, send):
        scope["session"].mark_accessed()
        await answer(send)

    call(SessionMiddleware(inner, secret_key=SECRET), scope)
    [record] = lines(log)
    assert unquote(record.path) == path
    assert f"path={record.path} at=" in record.getMessage()
    assert record.getMessage().isprintable()
    assert record.getMessage().count("kind=") == 1


def test_no_subject_can_break_a_line_or_add_a_field(log):
    class Visitor(ShopSession):
        def subject(self) -> str:
            return "me\r\nsession kind=destroyed"

    browser(shop(model=Visitor)).post("/cart/tea")
    message = lines(log)[0].getMessage()
    assert message.isprintable()
    assert message.count("kind=") == 1


def test_the_fields_of_a_record_are_encoded_as_its_line_is(log, events):
    class Visitor(ShopSession):
        def subject(self) -> str:
            return "bob\nsession kind=destroyed"

    app = shop(model=Visitor, on_event=events.append)

    @app.post("/late")
    async def late(request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(request.session.update, {"a\nkind": 1})

    scope = http_scope("/late", method="POST") | {"client": ("proxy\nkind=saved", 1)}
    call(app, scope)
    [record] = lines(log)
    texts = {name: getattr(record, name) for name in ("subject", "client", "method", "path", "detail")}
    assert {unquote(text) for text in texts.values()} == {
        "bob\nsession kind=destroyed",
        "proxy\nkind=saved",
        "POST",
        "/late",
        "fields: a\nkind",
    }
    assert all(text.isprintable() for text in texts.values())
    for name, text in texts.items():
        assert f"{name}={text}" in record.getMessage()
    # A listener gets the subject as the application said it.
    assert events[0].subject == "bob\nsession kind=destroyed"


@pytest.mark.parametrize("value", ["%s", "\r\nX: 1", "a" * 5_000])
def test_no_cookie_shows_in_a_line(log, value):
    scope = http_scope("/view", headers=[(b"cookie", f"{COOKIE}={value}".encode())])
    call(shop(clock=Clock(START)), scope)
    [record] = lines(log)
    assert value not in record.getMessage()
