import dataclasses
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from fastsession import ConfigurationError, Lifetime, Session, SessionEvent, SessionStatus
from tests.shop import COOKIE, DAY, IDLE, START, browser, cookie_header, set_cookies, shop, shown
from tests.wire import call, http_scope

HANDLE = re.compile("[0-9a-f]{16}")


def kinds(events):
    return [event.kind for event in events]


def test_every_step_of_a_sessions_life_is_one_event(client, clock, events):
    client.post("/cart/tea")
    client.post("/cart/milk")
    clock.advance(IDLE // 4)
    client.get("/public")
    client.post("/login")
    client.post("/logout")
    assert kinds(events) == ["created", "saved", "renewed", "regenerated", "destroyed"]


def test_an_event_says_who_did_what_where_and_when(client, clock, events):
    client.post("/login")
    clock.advance(5)
    client.post("/cart/tea")
    assert events[-1] == SessionEvent(
        kind="saved",
        status=SessionStatus.VALID,
        session=events[0].session,
        subject="user-42",
        client="testclient",
        method="POST",
        path="/cart/tea",
        at=datetime.fromtimestamp(START + 5, UTC),
        detail="",
    )


def test_an_event_is_frozen(client, events):
    client.post("/cart/tea")
    with pytest.raises(dataclasses.FrozenInstanceError):
        events[0].path = "/elsewhere"


def test_the_handle_of_a_session_stays_until_its_id_changes(client, events):
    client.post("/cart/tea")
    client.post("/cart/milk")
    client.post("/login")
    client.post("/cart/eggs")
    first, second, third, fourth = (event.session for event in events)
    assert (first, third) == (second, fourth)
    assert first != third
    assert HANDLE.fullmatch(first)
    assert HANDLE.fullmatch(third)


def test_the_handle_is_the_public_id_of_info(client, events):
    client.post("/cart/tea")
    assert client.get("/info").json()["id"] == events[0].session


def test_untouched_and_read_sessions_are_no_events(client, events):
    client.get("/public")
    client.get("/cart")
    assert events == []


def test_remembering_is_a_save(clock, events):
    app = shop(clock=clock, on_event=events.append, remember=Lifetime(idle=DAY, absolute=DAY))
    client = browser(app)
    client.post("/cart/tea")
    client.post("/remember/true")
    assert kinds(events) == ["created", "saved"]


def test_ending_a_session_that_was_rejected_is_reported_as_the_rejection(client, events):
    response = client.post("/logout", headers={"cookie": f"{COOKIE}=garbage"})
    assert len(set_cookies(response)) == 1
    assert kinds(events) == ["rejected"]


def test_several_listeners_hear_every_event(clock):
    first, second = [], []
    client = browser(shop(clock=clock, on_event=[first.append, second.append]))
    client.post("/cart/tea")
    assert first == second
    assert kinds(first) == ["created"]


def test_a_listeners_exception_is_the_applications_own():
    def fail(event):
        raise LookupError

    with pytest.raises(LookupError):
        browser(shop(on_event=fail)).post("/cart/tea")


async def asynchronous(event): ...


class AsynchronousListener:
    async def __call__(self, event): ...


@pytest.mark.parametrize(
    "listener",
    [asynchronous, [print, asynchronous], AsynchronousListener(), partial(asynchronous), ["print"], [None]],
    ids=lambda listener: type(listener).__name__,
)
def test_a_listener_is_a_plain_function(listener):
    with pytest.raises(ConfigurationError, match="put the event into a queue"):
        browser(shop(on_event=listener)).get("/public")


def test_a_client_without_an_address_is_no_error(events):
    scope = {**http_scope("/view", headers=[(b"cookie", COOKIE.encode() + b"=garbage")]), "client": None}
    assert call(shop(on_event=events.append), scope)[0]["status"] == 200
    assert [event.client for event in events] == [None]


def test_a_model_without_a_subject_has_none(clock, events):
    client = browser(shop(model=Session, clock=clock, on_event=events.append))
    client.post("/update", json={"theme": "dark"})
    assert [(event.kind, event.subject) for event in events] == [("created", None)]


def test_the_time_of_an_event_is_aware(client, events):
    client.post("/cart/tea")
    assert events[0].at.utcoffset() == timedelta(0)


def test_the_fields_of_an_event_are_these():
    names = [field.name for field in dataclasses.fields(SessionEvent)]
    assert names == ["kind", "status", "session", "subject", "client", "method", "path", "at", "detail"]


def test_listeners_hear_rejections_beyond_the_loggers_limit(clock, events):
    app = shop(clock=clock, on_event=events.append)
    for number in range(25):
        shown(app, f"{COOKIE}=garbage{number}")
    assert kinds(events) == ["rejected"] * 25


def test_a_destroyed_session_is_told_with_the_handle_it_had(client, events):
    client.post("/login")
    header = cookie_header(client)
    client.post("/logout", headers={"cookie": header})
    assert [event.session for event in events] == [events[0].session] * 2
    assert events[-1].subject == "user-42"
