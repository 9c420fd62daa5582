"""starlette-wtf keeps its CSRF token in `request.session` and compares it with the one in the form."""

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from starlette.middleware import Middleware
from starlette_wtf import CSRFProtectMiddleware, StarletteForm, csrf_protect, csrf_token
from wtforms import StringField
from wtforms.validators import InputRequired

from fastsession import CurrentSession, Session, SessionMiddleware, generate_key
from fastsession.testing import opened_session
from tests.shop import browser, set_cookies

SAME_ORIGIN = {"referer": "https://testserver/form"}


class Visit(Session):
    pages: int = 0


class Protected(Session):
    csrf_token: str | None = None


class ContactForm(StarletteForm):
    message = StringField(validators=[InputRequired()])


def site(model: type[Session]) -> FastAPI:
    app = FastAPI(
        middleware=[
            Middleware(SessionMiddleware, model=model, secret_key=generate_key()),
            Middleware(CSRFProtectMiddleware, csrf_secret=generate_key()),
        ]
    )

    @app.get("/token")
    async def token(request: Request) -> PlainTextResponse:
        return PlainTextResponse(csrf_token(request))

    @app.post("/form")
    @csrf_protect
    async def form(request: Request) -> list[str | None]:
        contact = await ContactForm.from_formdata(request)
        return [contact.message.data] if await contact.validate() else []

    @app.post("/login")
    async def login(session: CurrentSession[Session]) -> None:
        session.regenerate()

    @app.post("/logout")
    async def logout(session: CurrentSession[Session]) -> None:
        session.destroy()

    return app


@pytest.fixture(params=[Session, Visit, Protected], ids=["default_model", "typed_model", "declared_token"])
def app(request):
    return site(request.param)


@pytest.fixture
def client(app):
    return browser(app)


def submit(client, token: str):
    return client.post("/form", data={"message": "hello", "csrf_token": token}, headers=SAME_ORIGIN)


def test_a_form_with_its_token_is_accepted(client):
    assert submit(client, client.get("/token").text).json() == ["hello"]


def test_a_form_without_a_token_is_refused(client):
    client.get("/token")
    assert submit(client, "").status_code == 403


def test_a_token_of_another_session_is_refused(app, client):
    client.get("/token")
    assert submit(client, browser(app).get("/token").text).status_code == 403


def test_a_token_without_a_session_is_refused(app, client):
    assert submit(browser(app), client.get("/token").text).status_code == 403


def test_a_second_token_of_the_same_session_sets_no_cookie(client):
    first = client.get("/token").text
    second = client.get("/token")
    assert set_cookies(second) == []
    assert submit(client, first).status_code == submit(client, second.text).status_code == 200


def test_a_token_serves_after_the_session_was_regenerated(client):
    token = client.get("/token").text
    client.post("/login")
    assert submit(client, token).status_code == 200


def test_a_token_ends_with_its_session(client):
    token = client.get("/token").text
    client.post("/logout")
    assert submit(client, token).status_code == 403


def test_a_declared_token_lands_in_the_model():
    client = browser(site(Protected))
    client.get("/token")
    assert opened_session(client.app, client, Protected).csrf_token
