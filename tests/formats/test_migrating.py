"""`migrate_from=`: sessions of the system that was there before, with the real packages' cookies of tests/formats/vectors."""

from datetime import UTC, datetime

import pytest

from fastsession import ConfigurationError, Lifetime, SessionMiddleware, SessionTooLargeError
from fastsession.formats import Migration, StarletteSession
from fastsession.testing import Clock
from tests.formats.vector import vector
from tests.shop import COOKIE, DAY, HOUR, SECRET, browser, set_cookies, shop

# Each holds {"user_id": 42}.
VECTORS = [
    "iron-session/A01",
    "hapi-iron/A01",
    "hapi-yar/A01",
    "client-sessions/A01",
    "starlette/A01",
    "flask/A01",
    "litestar/A01",
    "cookie-session/A01",
    "fastify-secure-session/A01",
    "express-session/A01",
]
STARLETTE, COOKIE_SESSION, CHUNKED = vector("starlette/A01"), vector("cookie-session/A01"), vector("litestar/A13")
EVERY = pytest.mark.parametrize("old", [vector(name) for name in VECTORS], ids=VECTORS)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


def header(cookies):
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def visitor(*olds, events=None, clock=None, accept_until=FOREVER, **options):
    """A browser of a shop that migrates from these vectors' systems."""
    clock = clock or Clock(olds[0].now)
    listener = {} if events is None else {"on_event": events.append}
    migrations = [Migration(old.reader(), accept_until=accept_until) for old in olds]
    return browser(shop(clock=clock, **{"migrate_from": migrations, **listener, **options}))


def deleted(response):
    return {line.partition("=")[0] for line in set_cookies(response) if "Max-Age=0" in line}


def kinds(events):
    return [(event.kind, event.status, event.detail) for event in events]


@EVERY
def test_a_session_is_read_once_and_is_ours_from_then_on(old, events):
    client = visitor(old, events=events)
    response = client.get("/info", headers=header(old.cookies))
    origin = type(old.reader()).__name__
    assert (response.json()["status"], response.json()["origin"]) == ("valid", origin)
    assert deleted(response) == set(old.cookies)
    assert list(client.cookies) == [COOKIE]
    response = client.get("/info")
    assert (response.json()["status"], response.json()["origin"]) == ("valid", "fastsession")
    assert set_cookies(response) == []
    assert client.get("/view").json() == {"user_id": 42}
    assert [(event.kind, event.detail, event.subject) for event in events] == [("migrated", origin, "user-42")]


@EVERY
def test_what_nobody_looks_at_stays_unless_a_store_holds_it(old, events):
    response = visitor(old, events=events).get("/public", headers=header(old.cookies))
    asked = old.file == "express-session"
    assert len(set_cookies(response)) == (2 if asked else 0)
    assert len(events) == (1 if asked else 0)


@EVERY
def test_our_own_token_keeps_the_old_cookie_from_being_read(old, events):
    client = visitor(old, events=events)
    client.post("/cart/tea")
    client.cookies.update(old.cookies)
    assert client.get("/view").json() == {"cart": ["tea"]}
    client.cookies.set(COOKIE, "tampered", domain="testserver.local", path="/")
    assert client.get("/view").json() == {}
    assert [event.kind for event in events] == ["created", "rejected"]


@EVERY
def test_after_accept_until_nothing_is_read(old, events):
    client = visitor(old, events=events, accept_until=datetime.fromtimestamp(int(old.now), UTC))
    response = client.get("/info", headers=header(old.cookies))
    assert (response.json()["status"], set_cookies(response), events) == ("absent", [], [])


@EVERY
def test_a_tampered_old_cookie_is_one_event_and_no_session(old, events):
    name, value = next(iter(old.cookies.items()))
    middle = len(value) // 2
    broken = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    response = visitor(old, events=events).get("/info", headers=header({**old.cookies, name: broken}))
    status = response.json()["status"]
    assert status in {"forged", "malformed"}
    assert set_cookies(response) == []
    [(kind, told, detail)] = kinds(events)
    assert (kind, told) == ("rejected", status)
    assert detail.startswith(f"{type(old.reader()).__name__}: ")


def test_an_expired_old_cookie_is_rejected(events):
    clock = Clock(STARLETTE.now + 14 * DAY + 1)
    info = visitor(STARLETTE, events=events, clock=clock).get("/info", headers=header(STARLETTE.cookies)).json()
    assert info["status"] == "expired_absolute"
    assert [event.status for event in events] == ["expired_absolute"]


def test_max_age_is_the_migrations_own_limit():
    migration = Migration(STARLETTE.reader(), accept_until=FOREVER, max_age=HOUR)
    for age, status in [(HOUR - 2, "valid"), (HOUR, "expired_absolute")]:
        client = visitor(STARLETTE, clock=Clock(STARLETTE.now + age), migrate_from=[migration])
        assert client.get("/info", headers=header(STARLETTE.cookies)).json()["status"] == status


