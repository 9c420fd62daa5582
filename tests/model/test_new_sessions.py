"""A new session is what the model gives at that moment, whatever it gave when the middleware was built (C-01)."""

from contextvars import ContextVar
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI, Request, WebSocket
from pydantic import ConfigDict, Field, field_validator, model_validator

from fastsession import ConfigurationError, CurrentSession, Session, SessionMiddleware, SessionNotSerializableError
from fastsession.formats import IronSession
from fastsession.payload.codec import PayloadCodec
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import SECRET, browser

language = ContextVar("language", default="en")
settings = {"variant": "a", "ids": False}


@pytest.fixture(autouse=True)
def settings_of_start_up():
    settings.update(variant="a", ids=False, day=date(2026, 1, 1))


class Visit(Session):
    variant: str = Field(default_factory=lambda: settings["variant"])
    day: date = Field(default_factory=lambda: settings["day"])
    language: str = Field(default_factory=language.get)
    visitor: UUID | None = Field(default_factory=lambda: uuid4() if settings["ids"] else None)
    pair: list[int] = (1, 2)  # type: ignore[assignment]  # pydantic does not look at defaults
    price: float = 5
    note: str = ""


class Prepared(Session):
    """Made by code of the application in other ways."""

    variant: str = ""
    note: str = ""

    @model_validator(mode="after")
    def prepare(self):
        self.__dict__["variant"] = self.variant or settings["variant"]
        return self


class Initialised(Session):
    variant: str = ""
    note: str = ""

    def __init__(self, **data: Any) -> None:
        super().__init__(**{"variant": settings["variant"], **data})


class Validated(Session):
    model_config = ConfigDict(validate_default=True)

    variant: str = ""
    note: str = ""

    @field_validator("variant")
    @classmethod
    def fill_in(cls, value: str) -> str:
        return value or settings["variant"]


MODES: dict[str, Any] = {
    "cookies": lambda: {"secret_key": SECRET},
    "revocations": lambda: {"secret_key": SECRET, "revocations": MemoryRevocations()},
    "store": lambda: {"secret_key": SECRET, "store": MemoryStore()},
    "format": lambda: {
        "secret_key": SECRET,
        "format": IronSession(password="half of 32, and" + " another half of it", cookie_name="__Host-s", ttl=1800),
    },
}


@pytest.fixture(params=MODES)
def options(request):
    return MODES[request.param]()


def visits(options, model=Visit):
    """An app that shows its session's fields, changes one, and sets the language for its routes."""
    app = FastAPI()

    @app.get("/")
    async def show(session: CurrentSession[model]) -> dict[str, str]:
        return {name: repr(getattr(session, name)) for name in type(session).__pydantic_fields__}

    @app.get("/untouched")
    async def untouched() -> str:
        return "untouched"

    @app.get("/changed")
    async def changed(session: CurrentSession[model]) -> bool:
        return session.changed

    @app.get("/dict")
    async def keys(request: Request) -> list[str]:
        return sorted(request.session)

    @app.post("/note")
    async def note(session: CurrentSession[model]) -> None:
        session.note = "n"

    @app.post("/clear")
    async def clear(request: Request) -> None:
        request.session.clear()

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, session: CurrentSession[model]) -> None:
        await websocket.accept()
        await websocket.send_text(session.variant)
        await websocket.close()

    async def in_german(scope, receive, send):
        token = language.set("de")
        try:
            await app(scope, receive, send)
        finally:
            # Before the response is looked at: middlewares around this one see another language.
            language.reset(token)

    return browser(SessionMiddleware(in_german, model=model, **options))


def test_a_new_session_asks_for_the_settings_of_its_own_moment(options):
    client = visits(options)
    with client:
        client.get("/")
        settings.update(variant="b", day=date(2026, 2, 2))
        assert client.get("/").json() == {
            "variant": "'b'",
            "day": "datetime.date(2026, 2, 2)",
            "language": "'de'",
            "visitor": "None",
            "pair": "(1, 2)",
            "price": "5",
            "note": "''",
        }


