"""`binding=SignedIn(...)`: a session of ours ends when another user, or nobody, is signed in at the front end."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import WebSocket

from fastsession import SignedIn, StoreUnavailableError
from fastsession.formats import AuthjsSession, BetterAuthSession, ForeignSession, IronSession, NuxtSession
from fastsession.formats.claims import TOLERANCE
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.front_ends import AUTH_SECRET, AUTHJS_COOKIE, BETTER_AUTH_COOKIE, authjs_cookie, better_auth_cookie
from tests.shop import DAY, START, Current, browser, set_cookies, shop

NOW = datetime.fromtimestamp(START, UTC)
MODES = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
    "format": lambda: {
        "format": IronSession(password="shared with a server in Node, long enough", cookie_name="__Host-shop"),
    },
}
WAYS = {"model": ("/cart/tea", "/cart", []), "dict": ("/update", "/view", {})}


def front_end(clock):
    return SignedIn(AuthjsSession(secret=AUTH_SECRET), clock=clock)


class Visitor:
    """A browser that the front end signs in and out, with our cookies beside its own."""

    def __init__(self, app, clock):
        self.client = browser(app)
        self.clock = clock

    def sign_in(self, user, **claims):
        self.client.cookies.set(
            AUTHJS_COOKIE, authjs_cookie(user, at=self.clock(), **claims), domain="testserver.local"
        )

    def sign_out(self):
        self.client.cookies.delete(AUTHJS_COOKIE)

    def get(self, path):
        return self.client.get(path).json()

    def begin(self, path="/cart/tea"):
        return self.client.post(path, json={"color": "red"})


@pytest.fixture(params=MODES)
def visitor(request, clock, events):
    app = shop(clock=clock, binding=front_end(clock), on_event=events.append, **MODES[request.param]())

    @app.websocket("/live")
    async def live(socket: WebSocket, session: Current) -> None:
        await socket.accept()
        await socket.send_json(session.cart)
        await socket.close()

    return Visitor(app, clock)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("then", ["another user", "nobody"])
def test_the_session_ends_before_the_route_sees_it(visitor, events, way, then):
    write, read, empty = WAYS[way]
    visitor.sign_in("ada")
    visitor.begin(write)
    before = visitor.get("/info")
    assert before["status"] == "valid"
    assert visitor.get(read) != empty
    events.clear()
    visitor.sign_in("bob") if then == "another user" else visitor.sign_out()
    assert visitor.get(read) == empty
    assert [(event.kind, event.status) for event in events] == [("rejected", "binding")]
    after = visitor.get("/info")
    assert (after["is_new"], after["status"]) == (True, "binding")
    assert after["id"] != before["id"]
    assert len(events) == 1


def test_what_the_next_user_writes_is_a_session_of_theirs(visitor):
    visitor.sign_in("ada")
    visitor.begin()
    visitor.sign_in("bob")
    assert visitor.client.post("/cart/milk").json() == ["milk"]
    assert visitor.get("/info")["status"] == "valid"
    visitor.sign_in("ada")
    assert visitor.get("/cart") == []


def test_on_a_socket_it_is_the_same(visitor):
    visitor.sign_in("ada")
    visitor.begin()
    for user, cart in (("ada", ["tea"]), ("bob", [])):
        visitor.sign_in(user)
        with visitor.client.websocket_connect("wss://testserver/live") as socket:
            assert socket.receive_json() == cart


def test_a_renewal_at_the_front_end_keeps_the_session(visitor, clock):
    visitor.sign_in("ada")
    visitor.begin()
    before = visitor.get("/info")["id"]
    clock.advance(60)
    visitor.sign_in("ada", picture="another one")
    assert visitor.get("/cart") == ["tea"]
    assert visitor.get("/info")["id"] == before


def test_signing_in_is_a_change_too_so_that_nothing_planted_before_survives_it(visitor):
    visitor.begin()
    assert visitor.get("/cart") == ["tea"]
    visitor.sign_in("ada")
    assert visitor.get("/cart") == []


def test_a_cookie_of_the_front_end_that_has_ended_is_nobody(visitor, clock):
    visitor.sign_in("ada", days=1)
    clock.advance(DAY)
    visitor.begin()
    assert visitor.get("/info")["status"] == "valid"
    clock.advance(TOLERANCE)
    assert visitor.get("/info")["status"] == "binding"


def test_the_front_ends_cookie_is_not_written_or_deleted(visitor):
    visitor.sign_in("ada")
    lines = set_cookies(visitor.begin())
    visitor.sign_in("bob")
    lines += set_cookies(visitor.begin()) + set_cookies(visitor.client.post("/logout"))
    assert lines
    assert not any(AUTHJS_COOKIE in line for line in lines)


def test_users_whom_the_front_end_does_not_name_are_not_taken_for_one(clock):
    visitor = Visitor(shop(clock=clock, binding=front_end(clock)), clock)
    visitor.sign_in(None, email="ada@example.com")
    visitor.begin()
    clock.advance(5)
    visitor.sign_in(None, email="ada@example.com")
    assert visitor.get("/cart") == ["tea"]
    visitor.sign_in(None, email="bob@example.com")
    assert visitor.get("/cart") == []


def test_a_new_session_at_better_auth_ends_ours_even_of_the_same_user(clock):
    def row(token):
        times = {"createdAt": NOW, "expiresAt": NOW + timedelta(days=7)}
        session = {"id": f"id of {token}", "token": token, "userId": "ada", **times}
        return {"session": session, "user": {"id": "ada", "email": "ada@example.com", "name": "Ada"}}

    reader = BetterAuthSession(secret=AUTH_SECRET, store={token: row(token) for token in ("first", "second")})
    client = browser(shop(clock=clock, binding=SignedIn(reader, clock=clock)))
    for token, cart in (("first", ["tea"]), ("first", ["tea", "tea"]), ("second", ["tea"])):
        client.cookies.set(BETTER_AUTH_COOKIE, better_auth_cookie(token), domain="testserver.local")
        assert client.post("/cart/tea").json() == cart


def test_the_front_ends_store_is_asked_once_a_request_and_its_outage_is_503(clock):
    class Down:
        asked = 0

        async def get(self, token):
            self.asked += 1
            await asyncio.sleep(0)
            message = "The database did not answer."
            raise StoreUnavailableError(message)

    store = Down()
    reader = SignedIn(BetterAuthSession(secret=AUTH_SECRET, store=store), clock=clock)
    client = browser(shop(clock=clock, binding=reader))
    assert client.get("/cart").status_code == 200
    client.cookies.set(BETTER_AUTH_COOKIE, better_auth_cookie("any"), domain="testserver.local")
    response = client.get("/cart")
    assert (response.status_code, response.headers["retry-after"], store.asked) == (503, "1", 1)


def test_a_session_of_nuxt_is_bound_to_its_user_and_to_itself(clock):
    reader = NuxtSession(password="a password of the front end, long enough")
    bound = SignedIn(reader, subject=lambda data: (data.get("user") or {}).get("id"), clock=clock)
    client = browser(shop(clock=clock, binding=bound))

    def arrive(user, session_id):
        value = reader.write(ForeignSession({"user": {"id": user}}, id=session_id), now=clock())["nuxt-session"]
        client.cookies.set("nuxt-session", value, domain="testserver.local")
        return client.post("/cart/tea").json()

    assert arrive(1, "a") == ["tea"]
    assert arrive(1, "a") == ["tea", "tea"]
    assert arrive(2, "a") == ["tea"]
    assert arrive(2, "b") == ["tea"]
