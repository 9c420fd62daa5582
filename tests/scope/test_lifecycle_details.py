"""What a response does and tells where two things meet: a new id near the limit, a renewal and a look that is late."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Request
from pydantic import BeforeValidator

from fastsession import Session, SessionNotSerializableError, recheck
from fastsession.formats import Migration
from tests.cookies.test_rejections import flipped
from tests.formats.vector import vector
from tests.shop import IDLE, Current, browser, cookie_header, shop
from tests.visitor import Visitor, note

STARLETTE = vector("starlette/A01")


def test_near_the_limit_a_new_session_is_told_by_its_new_id(clock, events):
    app = shop(clock=clock, on_event=events.append)

    @app.post("/login/{size}")
    async def login(size: int, session: Current) -> None:
        session.regenerate()
        session.note = "n" * size

    client = browser(app)
    client.post("/cart/tea")
    client.post("/login/2300")
    handle = client.get("/info").json()["id"]
    assert [(event.kind, event.session == handle) for event in events] == [
        ("created", False),
        ("regenerated", True),
        ("near_limit", True),
    ]


def test_a_session_is_bound_when_it_moves_from_another_system():
    accept_until = datetime.fromtimestamp(STARLETTE.now + 60, UTC)
    app = shop(
        clock=lambda: STARLETTE.now,
        migrate_from=[Migration(STARLETTE.reader(), accept_until=accept_until)],
        binding=lambda connection: connection.headers["x-tenant"].encode(),
    )
    client = browser(app)
    client.cookies.update(STARLETTE.cookies)
    statuses = [client.get("/info", headers={"x-tenant": tenant}).json()["status"] for tenant in ("red", "red", "blue")]
    assert statuses == ["valid", "valid", "binding"]


@pytest.mark.parametrize(("age", "renewal"), [(0, True), (IDLE // 2, False)])
def test_renewal_that_is_asked_for_or_declined_does_not_wait_for_its_time(clock, age, renewal):
    app = shop(clock=clock)

    @app.get("/asked")
    async def asked(request: Request) -> None:
        request.session.opened().renew_as(wanted=renewal)

    client = browser(app)
    client.post("/cart/tea")
    clock.advance(age)
    assert ("set-cookie" in client.get("/asked").headers) is renewal


@pytest.mark.parametrize(("path", "age"), [("/cart", IDLE // 4), ("/asked", 1)])
def test_an_empty_session_that_was_only_read_is_renewed_as_any_other(clock, path, age):
    app = shop(clock=clock)

    @app.post("/begin")
    async def begin(session: Current) -> None:
        session.regenerate()

    @app.get("/asked")
    async def asked(request: Request) -> None:
        request.session.get("cart")
        request.session.opened().renew_as(wanted=True)

    client = browser(app)
    client.post("/begin")
    clock.advance(age)
    client.get(path)
    clock.advance(IDLE - 1)
    assert client.get("/info").json()["status"] == "valid"


def test_of_a_large_session_only_the_fields_that_were_edited_are_validated_again():
    validated = []

    class Noticing(Session):
        name: Annotated[str, BeforeValidator(lambda value: validated.append(value) or value)] = ""
        text: str = ""

    visitor = Visitor(model=Noticing)
    visitor.as_model(lambda session: note(session, name="Ada", text="a" * 600))
    validated.clear()
    visitor.as_model(lambda session: note(session, text="b" * 600))
    assert validated == ["Ada"]
    assert visitor.as_model(lambda session: session.text) == "b" * 600


def test_what_follows_a_response_that_ended_its_session_finds_it_ended():
    app, seen = shop(), []

    @app.post("/sign-out")
    async def sign_out(request: Request, session: Current, tasks: BackgroundTasks) -> None:
        async def look() -> None:
            seen.append(await recheck(request))

        session.destroy()
        tasks.add_task(look)

    client = browser(app)
    client.post("/cart/tea")
    client.post("/sign-out")
    assert seen == ["revoked"]


@pytest.fixture
def late_reader(clock, events):
    """A shop in which somebody first looks at the session after the response."""
    app = shop(clock=clock, on_event=events.append)

    @app.get("/late")
    async def late(request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: request.session.get("cart"))

    return browser(app)


def test_a_session_that_was_renewed_unseen_and_is_read_late_has_not_changed(late_reader, clock, events):
    late_reader.post("/cart/tea")
    clock.advance(IDLE // 4)
    late_reader.get("/late")
    assert [event.kind for event in events] == ["created", "renewed"]


@pytest.mark.parametrize("age", [0, IDLE // 4])
def test_a_forged_cookie_that_is_looked_at_late_is_one_rejection_of_that_request(late_reader, clock, events, age):
    late_reader.post("/cart/tea")
    clock.advance(age)
    late_reader.get("/late", headers={"cookie": flipped(cookie_header(late_reader))})
    assert [(event.kind, event.path) for event in events] == [("created", "/cart/tea"), ("rejected", "/late")]


def test_a_late_change_is_told_without_the_fields_that_were_changed_in_time(clock, events):
    app = shop(clock=clock, on_event=events.append)

    @app.get("/order")
    async def order(session: Current, tasks: BackgroundTasks) -> None:
        session.note = "in time"
        tasks.add_task(session.cart.append, "late")

    client = browser(app)
    client.post("/cart/tea")
    client.get("/order")
    assert [(event.kind, event.detail) for event in events[1:]] == [("saved", ""), ("late_change", "fields: cart")]


def test_an_empty_session_that_no_response_could_end_is_reported(clock, events):
    """Written to and empty again, as a dict: the response would have ended it."""
    app = shop(clock=clock, on_event=events.append)

    @app.post("/begin")
    async def begin(session: Current) -> None:
        session.regenerate()

    @app.get("/crash")
    async def crash(request: Request) -> None:
        request.session["flash"] = "shown"
        raise RuntimeError(request.session.pop("flash"))

    client = browser(app, errors_raised=False)
    client.post("/begin")
    client.get("/crash")
    assert [event.kind for event in events] == ["regenerated", "late_change"]


def test_a_key_that_would_not_open_again_is_named_among_others():
    odd = []
    for _ in range(300):
        odd = [odd]
    app = shop()

    @app.post("/keep")
    async def keep(request: Request) -> None:
        request.session.update(fine=1, odd=odd)

    with pytest.raises(SessionNotSerializableError) as caught:
        browser(app).post("/keep")
    assert caught.value.field == "odd"
