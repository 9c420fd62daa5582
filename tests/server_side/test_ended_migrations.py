"""A cookie of the system that was there before, when its session has been ended here."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from fastsession import generate_key
from fastsession.formats import ExpressSession, ForeignSession, Migration
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock
from tests.formats.cases import CASES
from tests.formats.vector import vector
from tests.server_side.counting import Counting
from tests.server_side.site import Home, router
from tests.server_side.test_migrating import express_cookie
from tests.shop import DAY, SECRET, browser, cookie_header, set_cookies, shop, shown

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
# Each holds {"user_id": 42}, and these do not say when they began.
NAMES = ["iron-session", "client-sessions", "starlette", "flask", "fastify-secure-session"]
TIMELESS = ["hapi-iron", "hapi-yar", "litestar", "cookie-session", "express-session"]
VECTORS = [f"{name}/A01" for name in NAMES + TIMELESS]
EVERY = pytest.mark.parametrize("old", [vector(name) for name in VECTORS], ids=VECTORS)
MODES = pytest.mark.parametrize("mode", ["revocations", "store", "both"])


class Site:
    """A shop that migrates from a vector's system, and the clock that both go by."""

    def __init__(self, old, mode, **options):
        self.old, self.clock = old, Clock(old.now)
        backends = {} if mode == "cookies" else Home("memory", {}, self.clock).options(mode)
        migrations = [Migration(old.reader(), accept_until=FOREVER, signs_out_there=True)]
        self.app = shop(migrate_from=migrations, **{**backends, "clock": self.clock, **options})
        self.app.include_router(router)

    def browser(self, cookies=None) -> TestClient:
        """A browser with the old cookies."""
        client = browser(self.app)
        client.headers["cookie"] = "; ".join(f"{key}={value}" for key, value in (cookies or self.old.cookies).items())
        return client

    def moved(self) -> TestClient:
        """A browser whose session has moved, and which has nothing of the old one left."""
        response = self.browser().get("/info")
        assert response.json()["status"] == "valid"
        client = browser(self.app)
        for line in set_cookies(response):
            name, _, rest = line.partition("=")
            if "Max-Age=0" not in line:
                client.cookies.set(name, rest.partition(";")[0], domain="testserver.local")
        return client

    def who(self, cookies=None):
        """Who somebody with a copy of the old cookies is."""
        return self.browser(cookies).get("/who").json()


@EVERY
@MODES
@pytest.mark.parametrize("path", ["/logout", "/login/42", "/end-others", "/end-all", "/end-all?subject=user-42"])
def test_a_copy_of_the_old_cookie_is_over_with_the_session_that_it_became(old, mode, path):
    site = Site(old, mode)
    client = site.moved()
    assert site.who() == [42, "valid"]
    assert client.post(path).status_code == 200
    assert site.who() == [None, "revoked"]
    expected = [42, "valid"] if path in ("/login/42", "/end-others") else None
    assert expected is None or client.get("/who").json() == expected


@EVERY
@MODES
@pytest.mark.parametrize("path", ["/logout", "/login/42", "/end-others", "/end-all"])
def test_the_request_that_brings_the_old_cookie_can_end_it(old, mode, path):
    site = Site(old, mode)
    assert site.browser().post(path).status_code == 200
    assert site.who() == [None, "revoked"]


def taken_apart(request: Request) -> None:
    """Empty the session key by key."""
    for key in list(request.session):
        request.session.pop(key)


@EVERY
@MODES
def test_the_request_that_brings_the_old_cookie_can_end_it_key_by_key(old, mode):
    site = Site(old, mode)
    site.app.add_api_route("/taken-apart", taken_apart)
    response = site.browser().get("/taken-apart")
    assert site.who() == [None, "revoked"]
    assert {line.partition("=")[0] for line in set_cookies(response)} >= {site.old.reader().cookie_name}


