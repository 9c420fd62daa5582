"""Routes that are generators themselves, as FastAPI streams lines of JSON and server-sent events."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, Request
from fastapi.sse import EventSourceResponse

from fastsession import ConfigurationError, LateSessionChangeError, SessionStatus, recheck, require
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import Current, ShopSession, browser, set_cookies, shop

SignedIn = Annotated[ShopSession, Depends(require(lambda session: session.user_id is not None))]


@pytest.fixture
def app(clock, events):
    return shop(clock=clock, on_event=events.append)


def late_changes(events):
    return [event.detail for event in events if event.kind == "late_change"]


def test_lines_of_json_show_the_session_and_change_nothing(app, events):
    @app.get("/lines")
    async def lines(session: Current) -> AsyncIterable[list[str]]:
        yield session.cart
        session.cart.append("late")
        yield session.cart

    client = browser(app)
    client.post("/cart/tea")
    response = client.get("/lines")
    assert response.text.splitlines() == ['["tea"]', '["tea","late"]']
    assert (set_cookies(response), response.headers["vary"]) == ([], "Cookie")
    assert late_changes(events) == ["fields: cart"]
    assert client.get("/cart").json() == ["tea"]


def test_a_generator_that_is_no_coroutine_changes_nothing_either(app, events):
    @app.get("/lines")
    def lines(request: Request) -> Iterable[dict[str, Any]]:
        request.session["coupon"] = "SPRING"
        yield {"user": request.session.get("user_id")}

    assert browser(app).get("/lines").json() == {"user": None}
    assert late_changes(events) == ["fields: coupon"]


@pytest.mark.parametrize("verb", ["regenerate", "destroy"])
def test_a_verb_in_a_generator_raises(app, verb):
    @app.get("/lines")
    async def lines(session: Current) -> AsyncIterable[str]:
        with pytest.raises(LateSessionChangeError):
            getattr(session, verb)()
        yield "told"

    assert browser(app).get("/lines").json() == "told"


@pytest.mark.anyio
@pytest.mark.parametrize("backend", [{"revocations": MemoryRevocations}, {"store": MemoryStore}], ids=list)
async def test_events_end_when_the_user_signs_out_in_another_tab(clock, backend):
    app = shop(clock=clock, **{option: made() for option, made in backend.items()})

    @app.get("/events", response_class=EventSourceResponse)
    async def events(request: Request, session: SignedIn) -> AsyncIterable[int | None]:
        for _ in range(3):
            if await recheck(request) is not SessionStatus.VALID:
                return
            yield session.user_id
            await other_tab.post("/logout")

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as tab:
        await tab.post("/login")
        async with httpx.AsyncClient(
            transport=transport, base_url="https://testserver", cookies=tab.cookies
        ) as other_tab:
            assert (await tab.get("/events")).text == "data: 42\n\n"
            refused = await tab.get("/events")
    assert (refused.status_code, set_cookies(refused)) == (401, [])


def test_a_session_among_the_parameters_of_a_generator_is_refused_as_anywhere(app):
    @app.get("/lines")
    async def lines(session: ShopSession) -> AsyncIterable[str]:
        yield session.note

    with pytest.raises(ConfigurationError, match=r"Write session: CurrentSession\[ShopSession\]"):
        browser(app).get("/lines")


@pytest.mark.parametrize(("scope", "kept"), [("function", ["before", "after"]), ("request", ["before"])])
def test_behind_the_yield_of_a_dependency_a_change_is_in_time_if_the_dependency_ends_with_the_function(
    app, events, scope, kept
):
    async def shopping(session: Current) -> AsyncIterator[ShopSession]:
        session.cart.append("before")
        yield session
        session.cart.append("after")

    @app.post("/shop")
    async def route(session: Annotated[ShopSession, Depends(shopping, scope=scope)]) -> int:
        return len(session.cart)

    client = browser(app)
    assert client.post("/shop").json() == 1
    assert client.get("/cart").json() == kept
    assert late_changes(events) == ([] if scope == "function" else ["fields: cart"])
