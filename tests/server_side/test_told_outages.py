"""An outage is told by one event with its cause, whatever it does to the response."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from fastsession import SessionMiddleware, StoreUnavailableError, generate_key, get_session
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.server_side.counting import Counting
from tests.server_side.site import Home
from tests.shop import IDLE, SECRET, ShopSession, set_cookies
from tests.wire import answer, http_scope

OLD_KEY, KEY = generate_key(), generate_key()
FAR_AWAY = "the denials are 61 s old"


class Revocations(MemoryRevocations):
    """Revocations of one's own that can lose their source, before a request or while it is under way."""

    away = False

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        if self.away:
            raise StoreUnavailableError(FAR_AWAY)
        return super().denied(session, owner, created_at)


class Site:
    def __init__(self, clock, events, secret_key=KEY, **options):
        self.app = FastAPI()
        self.app.add_middleware(
            SessionMiddleware,
            secret_key=secret_key,
            secret_key_fallbacks=[OLD_KEY],
            clock=clock,
            on_event=events.append,
            **options,
        )
        self.app.post("/")(self.write)
        self.app.get("/")(self.read)
        self.app.get("/{backend}")(self.read_and_lose)
        self.client = TestClient(self.app, base_url="https://testserver")
        self.backends = options

    async def write(self, request: Request) -> None:
        request.session["seen"] = True

    async def read(self, request: Request) -> dict[str, bool]:
        return dict(request.session)

    async def read_and_lose(self, request: Request) -> dict[str, bool]:
        """Look at the session, and lose the backend before the response."""
        shown = dict(request.session)
        if "store" in self.backends:
            self.backends["store"].fail_on = "replace"
        else:
            self.backends["revocations"].away = True
        return shown


def outages(events):
    return [(event.path, event.detail) for event in events if event.kind == "unavailable"]


OUTAGES = pytest.mark.parametrize("outage", ["unavailable", "anonymous"])


@OUTAGES
@pytest.mark.parametrize("backend", ["store", "revocations"])
@pytest.mark.parametrize("due_by", ["its age", "a rotated key"])
def test_a_renewal_that_fails_is_told_and_costs_nothing(clock, events, backend, due_by, outage):
    backends = {"store": Counting(MemoryStore(clock=clock))} if backend == "store" else {"revocations": Revocations()}
    site = Site(clock, events, OLD_KEY if due_by == "a rotated key" else KEY, store_outage=outage, **backends)
    site.client.post("/")
    if due_by == "its age":
        clock.advance(IDLE // 2)
    else:
        kept, site = site.client.cookies, Site(clock, events, store_outage=outage, **backends)
        site.client.cookies = kept
    response = site.client.get("/lost")
    assert (response.status_code, response.json(), set_cookies(response)) == (200, {"seen": True}, [])
    assert outages(events) == [("/lost", "told to fail" if backend == "store" else FAR_AWAY)]


def test_an_outage_that_makes_sessions_anonymous_is_told_once_in_a_while(clock, events):
    revocations = Revocations()
    site = Site(clock, events, revocations=revocations, store_outage="anonymous")
    site.client.post("/")
    revocations.away = True
    for _ in range(3):
        response = site.client.get("/")
        assert (response.status_code, response.json(), set_cookies(response)) == (200, {}, [])
    assert outages(events) == [("/", FAR_AWAY)]
    clock.advance(10)
    site.client.get("/")
    assert outages(events) == [("/", FAR_AWAY)] * 2
    revocations.away = False
    assert site.client.get("/").json() == {"seen": True}


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["revocations", "store", "both"])
async def test_an_outage_of_what_stands_around_the_middleware_is_not_told_as_one_of_its_own(mode, clock, events):
    """A middleware further out keeps something in a store of its own, which is away when the response starts."""
    asked = []

    async def write(scope, receive, send):
        session = await get_session(HTTPConnection(scope))
        session.note = "written"
        await answer(send)

    async def away(message):
        asked.append(message["type"])
        raise StoreUnavailableError("theirs")

    options = Home("memory", {}, clock).options(mode)
    app = SessionMiddleware(write, model=ShopSession, secret_key=SECRET, on_event=events.append, **options)
    with pytest.raises(StoreUnavailableError, match="theirs"):
        await app(http_scope(), None, away)
    assert asked == ["http.response.start"]
    assert [event.kind for event in events] == ["created"]
