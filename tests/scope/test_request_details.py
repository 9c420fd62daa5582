"""What a request's session tells of how it arrived, to the word."""

import pytest
from fastapi import Request

from fastsession import ConfigurationError, SessionMiddleware
from tests.shop import SECRET, browser, shop
from tests.wire import answer, call, http_scope


def test_a_session_that_did_not_arrive_has_no_origin(client):
    info = client.get("/info").json()
    assert (info["status"], info["origin"]) == ("absent", None)


def test_without_a_second_lifetime_the_message_is_what_to_write():
    with pytest.raises(ConfigurationError) as caught:
        browser(shop()).post("/remember/true")
    assert str(caught.value) == (
        "session.remember() needs SessionMiddleware(..., remember=Lifetime(idle=..., absolute=...))."
    )


def test_a_session_that_is_saved_again_stays_bound(clock):
    client = browser(shop(clock=clock, binding=lambda connection: connection.headers["x-tenant"].encode()))
    for _ in range(2):
        client.post("/cart/tea", headers={"x-tenant": "red"})
    assert client.get("/cart", headers={"x-tenant": "red"}).json() == ["tea", "tea"]
    assert client.get("/cart", headers={"x-tenant": "blue"}).json() == []


@pytest.mark.parametrize(
    "keep",
    [lambda session: session.session().regenerate(), lambda session: session.mark_modified()],
    ids=["regenerated", "marked"],
)
def test_an_emptied_session_that_is_to_be_saved_does_not_end(clock, events, keep):
    app = shop(clock=clock, on_event=events.append)

    @app.post("/empty")
    async def empty(request: Request) -> None:
        request.scope["session"].clear()
        keep(request.scope["session"])

    client = browser(app)
    client.post("/cart/tea")
    client.post("/empty")
    assert client.get("/info").json()["status"] == "valid"
    assert "destroyed" not in [event.kind for event in events]


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_the_application_finds_the_headers_whatever_iterable_they_are(kind):
    found = []

    async def app(scope, receive, send):
        scope["session"]["seen"] = scope["session"].get("seen", 0) + 1
        found.append((scope["session"]["seen"], Request(scope).headers.get("x-request-id")))
        await answer(send)

    middleware, headers = SessionMiddleware(app, secret_key=SECRET), [(b"x-request-id", b"7")]
    for _ in range(2):
        scope = http_scope()
        [start, _] = call(middleware, {**scope, "headers": kind([*scope["headers"], *headers])})
        headers.append((b"cookie", dict(start["headers"])[b"set-cookie"].partition(b";")[0]))
    assert found == [(1, "7"), (2, "7")]