def test_a_migrated_session_begins_now_and_nobody_has_signed_in_to_it():
    clock = Clock(STARLETTE.now + DAY)
    client = visitor(STARLETTE, clock=clock)
    info = client.get("/info", headers=header(STARLETTE.cookies)).json()
    assert datetime.fromisoformat(info["created_at"]).timestamp() == int(clock.now)
    assert info["authenticated_at"] is None
    assert not info["is_new"]


def test_a_change_is_saved_with_the_migration(events):
    client = visitor(STARLETTE, events=events)
    assert deleted(client.post("/cart/tea", headers=header(STARLETTE.cookies))) == set(STARLETTE.cookies)
    assert client.get("/view").json() == {"user_id": 42, "cart": ["tea"]}
    assert [event.kind for event in events] == ["migrated"]


def test_a_failed_request_migrates_nothing():
    response = visitor(STARLETTE).post("/cart/tea/500", headers=header(STARLETTE.cookies))
    assert set_cookies(response) == []


def test_logout_deletes_the_old_cookies(events):
    response = visitor(COOKIE_SESSION, events=events).post("/logout", headers=header(COOKIE_SESSION.cookies))
    assert deleted(response) == {"session", "session.sig"}
    assert [event.kind for event in events] == ["destroyed"]


def test_login_regenerates_and_migrates():
    client = visitor(STARLETTE)
    assert deleted(client.post("/login", headers=header(STARLETTE.cookies))) == {"session"}
    assert client.get("/info").json()["authenticated_at"] is not None


def test_the_old_cookies_are_deleted_under_their_path_and_domain():
    migration = Migration(COOKIE_SESSION.reader(), accept_until=FOREVER, path="/old", domain="example.com")
    client = visitor(COOKIE_SESSION, migrate_from=[migration])
    response = client.get("/cart", headers=header(COOKIE_SESSION.cookies))
    attributes = "path=/old; Max-Age=0; domain=example.com; HttpOnly; SameSite=Lax; Secure"
    assert set_cookies(response)[1:] == [f"session=; {attributes}", f"session.sig=; {attributes}"]


def test_several_migrations_are_tried_in_turn(events):
    client = visitor(COOKIE_SESSION, STARLETTE, events=events)
    assert client.get("/info", headers=header(STARLETTE.cookies)).json()["origin"] == "StarletteSession"
    both = {**vector("iron-session/A01").cookies, **STARLETTE.cookies}
    client = visitor(vector("iron-session/A01"), STARLETTE)
    response = client.get("/info", headers=header(both))
    assert response.json()["origin"] == "IronSession"
    assert deleted(response) == {"app_session"}


def test_of_several_rejections_the_first_is_told(events):
    client = visitor(COOKIE_SESSION, STARLETTE, events=events)
    client.get("/cart", headers=header({"session": "tampered"}))
    assert kinds(events) == [("rejected", "forged", "CookieSession: no signature")]


def test_a_migrated_session_can_be_remembered():
    client = visitor(STARLETTE, remember=Lifetime(idle=14 * DAY, absolute=30 * DAY))
    response = client.post("/remember/true", headers=header(STARLETTE.cookies))
    assert f"Max-Age={14 * DAY}" in set_cookies(response)[0]


def test_a_session_too_large_for_our_cookies_is_read_and_only_a_change_fails():
    client = visitor(CHUNKED)
    response = client.get("/view", headers=header(CHUNKED.cookies))
    assert (response.json(), set_cookies(response)) == (CHUNKED.expected["data"], [])
    with pytest.raises(SessionTooLargeError, match="'blob'"):
        client.post("/cart/tea", headers=header(CHUNKED.cookies))


@pytest.mark.parametrize("options", [{"session_cookie": "session", "https_only": False}, {"format": True}], ids=str)
def test_an_old_cookie_of_our_own_name_is_refused(options):
    if "format" in options:
        options = {"format": vector("hapi-yar/A01").reader(ttl=60)}
    migration = Migration(STARLETTE.reader(), accept_until=FOREVER)
    with pytest.raises(ConfigurationError, match="'session'"):
        SessionMiddleware(None, secret_key=SECRET, migrate_from=[migration], **options)


def test_a_secret_that_is_also_ours_is_refused():
    migration = Migration(StarletteSession(secret_key=SECRET), accept_until=FOREVER)
    with pytest.raises(ConfigurationError, match="StarletteSession has the same secret"):
        SessionMiddleware(None, secret_key=SECRET, migrate_from=[migration])


@pytest.mark.parametrize("bare", [lambda reader: [reader], lambda reader: Migration(reader, accept_until=FOREVER)])
def test_what_is_no_list_of_migrations_is_refused(bare):
    with pytest.raises(ConfigurationError, match=r"migrate_from=\[Migration"):
        SessionMiddleware(None, secret_key=SECRET, migrate_from=bare(STARLETTE.reader()))
