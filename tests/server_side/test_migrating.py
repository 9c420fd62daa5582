"""Sessions of another system's store that move into ours."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from fastsession import generate_key
from fastsession.formats import ExpressSession, Migration
from tests.server_side.site import browser, site
from tests.shop import COOKIE, IDLE, START

pytestmark = pytest.mark.anyio


async def test_a_session_of_express_session_moves_into_the_store(home, clock, events):
    secret = generate_key()
    there = {"express-id": '{"cookie": {"expires": null}, "user_id": 7}'}
    migration = Migration(
        ExpressSession(secret=secret, store=there), accept_until=datetime.fromtimestamp(START + IDLE, UTC)
    )
    async with site(store=home.store(), clock=clock, on_event=events.append, migrate_from=[migration]) as app:
        client = browser(app)
        client.cookies.set("connect.sid", express_cookie("express-id", secret), domain="testserver.local")
        assert (await client.get("/who")).json() == [7, "valid"]
        assert [cookie.name for cookie in client.cookies.jar] == [COOKIE]
        assert (await client.get("/who")).json() == [7, "valid"]
        assert len((await client.get("/sessions")).json()) == 1
        await client.post("/login/8")
        assert (await client.get("/who")).json() == [8, "valid"]
    assert [event.kind for event in events] == ["migrated", "regenerated"]


async def test_what_ended_is_kept_where_the_sessions_are(home, mode, clock):
    secret = generate_key()
    there = {"express-id": '{"cookie": {"expires": null}, "user_id": 42}', "other": '{"cookie": {}, "user_id": 42}'}
    migration = Migration(
        ExpressSession(secret=secret, store=there), accept_until=datetime.fromtimestamp(START + IDLE, UTC)
    )
    old, never_moved = ({"cookie": f"connect.sid={express_cookie(each, secret)}"} for each in there)
    async with site(**home.options(mode), migrate_from=[migration]) as app:
        assert (await browser(app).get("/who", headers=old)).json() == [42, "valid"]
        await browser(app).post("/logout", headers=old)
        assert (await browser(app).get("/who", headers=old)).json() == [None, "revoked"]
        assert (await browser(app).get("/who", headers=never_moved)).json() == [42, "valid"]
        await browser(app).post("/end-all?subject=user-42")
        assert (await browser(app).get("/who", headers=never_moved)).json() == [None, "revoked"]


def express_cookie(session_id, secret):
    """`s:<id>.<signature>`, percent-encoded, as cookie-signature writes it."""
    signature = b64encode(hmac.digest(secret.encode(), session_id.encode(), "sha256")).decode().rstrip("=")
    return quote(f"s:{session_id}.{signature}", safe="")
