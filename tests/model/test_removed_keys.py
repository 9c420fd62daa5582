"""Keys that a request wrote and removed again, where no session had arrived: nothing has ended by that."""

import pytest
from fastapi import Request

from fastsession.formats import IronSession
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import COOKIE, IDLE, SECRET, browser, cookie_header, set_cookies, shop

MODES = {
    "cookies": lambda clock: {},
    "revocations": lambda clock: {"revocations": MemoryRevocations(clock=clock)},
    "store": lambda clock: {"store": MemoryStore(clock=clock)},
    "format": lambda clock: {"format": IronSession(password=SECRET[::-1], cookie_name="app", ttl=IDLE)},
}


def flash(session):
    session["_messages"] = ["saved"]
    session.pop("_messages")


def flash_one_by_one(session):
    session.update({"one": 1, "two": 2})
    while session:
        session.popitem()


def default(session):
    session["user_id"] = None


def default_if_absent(session):
    session.setdefault("user_id", None)


def deleted(session):
    session["state"] = "x"
    del session["state"]


@pytest.fixture(params=MODES)
def app(request, clock):
    app = shop(clock=clock, **MODES[request.param](clock))

    @app.post("/poll/{deed}")
    async def poll(deed: str, request: Request) -> None:
        DEEDS[deed](request.session)

    @app.post("/poll-and-write")
    async def poll_and_write(request: Request) -> None:
        deleted(request.session)
        request.session["seen"] = 1

    return app


def tells_sessions_apart(app):
    return bool({"revocations", "store"} & app.user_middleware[0].kwargs.keys())


DEEDS = {deed.__name__: deed for deed in (flash, flash_one_by_one, default, default_if_absent, deleted)}
each_deed = pytest.mark.parametrize("deed", DEEDS)


@each_deed
def test_a_late_answer_to_a_cookie_that_is_over_deletes_no_login(app, clock, deed):
    client = browser(app)
    client.post("/login")
    old = cookie_header(client)
    clock.advance(IDLE)
    client.post("/login")
    assert set_cookies(browser(app).post(f"/poll/{deed}", headers={"cookie": old})) == []


@each_deed
def test_a_late_answer_to_a_cookie_from_before_a_login_deletes_no_login(app, deed):
    if not tells_sessions_apart(app):
        pytest.skip("with a cookie alone the old session is as good as the new one")
    client = browser(app)
    client.post("/note/1")
    old = cookie_header(client)
    client.post("/login")
    response = browser(app).post(f"/poll/{deed}", headers={"cookie": old})
    assert not any("Max-Age=0" in line for line in set_cookies(response))


@each_deed
def test_garbage_under_our_name_stays(app, deed):
    name = "app" if "format" in app.user_middleware[0].kwargs else COOKIE
    response = browser(app).post(f"/poll/{deed}", headers={"cookie": f"{name}=garbage"})
    assert set_cookies(response) == []


def test_a_change_beside_a_removed_key_does_not_replace_a_login_either(app):
    if not tells_sessions_apart(app):
        pytest.skip("with a cookie alone the last response wins")
    client = browser(app)
    client.post("/note/1")
    old = cookie_header(client)
    client.post("/login")
    assert set_cookies(browser(app).post("/poll-and-write", headers={"cookie": old})) == []


def test_clear_may_still_delete_what_was_rejected(app, clock):
    @app.post("/clear")
    async def clear(request: Request) -> None:
        request.session.clear()

    client = browser(app)
    client.post("/login")
    clock.advance(IDLE)
    assert "Max-Age=0" in set_cookies(client.post("/clear"))[0]
