"""What an old session's data becomes, and that no cookie counts as one of another kind."""

import random
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from fastsession import Session
from fastsession.formats import FlaskSession, Migration
from fastsession.testing import Clock, sealed_cookies
from tests.formats.cases import CASES
from tests.shop import COOKIE, START, ShopSession, browser, cookie_header, set_cookies, shop
from tests.visitor import Visitor, note

SECRET = "the secret that the Flask app has had"
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
FLASK = Migration(FlaskSession(secret_key=SECRET), accept_until=FOREVER)
MUTANTS = 30


class Account(Session):
    user_id: int | None = None
    seen_at: datetime | None = None
    device: UUID | None = None
    pair: tuple[int, int] | None = None
    token: bytes = b""


def flask_cookie(data):
    """What Flask itself sets for the data."""
    app = Flask(__name__)
    app.secret_key = SECRET
    return {"session": SecureCookieSessionInterface().get_signing_serializer(app).dumps(data)}


def account(data, **options):
    visitor = Visitor(model=Account, migrate_from=[FLASK], **options)
    visitor.client.cookies.update(flask_cookie(data))
    return visitor


def test_declared_keys_become_fields_and_all_others_extras():
    visitor = account({"user_id": 7, "theme": "dark", "nested": {"list": [1, None, True]}})
    assert visitor.as_model(lambda session: session.user_id) == 7
    assert visitor.as_dict(dict) == {"user_id": 7, "theme": "dark", "nested": {"list": [1, None, True]}}


def test_flasks_own_types_reach_the_fields_that_are_declared_so():
    moment, device = datetime(2026, 2, 28, 12, 30, tzinfo=UTC), UUID(int=7)
    visitor = account({"seen_at": moment, "device": device, "pair": (1, 2), "token": b"opaque"})
    session = visitor.as_model(lambda session: session.model_copy())
    assert (session.seen_at, session.device, session.pair, session.token) == (moment, device, (1, 2), b"opaque")


def test_flasks_own_types_are_text_among_the_extras():
    visitor = account({"at": datetime(2026, 2, 28, tzinfo=UTC), "id": UUID(int=7), "both": ("a", "b")})
    expected = {"at": "2026-02-28T00:00:00Z", "id": "00000000-0000-0000-0000-000000000007", "both": ["a", "b"]}
    assert visitor.as_dict(dict) == expected


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ({"user_id": "nobody", "theme": "dark"}, "does not fit Account: user_id"),
        ({"user_id": {"deep": [1]}, "pair": [1]}, "does not fit Account: pair, user_id"),
        ({"token": b"\xff"}, "FlaskSession: it holds a value that JSON does not"),
        ({"theme": "\ud83c"}, "FlaskSession: it holds a value that JSON does not"),
    ],
    ids=["one field", "two fields", "bytes that are no text", "half a character"],
)
def test_values_that_do_not_fit_are_reported_and_not_guessed(data, detail, events):
    visitor = account(data, on_event=events.append)
    assert visitor.as_model(lambda session: (session.user_id, session.info.status)) == (None, "incompatible")
    assert visitor.as_dict(dict) == {}
    assert {(event.kind, event.status, event.detail) for event in events} == {("rejected", "incompatible", detail)}


def test_a_new_session_in_the_place_of_one_that_did_not_fit_is_not_called_migrated(events):
    account({"user_id": "nobody"}, on_event=events.append).as_model(lambda session: note(session, user_id=7))
    assert [(event.kind, event.detail) for event in events] == [
        ("rejected", "does not fit Account: user_id"),
        ("created", ""),
    ]


def test_metadata_of_a_shared_session_does_not_stay_behind_as_an_extra():
    case = next(case for case in CASES if case.name == "ClientSessions")
    sharing = browser(shop(format=case.reader, clock=Clock(START)))
    sharing.post("/cart/tea")
    migration = Migration(case.reader, accept_until=FOREVER)
    migrating = browser(shop(migrate_from=[migration], clock=Clock(START)))
    assert migrating.get("/view", headers={"cookie": cookie_header(sharing)}).json() == {"cart": ["tea"]}


def mutants(value, source):
    """The value itself, and others with one to three characters changed, cut or added."""
    yield value
    for _ in range(MUTANTS):
        changed = value
        for _ in range(source.randrange(1, 4)):
            place = source.randrange(len(changed))
            changed = (
                changed[:place]
                + source.choice(["", ".", "*", "~2", "s:", "A", changed[place] * 2])
                + changed[place + 1 :]
            )
        yield changed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_token_of_ours_and_none_like_it_is_read_as_an_old_session(case):
    migration = Migration(case.reader, accept_until=FOREVER, signs_out_there=True)
    app = shop(migrate_from=[migration], clock=Clock(case.now))
    client = browser(app)
    [token] = sealed_cookies(app, ShopSession(user_id=7)).values()
    for value in mutants(token, random.Random(case.name)):
        for name in case.own_names:
            response = client.get("/info", headers={"cookie": f"{name}={value}"})
            assert response.json()["status"] in {"absent", "malformed", "forged", "incomplete"}
            assert set_cookies(response) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_old_session_and_nothing_like_one_is_read_as_our_token(case):
    client = browser(shop(clock=Clock(case.now)))
    for old in case.cookies.values():
        for value in mutants(old, random.Random(case.name)):
            response = client.get("/info", headers={"cookie": f"{COOKIE}={value}".encode()})
            assert response.json()["status"] in {"malformed", "oversize", "unknown_key", "forged", "incomplete"}


@pytest.mark.parametrize("case", [case for case in CASES if case.two_way], ids=lambda case: case.name)
def test_no_token_of_ours_and_none_like_it_is_read_as_a_shared_session(case):
    timed = {} if case.holds_time else {"ttl": 60}
    client = browser(shop(format=case.vector.reader(**timed), clock=Clock(case.now)))
    [token] = sealed_cookies(shop(clock=Clock(case.now)), ShopSession(user_id=7)).values()
    for value in mutants(token, random.Random(case.name)):
        response = client.get("/info", headers={"cookie": f"{case.reader.cookie_name}={value}"})
        assert response.json()["status"] in {"malformed", "forged"}