@EVERY
@MODES
def test_a_cookie_that_never_moved_is_over_with_its_subjects_other_sessions(old, mode):
    site = Site(old, mode)
    laptop = browser(site.app)
    laptop.post("/login/42")
    site.clock.advance(5)
    laptop.post("/end-others")
    assert site.who() == [None, "revoked"]
    assert laptop.get("/who").json() == [42, "valid"]


@pytest.mark.parametrize("mode", ["store", "both"])
def test_a_copy_is_over_when_its_session_was_ended_by_handle_or_for_another(mode):
    for options, path in ({}, "/end/{}"), ({"max_sessions": 1}, "/login/42"):
        site = Site(vector("cookie-session/A01"), mode, **options)
        client, laptop = site.moved(), browser(site.app)
        site.clock.advance(5)
        handle = client.get("/info").json()["id"]
        if not options:
            laptop.post("/login/42")
        assert laptop.post(path.format(handle)).status_code == 200
        assert client.get("/who").json() == [None, "revoked"]
        assert site.who() == [None, "revoked"]


@EVERY
def test_the_cut_off_for_all_counts_from_when_the_old_cookie_was_written(old):
    site = Site(old, "revocations")
    written_at = old.reader().read(old.cookies, now=old.now).created_at
    revocations = site.app.user_middleware[0].kwargs["revocations"]
    with browser(site.app) as client:
        client.portal.call(lambda: revocations.deny_all(before=int(old.now - DAY)))
        assert site.who() == ([42, "valid"] if written_at else [None, "revoked"])
        client.portal.call(lambda: revocations.deny_all(before=int(old.now)))
        assert site.who() == [None, "revoked"]


@EVERY
@pytest.mark.parametrize("mode", ["cookies", "revocations", "store"])
def test_not_before_counts_from_when_the_old_cookie_was_written(old, mode):
    written_at = old.reader().read(old.cookies, now=old.now).created_at
    assert Site(old, mode, not_before=int(old.now - DAY)).who() == ([42, "valid"] if written_at else [None, "revoked"])
    assert Site(old, mode, not_before=int(old.now)).who() == [None, "revoked"]
    assert Site(old, mode).who() == [42, "valid"]


def spellings(case, original):
    """Other texts that the format reads as the same session."""
    for name, value in original.items():
        for other in (
            f'"{value}"',
            quote(value, safe=""),
            "".join(f"%{ord(each):02X}" for each in value),
            value + "~9",
        ):
            if other != value and case.spelling(other) == case.spelling(value):
                yield {**original, name: other}


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_variant], ids=lambda case: case.name)
@MODES
def test_another_spelling_of_an_ended_cookie_is_no_other_cookie(case, mode):
    site = Site(vector(case.ids[-1]), mode)
    site.browser().post("/logout")
    for cookies in spellings(case, site.old.cookies):
        client = site.browser(cookies)
        assert client.get("/info").json()["status"] == "revoked"


@MODES
def test_another_users_old_cookie_and_a_newer_one_of_the_same_user_still_move(mode):
    old = vector("client-sessions/A01")
    site = Site(old, mode)

    def written(user_id):
        return old.reader().write(ForeignSession({"user_id": user_id}), now=site.clock())

    theirs = written(7)
    site.moved().post("/end-all")
    assert site.who(theirs) == [7, "valid"]
    site.clock.advance(60)
    assert site.who(written(42)) == [42, "valid"]


@MODES
def test_requests_side_by_side_that_bring_one_old_cookie_all_move(mode):
    site = Site(vector("starlette/A01"), mode)
    first, second = site.moved(), site.moved()
    assert first.get("/who").json() == second.get("/who").json() == [42, "valid"]
    assert first.get("/info").json()["id"] != second.get("/info").json()["id"]
    first.post("/logout")
    assert second.get("/who").json() == [42, "valid"]
    assert site.who() == [None, "revoked"]


