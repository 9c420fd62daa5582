"""What an application does to the session when its cookie can no longer be sent."""

import pytest
from fastapi import BackgroundTasks, Depends, WebSocket
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.testclient import WebSocketDenialResponse

from fastsession import LateSessionChangeError, Lifetime, SessionMiddleware
from tests.shop import COOKIE, DAY, SECRET, Current, ShopSession, browser, set_cookies, shop
from tests.wire import answer, call, http_scope

VERBS = ("regenerate", "destroy", "remember")


@pytest.fixture
def app(clock, events):
    return shop(clock=clock, on_event=events.append, remember=Lifetime(idle=DAY, absolute=DAY))


def late_changes(events):
    return [(event.path, event.detail) for event in events if event.kind == "late_change"]


def test_a_change_in_a_background_task_is_reported_and_not_sent(app, events, caplog):
    @app.get("/order")
    async def order(session: Current, tasks: BackgroundTasks) -> None:
        tasks.add_task(session.cart.append, "late")

    assert set_cookies(browser(app).get("/order")) == []
    assert late_changes(events) == [("/order", "fields: cart")]
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "path=/order" in record.getMessage()


@pytest.mark.parametrize("raises", [True, False])
def test_a_change_that_cannot_be_written_is_reported_once(app, events, raises):
    @app.get("/order")
    async def order(session: Current, tasks: BackgroundTasks) -> None:
        session.cart.append("in time")
        tasks.add_task(session.cart.append, object())
        if raises:
            session.cart.append(object())

    browser(app, errors_raised=False).get("/order")
    assert late_changes(events) == [("/order", "fields: cart")]


def test_a_change_in_a_streaming_body_is_reported(app, events):
    @app.get("/stream")
    async def stream(session: Current) -> StreamingResponse:
        async def body():
            yield b"first"
            session.note, session.user_id = "late", 1

        return StreamingResponse(body())

    assert browser(app).get("/stream").content == b"first"
    assert late_changes(events) == [("/stream", "fields: note, user_id")]


def test_a_change_behind_a_yield_is_reported(app, events):
    async def shopping(session: Current):
        yield session
        session.cart.append("late")

    @app.get("/yield")
    async def route(session: ShopSession = Depends(shopping)) -> list[str]:  # noqa: B008  (the short spelling)
        session.cart.append("in time")
        return session.cart

    client = browser(app)
    client.get("/yield")
    assert late_changes(events) == [("/yield", "fields: cart")]
    assert client.get("/cart").json() == ["in time"]


def test_a_late_change_through_the_dict_is_reported_by_its_key(app, events):
    @app.get("/flash")
    async def flash(request: Request, tasks: BackgroundTasks) -> None:
        request.session["flash"] = ["in time"]
        tasks.add_task(request.session["flash"].append, "late")
        tasks.add_task(request.session.update, {"other": 1})

    browser(app).get("/flash")
    assert late_changes(events) == [("/flash", "fields: flash, other")]


def test_a_session_first_opened_after_the_response_is_reported_only_when_it_changes(app, events):
    @app.get("/first/{item}")
    async def first(item: str, request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: request.session.get("cart") if item == "none" else request.session.update(cart=[item]))

    browser(app).get("/first/none")
    assert late_changes(events) == []
    browser(app).get("/first/tea")
    assert late_changes(events) == [("/first/tea", "fields: cart")]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("opened_in_time", [True, False])
