"""`format=`: the session in another system's cookie, which that system reads and writes too."""

import pytest
from fastapi import FastAPI, Request
from pydantic import ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator

from fastsession import CurrentSession, Lifetime, Session, SessionMiddleware
from fastsession.formats import ClientSessions, Iron, IronSession, Yar
from fastsession.testing import opened_session, sealed_cookies
from tests.other_side import FORMATS, NAME, PASSWORD, OtherSide
from tests.shop import (
    ABSOLUTE,
    DAY,
    IDLE,
    MINUTE,
    SECRET,
    START,
    ShopSession,
    browser,
    cookie_header,
    set_cookies,
    shop,
)


@pytest.fixture(params=FORMATS)
def shared(request):
    return FORMATS[request.param]


@pytest.fixture
def app(shared, clock, events):
    return shop(format=shared, clock=clock, on_event=events.append)


@pytest.fixture
def client(app):
    return browser(app)


@pytest.fixture
def other(shared, client, clock):
    return OtherSide(shared, client, clock)


def kinds(events):
    return [event.kind for event in events]


def test_the_models_keys_are_top_level_and_our_own_data_is_under_one_key(client, other):
    client.post("/login")
    client.post("/cart/tea")
    metadata = other.data.pop("_fastsession")
    assert {**other.data, "_fastsession": None} == {
        "user_id": 42,
        "cart": ["tea"],
        "note": "",
        "_fastsession": None,
    }
    assert {name: type(value) for name, value in metadata.items()} == {
        "id": str,
        "created_at": int,
        "authenticated_at": int,
        "renewed_at": int,
        "remembered": bool,
        "binding": str,
    }


def test_what_request_session_holds_is_top_level_too(client, other):
    client.post("/update", json={"theme": "dark", "user_id": 7})
    assert (other.data["theme"], other.data["user_id"]) == ("dark", 7)
    other.write({**other.data, "theme": "light"})
    assert client.get("/view").json() == {"user_id": 7, "theme": "light"}


def test_what_the_other_side_changes_is_seen_and_sets_no_cookie(client, other):
    client.post("/cart/tea")
    other.write({**other.data, "cart": ["tea", "milk"]})
    response = client.get("/cart")
    assert (response.json(), set_cookies(response)) == (["tea", "milk"], [])


def test_reading_sets_no_cookie_and_changing_does(client):
    assert set_cookies(client.get("/cart")) == []
    assert len(set_cookies(client.post("/cart/tea"))) == 1
    assert set_cookies(client.get("/cart")) == []
    assert set_cookies(client.get("/public")) == []


@pytest.mark.parametrize("path", ["/public", "/cart"])
def test_a_session_that_the_other_side_began_gets_an_id_once(client, other, events, path):
    other.write({"user_id": 7, "cart": ["tea"]})
    assert len(set_cookies(client.get(path))) == 1
    assert set_cookies(client.get(path)) == []
    info = client.get("/info").json()
    assert (kinds(events), info["id"], info["is_new"]) == (["renewed"], events[0].session, False)
    assert (other.data["user_id"], other.data["cart"]) == (7, ["tea"])


def test_info_names_the_format(shared, client, other):
    assert client.get("/info").json()["origin"] is None
    other.write({"user_id": 7})
    info = client.get("/info").json()
    assert (info["origin"], info["status"]) == (type(shared).__name__, "valid")


