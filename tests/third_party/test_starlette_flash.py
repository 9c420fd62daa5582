"""starlette-flash keeps its messages in a list in `request.session` and edits that list in place."""

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette_flash import flash
from starlette_flash.flash import get_messages_for_template

from fastsession import Session, SessionMiddleware, generate_key
from tests.shop import browser, set_cookies


class Visit(Session):
    pages: int = 0


class Flashing(Session):
    flash_messages: list[dict[str, str]] = []


app = FastAPI()


@app.post("/flash/{category}/{message}")
async def add(request: Request, category: str, message: str) -> None:
    flash(request).add(message, category)


@app.get("/redirect")
async def redirect(request: Request) -> RedirectResponse:
    flash(request).success("first").error("second")
    return RedirectResponse("/show")


@app.get("/show")
async def show(request: Request) -> list[dict[str, str]]:
    return get_messages_for_template(request)


@app.get("/peek")
async def peek(request: Request) -> list[dict[str, str]]:
    return flash(request).all()


@app.get("/one/{category}")
async def one(request: Request, category: str) -> list[dict[str, str]]:
    return flash(request).get_by_category(category)


@app.get("/loop")
async def loop(request: Request) -> list[str]:
    return [message["message"] for message in flash(request)]


@app.get("/any")
async def any_waiting(request: Request) -> bool:
    return bool(flash(request))


@app.post("/clear")
async def clear(request: Request) -> None:
    flash(request).clear()


@app.post("/append")
async def append(request: Request) -> None:
    request.session["flash_messages"].append({"category": "info", "message": "by hand"})


@pytest.fixture(params=[Session, Visit, Flashing], ids=["default_model", "typed_model", "declared_messages"])
def client(request):
    return browser(SessionMiddleware(app, model=request.param, secret_key=generate_key()))


def test_a_message_is_shown_by_the_next_request(client):
    client.post("/flash/info/saved")
    assert client.get("/show").json() == [{"category": "info", "message": "saved"}]


def test_a_message_is_shown_once(client):
    client.post("/flash/info/saved")
    client.get("/show")
    assert client.get("/show").json() == []


def test_messages_survive_a_redirect(client):
    assert [message["message"] for message in client.get("/redirect").json()] == ["first", "second"]


def test_messages_of_several_requests_add_up_in_order(client):
    for message in ("one", "two", "three"):
        client.post(f"/flash/info/{message}")
    assert client.get("/loop").json() == ["one", "two", "three"]
    assert client.get("/loop").json() == []


def test_peeking_keeps_the_messages_and_the_cookie(client):
    client.post("/flash/info/saved")
    peeked = client.get("/peek")
    assert peeked.json() == client.get("/peek").json()
    assert set_cookies(peeked) == []
    assert client.get("/any").json() is True


def test_one_category_is_taken_and_the_others_wait(client):
    client.post("/flash/error/failed")
    client.post("/flash/info/saved")
    assert client.get("/one/error").json() == [{"category": "error", "message": "failed"}]
    assert client.get("/show").json() == [{"category": "info", "message": "saved"}]


def test_cleared_messages_stay_away(client):
    client.post("/flash/info/saved")
    client.post("/clear")
    assert client.get("/any").json() is False


def test_a_list_edited_in_place_is_noticed(client):
    client.post("/flash/info/saved")
    client.post("/append")
    assert client.get("/loop").json() == ["saved", "by hand"]
