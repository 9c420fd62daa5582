"""Emptying `request.session` ends the session that arrived; what is written after it begins another one."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import BackgroundTasks, Request, WebSocket
from itsdangerous import TimestampSigner
from pydantic import Field, PrivateAttr, model_validator
from starlette.responses import Response

from fastsession import LateSessionChangeError, Lifetime, Session, SessionMiddleware
from fastsession.formats import IronSession, Migration, StarletteSession
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import opened_session
from tests.other_side import PASSWORD
from tests.shop import CLEARED, MINUTE, SECRET, START, browser, cookie_header, set_cookies, shop
from tests.visitor import Visitor, note
from tests.wire import answer, call, exchange, http_scope

USER = {"user_id": 1, "role": "admin"}


class Plain(Session):
    user_id: int | None = None
    role: str | None = None


class WithToken(Plain):
    csrf: str = Field(default_factory=lambda: uuid.uuid4().hex)


class WithMoment(Plain):
    since: datetime = Field(default_factory=lambda: datetime.now(UTC))


class WithProfile(Plain):
    profile: dict[str, str] = Field(default_factory=lambda: {"id": uuid.uuid4().hex})


class FilledIn(Plain):
    """A validator of the whole model makes the value, not a factory."""

    csrf: str = ""

    @model_validator(mode="after")
    def fill_in(self):
        self.csrf = self.csrf or uuid.uuid4().hex
        return self


class Together(Plain):
    @model_validator(mode="after")
    def both_or_none(self):
        if (self.user_id is None) != (self.role is None):
            raise ValueError("user_id and role go together")
        return self


class Frozen(Session, frozen=True):
    user_id: int | None = None
    role: str | None = None


MODELS = [Session, Plain, WithToken, WithMoment, WithProfile, FilledIn, Together, Frozen]


def pop_all(session):
    while session:
        session.popitem()


def delete_all(session):
    for key in list(session):
        del session[key]


def pop_each(session):
    for key in list(session):
        session.pop(key)


def modes(clock):
    return {
        "cookies": {},
        "revocations": {"revocations": MemoryRevocations(clock=clock)},
        "store": {"store": MemoryStore(clock=clock)},
        "both": {"store": MemoryStore(clock=clock), "revocations": MemoryRevocations(clock=clock)},
        "format": {"format": IronSession(password=PASSWORD, cookie_name="__Host-iron", ttl=30 * MINUTE)},
    }


MODES = list(modes(None))


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request):
    return request.param


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def visit(model, mode, clock, events):
    """A visitor who is signed in, in one mode, with one model."""
    visit = Visitor(model=model, clock=clock, on_event=events.append, **modes(clock)[mode])
    if model is Frozen:
        # No assignment makes one: what is in it was loaded.
        visit.as_dict(lambda session: session.update(extra=1))
        return visit
    visit.as_model(lambda session: session.regenerate())
    visit.as_dict(lambda session: session.update(USER))
    clock.advance(MINUTE)
    events.clear()
    return visit


def known(visit, cookie):
    """What somebody with a copied cookie finds."""
    copied = Visitor()
    copied.client = browser(visit.app)
    copied.client.headers["cookie"] = cookie
    visit.client, kept = copied.client, visit.client
    try:
        return visit.as_dict(lambda session: {**session})
    finally:
        visit.client = kept


@pytest.mark.parametrize("empty", [lambda session: session.clear(), pop_all], ids=["clear", "popitem"])
def test_an_emptied_session_ends_whatever_its_model(visit, mode, events, empty):
    cookie = cookie_header(visit.client)
    visit.as_dict(empty)
    [line] = set_cookies(visit.response)
    assert "Max-Age=0" in line
    assert [event.kind for event in events][-1:] == ["destroyed"]
    assert list(visit.client.cookies) == []
    if mode in {"revocations", "store", "both"}:
        assert not known(visit, cookie).keys() & {"user_id", "extra"}


@pytest.mark.parametrize("model", [Plain, WithToken, WithMoment], indirect=True)
@pytest.mark.parametrize("empty", [delete_all, pop_each], ids=["del", "pop"])
def test_removing_the_last_key_ends_the_session_too(visit, empty):
    visit.as_dict(empty)
    assert "Max-Age=0" in set_cookies(visit.response)[0]


@pytest.mark.parametrize("empty", [lambda session: session.clear(), pop_all], ids=["clear", "popitem"])
def test_what_is_written_after_emptying_is_a_new_session(visit, mode, events, clock, empty):
    cookie, before = cookie_header(visit.client), visit.as_model(lambda session: session.info)
    visit.as_dict(lambda session: (empty(session), session.update(flash="bye")))
    assert len(set_cookies(visit.response)) == 1
    after = visit.as_model(lambda session: session.info)
    assert after.id != before.id
    assert (after.created_at.timestamp(), after.authenticated_at) == (clock(), None)
    found = visit.as_dict(dict)
    assert found["flash"] == "bye"
    assert not found.keys() & {"user_id", "role", "extra"}
    assert [event.kind for event in events][-2:] == ["destroyed", "created"]
    assert events[-2].session == before.id != events[-1].session == after.id
    if mode in {"revocations", "store", "both"}:
        assert not known(visit, cookie).keys() & {"user_id", "extra"}


@pytest.mark.parametrize("mode", ["store", "revocations"], indirect=True)
@pytest.mark.parametrize("model", [Plain, WithToken], indirect=True)
def test_a_copy_of_the_first_users_cookie_never_is_the_next_user(visit):
    cookie = cookie_header(visit.client)
    visit.as_dict(lambda session: (session.clear(), session.update(user_id=2)))
    assert visit.as_dict(lambda session: session["user_id"]) == 2
    assert "user_id" not in known(visit, cookie)


@pytest.mark.parametrize("model", [Session, Plain], indirect=True)
def test_writing_the_same_again_after_emptying_is_a_new_session_too(visit):
    before = visit.as_model(lambda session: session.info.id)
    visit.as_dict(lambda session: (session.clear(), session.update(USER)))
    assert visit.as_model(lambda session: session.info.id) != before
    assert visit.as_dict(dict) == USER


@pytest.mark.parametrize("model", [Plain, WithToken, FilledIn], indirect=True)
def test_an_edit_of_the_model_after_emptying_begins_a_new_session(visit):
    before = visit.as_model(lambda session: session.info.id)

    def work(request, session):
        request.session.clear()
        assert session.user_id is None
        session.user_id = 2

    visit._visit(work, typed=True)
    assert visit.as_model(lambda session: (session.user_id, session.role)) == (2, None)
    assert visit.as_model(lambda session: session.info.id) != before


@pytest.mark.parametrize("model", [Plain, WithToken, FilledIn], indirect=True)
def test_an_edit_of_the_model_before_emptying_is_gone(visit):
    visit._visit(lambda request, session: (note(session, user_id=2), request.session.clear()), typed=True)
    assert "Max-Age=0" in set_cookies(visit.response)[0]


@pytest.mark.parametrize("model", [Plain, WithToken, FilledIn], indirect=True)
@pytest.mark.parametrize("verbs", [("regenerate",), ("destroy",), ("destroy", "regenerate")])
def test_verbs_after_emptying(visit, clock, verbs):
    before = visit.as_model(lambda session: session.info.id)

    def work(request, session):
        request.session.clear()
        for verb in verbs:
            getattr(session, verb)()

    visit._visit(work, typed=True)
    if "destroy" in verbs:
        assert "Max-Age=0" in set_cookies(visit.response)[0]
        return
    info = visit.as_model(lambda session: session.info)
    assert info.id != before
    assert info.created_at.timestamp() == info.authenticated_at.timestamp() == clock()


def test_a_new_id_that_was_asked_for_before_emptying_is_a_sign_in_where_something_is_written(clock):
    visit = Visitor(model=Plain, clock=clock)
    visit.as_dict(lambda session: session.update(USER))

    def login(request, session):
        session.regenerate()
        request.session.clear()
        request.session["user_id"] = 2

    visit._visit(login, typed=True)
    assert visit.as_model(lambda session: session.info.authenticated_at.timestamp()) == START
    visit._visit(lambda request, session: (session.regenerate(), request.session.clear()), typed=True)
    assert set_cookies(visit.response) == [CLEARED]


def test_the_new_session_is_remembered_only_if_that_is_asked_for(clock):
    visit = Visitor(model=Plain, clock=clock, remember=Lifetime(idle=timedelta(days=1), absolute=timedelta(days=1)))
    visit.as_model(lambda session: (session.remember(), note(session, user_id=1)))
    visit.as_dict(lambda session: (session.clear(), session.update(flash=1)))
    assert not visit.as_model(lambda session: session.info.remembered)
    visit._visit(lambda request, session: (request.session.clear(), session.remember()), typed=True)
    assert visit.as_model(lambda session: session.info.remembered)


def test_emptying_a_session_that_never_arrived_sets_no_cookie(model):
    visit = Visitor(model=model)
    visit.as_dict(lambda session: session.clear())
    assert set_cookies(visit.response) == []
    visit.as_dict(lambda session: (session.update(flash=1), pop_all(session)))
    assert set_cookies(visit.response) == []


def test_clearing_a_session_that_holds_nothing_ends_it_all_the_same():
    visit = Visitor(model=Plain)
    visit.as_model(lambda session: session.regenerate())
    visit.as_dict(lambda session: session.clear())
    assert set_cookies(visit.response) == [CLEARED]


def test_an_ended_session_stays_ended_where_its_successor_cannot_be_saved(clock):
    app = shop(clock=clock)

    @app.post("/logout-fails")
    async def logout_fails(request: Request) -> Response:
        request.session.clear()
        request.session["flash"] = "bye"
        return Response(status_code=500)

    client = browser(app)
    client.post("/login")
    assert set_cookies(client.post("/logout-fails")) == [CLEARED]


def test_what_others_wrote_meanwhile_does_not_go_on_in_the_new_session(clock):
    async def inner(scope, receive, send):
        session = scope["session"]
        if scope["path"] == "/other":
            session["secret"] = "of the first user"
        else:
            session.clear()
            session["flash"] = 1
            await exchange(middleware, http_scope("/other", headers=scope["headers"]))
        await answer(send)

    store = MemoryStore(clock=clock)
    visit = Visitor(model=Plain, clock=clock, store=store)
    visit.as_dict(lambda session: session.update(USER))
    middleware = SessionMiddleware(inner, model=Plain, clock=clock, secret_key=SECRET, store=store)
    [start, _] = call(middleware, http_scope(headers=[(b"cookie", cookie_header(visit.client).encode())]))
    cookie = dict(start["headers"])[b"set-cookie"].decode().partition(";")[0]
    assert known(visit, cookie) == {"flash": 1}


def test_the_event_of_an_emptied_session_names_whose_it_was(clock, events):
    class Named(Plain):
        def subject(self):
            return None if self.user_id is None else f"user-{self.user_id}"

    visit = Visitor(model=Named, clock=clock, on_event=events.append)
    visit.as_dict(lambda session: session.update(user_id=1))
    visit.as_dict(lambda session: (session.clear(), session.update(user_id=2)))
    visit.as_dict(lambda session: session.clear())
    assert [(event.kind, event.subject) for event in events] == [
        ("created", "user-1"),
        ("destroyed", "user-1"),
        ("created", "user-2"),
        ("destroyed", "user-2"),
    ]


def test_emptying_after_the_response_has_started_raises(clock, events):
    caught = []
    app = shop(clock=clock, on_event=events.append)

    def late(request):
        with pytest.raises(LateSessionChangeError, match=r"request.session.clear\(\) came after") as error:
            request.session.clear()
        caught.append(error)

    @app.post("/late")
    async def respond(request: Request, tasks: BackgroundTasks) -> None:
        tasks.add_task(late, request)

    client = browser(app)
    client.post("/login")
    client.post("/late")
    assert len(caught) == 1
    assert client.get("/view").json() == {"user_id": 42}
    assert [event.kind for event in events] == ["regenerated"]


@pytest.mark.parametrize("written", [{}, {"flash": "bye"}])
def test_a_websocket_that_empties_before_it_is_accepted_ends_the_session(clock, written):
    app = shop(clock=clock)

    @app.websocket("/out")
    async def out(socket: WebSocket) -> None:
        socket.session.clear()
        socket.session.update(written)
        await socket.accept()
        await socket.close()

    client = browser(app)
    client.post("/login")
    header = {"cookie": cookie_header(client)}
    with client.websocket_connect("wss://testserver/out", headers=header) as connection:
        [line] = [value.decode() for name, value in connection.extra_headers if name == b"set-cookie"]
    assert (line == CLEARED) is not bool(written)
    if written:
        cookies = dict([line.partition(";")[0].split("=", 1)])
        info = opened_session(app, type("Response", (), {"cookies": cookies})()).info
        assert info.authenticated_at is None


def test_a_session_taken_over_from_starlette_ends_when_it_is_emptied(clock):
    signed = TimestampSigner("an old secret of another system").sign(base64.b64encode(json.dumps(USER).encode()))
    migration = Migration(
        StarletteSession(secret_key="an old secret of another system"), accept_until=datetime(2100, 1, 1, tzinfo=UTC)
    )
    for write, left in (({}, []), ({"flash": 1}, ["__Host-app_session"])):
        visit = Visitor(model=Plain, migrate_from=[migration])
        visit.client.cookies.set("session", signed.decode(), domain="testserver.local")
        visit.as_dict(lambda session, write=write: (session.clear(), session.update(write)))
        assert list(visit.client.cookies) == left
        assert visit.as_dict(dict) == write


def test_clear_gives_the_model_in_hand_new_values_for_all_that_it_holds():
    class Private(Plain, extra="allow"):
        csrf: str = Field(default_factory=lambda: uuid.uuid4().hex)
        _seen: str = PrivateAttr("nobody")

    visit = Visitor(model=Private)

    def work(request, session):
        session._seen, session.more, before = "somebody", 1, session.csrf
        request.session.clear()
        return session._seen, session.model_extra, session.csrf == before

    assert visit._visit(work, typed=True) == ("nobody", {}, False)


def test_popping_the_last_key_keeps_what_the_model_holds_besides():
    class Open(Session, extra="allow"):
        pass

    visit = Visitor(model=Open)
    visit.as_model(lambda session: note(session, more=1))
    visit.as_dict(lambda session: session.update(flash=1))
    visit.as_dict(lambda session: session.pop("flash"))
    visit.as_dict(lambda session: (session.update(flash=1), session.popitem()))
    assert visit.as_model(lambda session: session.more) == 1