def test_a_verb_after_the_response_raises_and_says_where_to_call_it(app, verb, opened_in_time):
    refused = []

    def too_late(request):
        session = request.scope["kept"] if opened_in_time else request.scope["fastsession"][0].session()
        with pytest.raises(LateSessionChangeError, match=rf"session\.{verb}\(\).*before the response"):
            getattr(session, verb)()
        refused.append(verb)

    @app.get("/late")
    async def late(request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(too_late, request)

    @app.get("/kept")
    async def kept(request: Request, session: Current, tasks: BackgroundTasks) -> None:
        request.scope["kept"] = session
        tasks.add_task(too_late, request)

    assert set_cookies(browser(app).get("/kept" if opened_in_time else "/late")) == []
    assert refused == [verb]


def test_a_late_value_that_cannot_be_dumped_is_reported_by_its_field(app, events):
    @app.get("/odd")
    async def odd(request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(request.session.update, {"odd": object()})

    browser(app).get("/odd")
    assert late_changes(events) == [("/odd", "fields: odd")]


def test_reading_late_and_changing_in_time_are_no_late_changes(app, events):
    @app.get("/read")
    async def read(session: Current, tasks: BackgroundTasks) -> None:
        session.cart.append("tea")
        tasks.add_task(list, session.cart)

    browser(app).get("/read")
    assert late_changes(events) == []


def test_a_change_before_an_exception_is_reported_because_no_response_carried_it(app, events):
    @app.get("/crash")
    async def crash(session: Current) -> None:
        session.cart.append("lost")
        raise RuntimeError

    client = browser(app, errors_raised=False)
    response = client.get("/crash")
    assert (response.status_code, set_cookies(response)) == (500, [])
    assert late_changes(events) == [("/crash", "no response was sent")]


def test_an_untouched_session_before_an_exception_is_not_reported(app, events):
    @app.get("/crash")
    async def crash(session: Current) -> list[str]:
        raise RuntimeError(session.cart)

    browser(app, errors_raised=False).get("/crash")
    assert late_changes(events) == []


def test_an_exception_that_the_application_answers_itself_carries_the_cookie(app, events):
    @app.exception_handler(LookupError)
    async def sorry(request, error) -> Response:
        return Response(status_code=404)

    @app.get("/lost")
    async def lost(session: Current) -> None:
        session.cart.append("tea")
        raise LookupError

    assert len(set_cookies(browser(app).get("/lost"))) == 1
    assert late_changes(events) == []


@pytest.mark.parametrize(("method", "status_code"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_responses_without_a_body_carry_the_cookie(app, method, status_code):
    @app.api_route("/bodiless/{status_code}", methods=["GET", "HEAD"])
    async def bodiless(status_code: int, session: Current) -> Response:
        session.cart.append("tea")
        return Response(status_code=status_code)

    response = browser(app).request(method, f"/bodiless/{status_code}")
    assert response.status_code == status_code
    assert [line.partition("=")[0] for line in set_cookies(response)] == [COOKIE]


def test_a_change_of_a_visitor_who_has_left_is_reported(events):
    async def inner(scope, receive, send):
        scope["session"]["cart"] = ["tea"]
        # The client is gone, so there is nobody to answer.

    call(SessionMiddleware(inner, secret_key=SECRET, on_event=events.append), http_scope("/left"))
    assert late_changes(events) == [("/left", "no response was sent")]


def test_a_send_that_fails_because_the_client_left_is_the_applications_own_error(events):
    async def inner(scope, receive, send):
        scope["session"]["cart"] = ["tea"]
        await answer(send)

    async def broken_pipe(message):
        raise OSError

    coroutine = SessionMiddleware(inner, secret_key=SECRET, on_event=events.append)(http_scope(), None, broken_pipe)
    with pytest.raises(OSError):
        coroutine.send(None)
    assert late_changes(events) == []


DROPPED = {
    "a field": (lambda session, _: session.cart.append("tea"), "cart"),
    "two fields": (lambda session, _: (session.cart.append("tea"), setattr(session, "note", "x")), "cart, note"),
    "an extra": (lambda _, extras: extras.update(flash="x"), "flash"),
    "a login": (lambda session, _: (session.regenerate(), setattr(session, "user_id", 7)), "user_id, regenerate()"),
    "regenerate alone": (lambda session, _: session.regenerate(), "regenerate()"),
    "remember": (lambda session, _: session.remember(), "remember()"),
}


def failing(app, work, status_code):
    @app.get("/failing")
    async def failing(request: Request, session: Current) -> Response:
        work(session, request.session)
        return Response(status_code=status_code)


@pytest.mark.parametrize("status_code", [500, 503, 599])
@pytest.mark.parametrize("dropped", DROPPED)
def test_a_change_with_a_status_of_500_or_more_is_reported_by_its_fields(app, events, dropped, status_code):
    work, names = DROPPED[dropped]
    failing(app, work, status_code)
    response = browser(app).get("/failing")
    assert (response.status_code, set_cookies(response)) == (status_code, [])
    assert late_changes(events) == [("/failing", f"fields: {names} (a response of status {status_code} saves nothing)")]


def test_a_session_that_arrived_is_reported_by_what_changed_in_it(app, events):
    failing(app, DROPPED["a field"][0], 500)
    client = browser(app)
    client.post("/note/3")
    client.get("/failing")
    assert late_changes(events) == [("/failing", "fields: cart (a response of status 500 saves nothing)")]


def test_a_change_in_a_websockets_denial_of_500_is_reported(app, events):
    @app.websocket("/denied")
    async def denied(websocket: WebSocket, session: Current) -> None:
        session.cart.append("tea")
        await websocket.send_denial_response(Response(status_code=503))

    with pytest.raises(WebSocketDenialResponse), browser(app).websocket_connect("wss://testserver/denied"):
        pass
    assert late_changes(events) == [("/denied", "fields: cart (a response of status 503 saves nothing)")]


def test_a_look_and_a_logout_with_a_status_of_500_are_no_late_changes(app, events):
    failing(app, lambda session, _: session.destroy(), 500)

    @app.get("/look/500")
    async def look(session: Current) -> Response:
        return Response(repr(session.cart), status_code=500)

    client = browser(app)
    client.post("/cart/tea")
    assert len(set_cookies(client.get("/failing"))) == 1
    assert client.get("/look/500").status_code == 500
    assert late_changes(events) == []
