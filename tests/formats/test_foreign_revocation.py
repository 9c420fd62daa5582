"""`format=` beside `revocations=`: a session that the other system began, or wrote into."""

import pytest
from fastapi import Depends

from fastsession import ConfigurationError, SessionMiddleware, generate_key, require
from fastsession.formats import ForeignSession, Iron, IronSession, Yar
from fastsession.stores import MemoryRevocations
from tests.other_side import FORMATS, NAME, PASSWORD, OtherSide
from tests.server_side.site import router
from tests.shop import DAY, IDLE, OLD_SECRET, SECRET, browser, cookie_header, shop


@pytest.fixture(params=FORMATS)
def shared(request):
    return FORMATS[request.param]


@pytest.fixture
def revocations(clock):
    return MemoryRevocations(clock=clock)


@pytest.fixture
def app(shared, clock, revocations):
    app = shop(format=shared, clock=clock, revocations=revocations)
    app.include_router(router)
    app.get("/fresh", dependencies=[Depends(require(lambda _: True, fresh=60))])(lambda: "fresh")
    return app


@pytest.fixture
def client(app):
    return browser(app)


@pytest.fixture
def other(shared, client, clock):
    return OtherSide(shared, client, clock)


def who(app, header):
    return browser(app).get("/who", headers={"cookie": header}).json()


@pytest.mark.parametrize("path", ["/logout", "/login/42", "/end-others", "/end-all"])
def test_a_copy_of_a_cookie_that_the_other_side_wrote_ends_with_its_session(app, client, other, path):
    other.write({"user_id": 42})
    copied = cookie_header(client)
    client.post(path)
    assert who(app, copied) == [None, "revoked"]


def test_a_copy_ends_with_the_session_that_it_has_become(app, client, other):
    other.write({"user_id": 42})
    copied = cookie_header(client)
    client.get("/who")
    client.post("/logout")
    assert who(app, copied) == [None, "revoked"]


def test_it_has_one_id_in_every_request_and_another_cookie_another(app, client, other, clock):
    other.write({"user_id": 42})
    copied = cookie_header(client)
    ids = {browser(app).get("/info", headers={"cookie": copied}).json()["id"] for _ in range(2)}
    clock.advance(1)
    other.write({"user_id": 42})
    assert client.get("/info").json()["id"] not in ids
    assert len(ids) == 1


def test_the_end_outlasts_the_rotation_of_our_secret(shared, client, other, clock, revocations):
    other.write({"user_id": 42})
    copied = cookie_header(client)
    client.post("/logout")
    rotated = shop(
        format=shared, clock=clock, revocations=revocations, secret_key=OLD_SECRET, secret_key_fallbacks=[SECRET]
    )
    rotated.include_router(router)
    assert who(rotated, copied) == [None, "revoked"]


def test_a_session_of_both_sides_stays_signed_in_after_ending_its_others(app, client, other, clock):
    client.post("/login/42")
    clock.advance(60)
    before = client.get("/info").json()
    client.post("/end-others")
    after = client.get("/info").json()
    assert (after["status"], after["created_at"]) == ("valid", before["created_at"])
    other.write({**other.data, "note": "written there"})
    assert client.get("/who").json() == [42, "valid"]
    clock.advance(60)
    client.post("/end-all?subject=user-42")
    assert client.get("/who").json() == [None, "revoked"]


@pytest.mark.parametrize("claimed", [2**40 - 1, None])
def test_the_other_side_cannot_make_a_sign_in_fresher_than_its_cookie(client, other, clock, claimed):
    client.post("/login/42")
    metadata = other.data["_fastsession"]
    claim = metadata["authenticated_at"] if claimed is None else claimed
    clock.advance(90)
    written_at = clock()
    other.write({**other.data, "_fastsession": {**metadata, "authenticated_at": claim}})
    clock.advance(59)
    assert client.get("/fresh").status_code == (401 if claimed is None else 200)
    clock.advance(1)
    assert client.get("/fresh").status_code == 401
    assert written_at < clock()


def test_the_other_side_cannot_spare_a_session_from_a_cut_off(client, other, clock):
    client.post("/login/42")
    other.write({**other.data, "_fastsession": {**other.data["_fastsession"], "spared_at": 2**40 - 1}})
    clock.advance(60)
    browser_elsewhere = browser(client.app)
    browser_elsewhere.post("/login/42")
    browser_elsewhere.post("/end-others")
    assert client.get("/who").json() == [None, "revoked"]


@pytest.mark.parametrize(
    "format_",
    [
        Yar(password=PASSWORD),
        Iron(password=PASSWORD, cookie_name=NAME),
        IronSession(password=PASSWORD, cookie_name=NAME, ttl=0),
    ],
    ids=lambda format_: type(format_).__name__,
)
def test_a_format_without_a_time_is_refused_and_the_message_says_why(format_):
    with pytest.raises(ConfigurationError, match=r"valid for ever.*ttl="):
        SessionMiddleware(lambda *_: None, secret_key=generate_key(), format=format_)


TIMELESS = {
    "Yar": Yar(password=PASSWORD, cookie_name=NAME),
    "Iron": Iron(password=PASSWORD, cookie_name=NAME),
    "IronSession": IronSession(password={2: PASSWORD}, cookie_name=NAME, ttl=0),
}


@pytest.mark.parametrize("name", TIMELESS)
def test_a_cookie_that_the_other_side_sealed_without_a_time_begins_no_session(name, clock):
    client = browser(shop(format=FORMATS[name], clock=clock))
    OtherSide(TIMELESS[name], client, clock).write({"user_id": 42})
    assert client.get("/info").json()["status"] == "incompatible"


@pytest.mark.parametrize("name", TIMELESS)
def test_a_cookie_without_a_time_has_no_fresh_sign_in_and_times_out(name, clock):
    client = browser(shop(format=FORMATS[name], clock=clock))
    client.post("/login")
    data = OtherSide(FORMATS[name], client, clock).data
    OtherSide(TIMELESS[name], client, clock).write(data)
    info = client.get("/info").json()
    assert (info["status"], info["authenticated_at"]) == ("valid", None)
    clock.advance(IDLE)
    assert client.get("/info").json()["status"] == "expired_idle"


@pytest.mark.parametrize("name", TIMELESS)
def test_a_copied_cookie_is_over_in_the_end(name, clock):
    client = browser(shop(format=FORMATS[name], clock=clock))
    OtherSide(FORMATS[name], client, clock).write({"user_id": 42})
    clock.advance(300 * DAY)
    assert client.get("/info").json()["status"] == "expired_absolute"


def test_yars_ttl_is_when_its_cookies_end(clock):
    cookies = FORMATS["Yar"].write(ForeignSession({"user_id": 1}), now=clock())
    session = FORMATS["Yar"].read(cookies, now=clock())
    assert (session.created_at, session.expires_at) == (clock(), clock() + IDLE)