@MODES
def test_an_end_outlasts_the_rotation_of_secrets(mode):
    old = vector("starlette/A01")
    site = Site(old, mode)
    site.moved().post("/logout")
    backends = {name: site.app.user_middleware[0].kwargs.get(name) for name in ("store", "revocations")}
    rotated = Site(old, "cookies", **backends, secret_key=generate_key(), secret_key_fallbacks=[SECRET])
    assert rotated.who() == [None, "revoked"]


@MODES
def test_an_end_lasts_as_long_as_the_old_cookies_are_read(mode):
    old = vector("cookie-session/A01")
    site = Site(old, mode)
    site.moved().post("/logout")
    site.clock.advance(300 * DAY)
    assert site.who() == [None, "revoked"]


@pytest.mark.parametrize("mode", ["store", "both"])
def test_a_store_that_has_to_be_asked_is_no_way_around(clock, mode):
    secret = generate_key()
    there = {"express-id": '{"cookie": {"expires": null}, "user_id": 42}'}
    app = shop(
        migrate_from=[Migration(ExpressSession(secret=secret, store=there), accept_until=FOREVER)],
        **Home("memory", {}, clock).options(mode),
    )
    app.include_router(router)
    cookie = {"cookie": f"connect.sid={express_cookie('express-id', secret)}"}
    assert browser(app).get("/who", headers=cookie).json() == [42, "valid"]
    browser(app).post("/logout", headers=cookie)
    # express-session may write to it all the same.
    there["express-id"] = '{"cookie": {"expires": null}, "user_id": 42, "seen": 2}'
    assert browser(app).get("/who", headers=cookie).json() == [None, "revoked"]


def test_without_a_server_side_a_copy_moves_until_the_migration_is_over():
    site = Site(vector("starlette/A01"), "cookies")
    site.moved().post("/logout")
    assert site.who() == [42, "valid"]


def test_a_cookie_from_the_future_does_not_outrun_a_cut_off():
    site = Site(vector("starlette/A01"), "revocations")
    site.clock.advance(-DAY)
    assert site.who()[1] == "future"


class Denying(MemoryRevocations):
    """Remembers until when it has denied sessions."""

    def __init__(self, clock):
        super().__init__(clock=clock)
        self.expiries = []

    async def deny_session(self, session, *, until):
        self.expiries.append(until)
        await super().deny_session(session, until=until)


def test_after_the_migration_nothing_is_kept_of_the_cookies_that_nobody_reads_any_more(clock):
    old = vector("starlette/A01")
    clock.now = old.now
    migration = Migration(old.reader(), accept_until=datetime.fromtimestamp(old.now + 60, UTC))
    for backend, given in (("revocations", Denying(clock)), ("store", Counting(MemoryStore(clock=clock)))):
        clock.now = old.now
        client = browser(shop(migrate_from=[migration], clock=clock, **{backend: given}))
        for name, value in old.cookies.items():
            client.cookies.set(name, value, domain="testserver.local")
        client.get("/view")
        given.expiries.clear()
        clock.advance(61)
        client.post("/logout")
        assert given.expiries
        assert all(expiry > clock() for expiry in given.expiries)


# The last second of the migration, and the first one after it.
@pytest.mark.parametrize("later", [60, 61])
@MODES
def test_after_the_migration_a_session_that_was_taken_over_ends_as_any_other(clock, mode, later):
    old = vector("starlette/A01")
    clock.now = old.now
    end = datetime.fromtimestamp(old.now + 60, UTC)
    app = shop(migrate_from=[Migration(old.reader(), accept_until=end)], **Home("memory", {}, clock).options(mode))
    client = browser(app)
    for name, value in old.cookies.items():
        client.cookies.set(name, value, domain="testserver.local")
    client.get("/view")
    kept = cookie_header(client)
    clock.advance(later)
    assert client.post("/logout").status_code == 200
    assert shown(app, kept, "/info").json()["status"] == "revoked"