@pytest.mark.parametrize("model", [Visit, Prepared, Initialised, Validated])
def test_an_untouched_new_session_sets_no_cookie_after_the_settings_have_changed(options, model):
    client = visits(options, model)
    with client:
        client.get("/")
        settings["variant"] = "b"
        response = client.get("/")
        assert "set-cookie" not in response.headers
        assert client.get("/changed").json() is False


def test_a_new_session_over_a_websocket_asks_at_its_own_moment(options):
    client = visits(options)
    with client:
        settings["variant"] = "b"
        with client.websocket_connect("/socket") as socket:
            assert socket.receive_text() == "b"


def test_a_new_session_in_the_place_of_a_rejected_cookie_asks_at_its_own_moment(options):
    client = visits(options)
    with client:
        client.post("/note")
        [(name, _)] = client.cookies.items()
        settings["variant"] = "b"
        response = client.get("/", headers={"cookie": f"{name}=garbage"})
        assert response.json()["variant"] == "'b'"
        assert response.json()["pair"] == "(1, 2)"


def test_after_clearing_the_dict_a_new_session_asks_at_its_own_moment(options):
    client = visits(options)
    with client:
        client.post("/note")
        settings["variant"] = "b"
        assert client.get("/").json()["variant"] == "'a'"
        client.post("/clear")
        assert client.cookies == {}
        assert client.get("/").json()["variant"] == "'b'"


def test_a_session_keeps_what_it_began_with(options):
    client = visits(options)
    with client:
        client.post("/note")
        settings.update(variant="b", ids=True)
        response = client.get("/")
        assert (response.json()["variant"], response.json()["visitor"]) == ("'a'", "None")
        assert "set-cookie" not in response.headers


def test_values_that_a_factory_makes_only_since_start_up_are_saved_when_somebody_looks(options):
    client = visits(options)
    with client:
        assert "set-cookie" not in client.get("/").headers
        settings["ids"] = True
        first = client.get("/")
        assert "set-cookie" in first.headers
        assert client.get("/").json()["visitor"] == first.json()["visitor"]


def test_in_the_dict_a_field_counts_as_absent_when_it_is_what_a_new_session_would_have(options):
    client = visits(options)
    with client:
        settings["variant"] = "b"
        assert client.get("/dict").json() == []
        client.post("/note")
        assert client.get("/dict").json() == ["note"]
        settings["variant"] = "c"
        assert client.get("/dict").json() == ["note", "variant"]


def test_a_factory_that_gives_what_would_not_load_leaves_arrived_sessions_alone(options):
    client = visits(options)
    with client:
        client.post("/note")
        settings["variant"] = 5
        assert {"note", "variant"} <= set(client.get("/dict").json())
        client.cookies.clear()
        with pytest.raises(SessionNotSerializableError, match="'variant'"):
            client.post("/note")


def test_a_factory_that_fails_fails_where_a_new_session_is_looked_at(options):
    client = visits(options)
    with client:
        client.post("/note")
        del settings["variant"]
        assert client.get("/").json()["variant"] == "'a'"
        client.cookies.clear()
        with pytest.raises(KeyError, match="variant"):
            client.get("/")
        assert client.get("/untouched").json() == "untouched"


def test_a_model_without_code_of_its_own_is_dumped_once_for_all():
    class Plain(Session):
        cart: list[str] = []
        tags: set[str] = Field(default_factory=set)
        user_id: int | None = None

    codec = PayloadCodec(Plain)
    assert codec.untouched().session is codec.pristine
    assert codec.fresh().cart is not codec.fresh().cart


@pytest.mark.parametrize("default", [["x"], {"a": 1}])
def test_a_default_that_may_be_edited_elsewhere_is_taken_as_it_is_now(default):
    class Shared(Session):
        value: Any = default

    codec = PayloadCodec(Shared)
    default.clear()
    assert codec.fresh() == Shared()
    assert codec.untouched().payload == codec.dump(Shared(), {})


def test_a_factory_without_an_answer_at_start_up_is_told():
    unset = ContextVar[str]("unset")

    class Tenant(Session):
        tenant: str = Field(default_factory=unset.get)

    with pytest.raises(ConfigurationError, match=r"Tenant\(\) raised LookupError when the middleware was built"):
        PayloadCodec(Tenant)