def test_the_idle_deadline_moves_even_when_nobody_looks(client, other, clock, events):
    client.post("/cart/tea")
    created_at = other.data["_fastsession"]["created_at"]
    clock.advance(IDLE // 4 - 1)
    assert set_cookies(client.get("/public")) == []
    clock.advance(1)
    assert len(set_cookies(client.get("/public"))) == 1
    clock.advance(IDLE - 1)
    assert client.get("/info").json()["status"] == "valid"
    assert kinds(events)[:2] == ["created", "renewed"]
    assert other.data["_fastsession"]["created_at"] == created_at == START


def test_the_idle_timeout_ends_the_session(client, clock, events):
    client.post("/cart/tea")
    clock.advance(IDLE)
    assert client.get("/info").json()["status"] == "expired_idle"
    assert kinds(events) == ["created", "rejected"]


def test_the_absolute_timeout_counts_from_the_beginning_whoever_wrote_since(client, other, clock):
    client.post("/cart/tea")
    for _ in range(ABSOLUTE // (20 * MINUTE) - 1):
        clock.advance(20 * MINUTE)
        client.get("/public")
        other.write({**other.data, "note": "written there"})
    clock.advance(20 * MINUTE - 1)
    assert client.get("/info").json()["status"] == "valid"
    other.write(other.data)
    clock.advance(1)
    assert client.get("/info").json()["status"] == "expired_absolute"


def test_regenerate_gives_another_id_and_restarts_the_clocks(client, other, clock, events):
    other.write({"cart": ["tea"]})
    client.get("/cart")
    before = other.data["_fastsession"]
    clock.advance(60)
    client.post("/login")
    after = other.data["_fastsession"]
    assert before["id"] != after["id"]
    assert (before["created_at"], before["authenticated_at"]) == (START, 0)
    assert (after["created_at"], after["authenticated_at"]) == (START + 60, START + 60)
    assert kinds(events) == ["renewed", "regenerated"]
    assert other.data["cart"] == ["tea"]


def test_destroy_clears_the_cookie_and_so_ends_the_session_on_both_sides(client, events):
    client.post("/login")
    assert set_cookies(client.post("/logout")) == [f"{NAME}=; path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
    assert list(client.cookies.jar) == []
    assert kinds(events) == ["regenerated", "destroyed"]


def test_a_tampered_cookie_is_rejected_once_and_stays_until_a_logout(client, other, events):
    other.write({"user_id": 7})
    header = cookie_header(client)
    middle = len(header) // 2
    broken = header[:middle] + ("A" if header[middle] != "A" else "B") + header[middle + 1 :]
    response = client.get("/info", headers={"cookie": broken})
    assert response.json()["status"] in {"forged", "malformed"}
    assert set_cookies(response) == []
    response = client.post("/logout", headers={"cookie": broken})
    assert set_cookies(response) == [f"{NAME}=; path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
    assert kinds(events) == ["rejected"]


def test_a_tampered_cookie_that_nobody_looks_at_is_left_alone(client, events):
    assert set_cookies(client.get("/public", headers={"cookie": f"{NAME}=tampered"})) == []
    assert events == []


def test_a_remembered_session_stays_one_through_the_other_side(shared, clock):
    lasting = {
        "IronSession": IronSession(password=PASSWORD, cookie_name=NAME, ttl=14 * DAY),
        "ClientSessions": ClientSessions(secret=PASSWORD, cookie_name=NAME, duration=14 * DAY),
        "Iron": Iron(password=PASSWORD, cookie_name=NAME, ttl=14 * DAY),
        "Yar": Yar(password=PASSWORD, cookie_name=NAME, ttl=14 * DAY),
    }[type(shared).__name__]
    client = browser(shop(format=lasting, clock=clock, remember=Lifetime(idle=14 * DAY, absolute=30 * DAY)))
    other = OtherSide(lasting, client, clock)
    assert f"Max-Age={14 * DAY}" in set_cookies(client.post("/remember/true"))[0]
    other.write({**other.data, "user_id": 7})
    clock.advance(2 * DAY)
    info = client.get("/info").json()
    assert (info["status"], info["remembered"]) == ("valid", True)


def test_a_bound_session_counts_only_where_it_was_bound(shared, clock):
    app = shop(format=shared, clock=clock, binding=lambda connection: connection.headers["x-tenant"].encode())
    client = browser(app)
    other = OtherSide(shared, client, clock)
    other.write({"user_id": 7})
    statuses = [client.get("/info", headers={"x-tenant": tenant}).json()["status"] for tenant in ("one", "one", "two")]
    assert statuses == ["valid", "valid", "binding"]


def test_the_test_helpers_seal_and_open_the_format(app, client, shared):
    client.cookies = sealed_cookies(app, ShopSession(user_id=7))
    assert list(client.cookies) == [shared.cookie_name]
    assert opened_session(app, client).user_id == 7


def test_yars_id_is_one_for_the_whole_session(clock):
    yar = FORMATS["Yar"]
    client = browser(shop(format=yar, clock=clock))

    def id_():
        return yar.read({cookie.name: cookie.value for cookie in client.cookies.jar}, now=clock()).id

    client.post("/cart/tea")
    first = id_()
    client.post("/cart/milk")
    assert id_() == first
    client.post("/login")
    assert id_() != first


class OpenSession(Session):
    """Holds what it does not declare, and writes one field under a short key."""

    model_config = ConfigDict(extra="allow")
    user_id: int | None = None

    @model_serializer(mode="wrap")
    def shortened(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        written = handler(self)
        return {"u": written.pop("user_id"), **written}

    @model_validator(mode="before")
    @classmethod
    def lengthened(cls, data: dict[str, object]) -> dict[str, object]:
        return {"user_id" if name == "u" else name: value for name, value in data.items()}


def test_what_the_model_writes_without_declaring_it_stays_the_model_s(shared, clock):
    app = FastAPI()

    @app.post("/login")
    async def login(request: Request, session: CurrentSession[OpenSession]) -> None:
        session.user_id, session.free = 42, [1]
        request.session["flash"] = "welcome"

    @app.get("/")
    async def show(request: Request, session: CurrentSession[OpenSession]) -> tuple[object, ...]:
        return session.user_id, session.model_extra, dict(request.session)

    client = browser(SessionMiddleware(app, secret_key=SECRET, model=OpenSession, format=shared, clock=clock))
    client.post("/login")
    assert client.get("/").json() == [42, {"free": [1]}, {"user_id": 42, "flash": "welcome"}]
    other = OtherSide(shared, client, clock)
    assert {**other.data, "_fastsession": 0} == {"u": 42, "free": [1], "flash": "welcome", "_fastsession": 0}
