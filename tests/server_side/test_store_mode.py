"""Sessions whose data is in a store: what the cookie says, what the store holds, and what comes of neither alone."""

import pytest

from fastsession import SessionTooLargeError
from fastsession.keyring import KeyRing
from fastsession.sealing.token import TokenSealer
from fastsession.server_side.records import MAX_RECORD_SIZE, record_name
from fastsession.stores import MemoryStore
from fastsession.testing import sealed_cookies
from tests.server_side.counting import Counting
from tests.server_side.site import browser, cookie_header, replayed, site
from tests.shop import ABSOLUTE, COOKIE, IDLE, OLD_SECRET, SECRET, START, ShopSession, shop
from tests.wire import exchange, http_scope

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(home):
    return Counting(home.store())


@pytest.fixture
async def app(store, clock, events):
    async with site(store=store, clock=clock, on_event=events.append) as app:
        yield app


async def test_the_cookie_has_one_size_whatever_the_session_holds(app):
    client = browser(app)
    sizes = {len((await client.post(f"/note/{size}")).headers["set-cookie"]) for size in (1, 1000, 100_000)}
    assert len(sizes) == 1


async def test_what_the_store_is_given_tells_nothing(app, store):
    client = browser(app)
    await client.post("/update", json={"note": "a dump of the store must not show this"})
    await client.post("/login/42")
    token = opened(cookie_value(client))
    assert token.payload == b""
    kept = repr(store.calls).encode()
    assert b"must not show this" not in kept
    assert b"user-42" not in kept
    assert token.id.hex().encode() not in kept
    assert (await client.get("/view")).json()["note"] == "a dump of the store must not show this"


async def test_a_record_under_another_session_s_name_is_dropped(app, store, events):
    mine, theirs = browser(app), browser(app)
    for client, user_id in ((mine, 1), (theirs, 2)):
        await client.post(f"/login/{user_id}")
    my_name, their_name = (record_name(opened(cookie_value(client)).id) for client in (mine, theirs))
    stolen = await store.read(their_name)
    await store.create(my_name, stolen.data, expires_at=START + IDLE, owner=None)
    assert (await mine.get("/who")).json() == [None, "forged"]
    assert (events[-1].kind, events[-1].status) == ("rejected", "forged")


async def test_an_authentic_id_that_the_store_does_not_know_is_not_adopted(app, clock):
    sealed = sealed_cookies(shop(clock=clock), ShopSession(user_id=42))[COOKIE]
    client, headers = browser(app), {"cookie": f"{COOKIE}={sealed}"}
    assert await replayed(app, headers) == [None, "revoked"]
    assert (await client.post("/cart/tea", headers=headers)).json() == ["tea"]
    assert opened(cookie_value(client)).id != opened(sealed).id


@pytest.mark.parametrize("chosen", ["0" * 32, "admin", "../../x", "A" * 200])
async def test_an_id_that_the_client_chose_is_never_one(app, store, chosen):
    await browser(app).post("/login/42", headers={"cookie": f"{COOKIE}={chosen}"})
    assert chosen not in repr(store.calls)
    assert await replayed(app, {"cookie": f"{COOKIE}={chosen}"}) == [None, "malformed"]


async def test_ten_thousand_forged_cookies_cause_no_store_call(clock):
    store = Counting(MemoryStore())
    async with site(store=store, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        value = cookie_value(client)
        store.calls.clear()
        for number in range(10_000):
            place = number % len(value)
            forged = value[:place] + ("B" if value[place] == "A" else "A") + value[place + 1 :]
            sent = await exchange(app, http_scope("/who", headers=[(b"cookie", f"{COOKIE}={forged}".encode())]))
            assert sent[0]["status"] == 200
            assert sent[1]["body"].startswith(b"[null,")
    assert store.calls == []


async def test_an_anonymous_visitor_who_only_reads_leaves_nothing_in_the_store(app, store):
    assert (await browser(app).get("/cart")).json() == []
    assert store.calls == []


async def test_one_read_a_request_and_one_write_for_a_change(app, store):
    client = browser(app)
    await client.post("/cart/tea")
    store.calls.clear()
    await client.get("/cart")
    assert store.names == ["read"]
    store.calls.clear()
    await client.post("/cart/milk")
    assert store.names == ["read", "replace"]


async def test_at_login_the_new_record_is_safe_before_the_old_one_goes(app, store):
    client = browser(app)
    await client.post("/cart/tea")
    before = cookie_header(client)
    store.calls.clear()
    await client.post("/login/42")
    assert store.names == ["read", "supersede"]
    assert (await client.get("/cart")).json() == ["tea"]
    assert await replayed(app, before) == [None, "revoked"]


async def test_a_login_whose_new_record_was_not_kept_leaves_the_old_session_as_it_was(app, store):
    client = browser(app)
    await client.post("/cart/tea")
    store.fail_on = "supersede"
    response = await client.post("/login/42")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "set-cookie" not in response.headers
    assert (await client.get("/cart")).json() == ["tea"]


async def test_a_cookie_copied_before_logout_is_revoked(app, store):
    client = browser(app)
    await client.post("/login/42")
    copied = cookie_header(client)
    await client.post("/logout")
    assert not client.cookies
    assert await replayed(app, copied) == [None, "revoked"]
    assert store.names == ["create", "read", "replace", "read"]


async def test_a_logout_that_the_store_did_not_take_is_not_pretended(app, store):
    client = browser(app)
    await client.post("/login/42")
    store.fail_on = "replace"
    response = await client.post("/logout")
    assert (response.status_code, "set-cookie" in response.headers) == (503, False)
    store.fail_on = None
    assert (await client.post("/logout")).status_code == 200
    assert (await client.get("/who")).json() == [None, "absent"]


async def test_a_renewal_moves_the_expiry_of_record_and_cookie(app, store, clock):
    client = browser(app)
    await client.post("/login/42")
    clock.advance(IDLE // 2)
    assert "set-cookie" in (await client.get("/public")).headers
    assert store.expiries[-1] == START + IDLE // 2 + IDLE
    clock.advance(IDLE - 1)
    assert (await client.get("/who")).json() == [42, "valid"]
    clock.advance(ABSOLUTE)
    assert (await client.get("/who")).json() == [None, "expired_idle"]


async def test_no_record_outlives_the_absolute_timeout(app, store, clock):
    client = browser(app)
    await client.post("/login/42")
    for _ in range(50):
        clock.advance(ABSOLUTE / 50)
        await client.get("/public")
    assert max(store.expiries) == START + ABSOLUTE
    assert (await client.get("/who")).json() == [None, "expired_absolute"]


async def test_a_renewal_that_the_store_did_not_take_keeps_the_response_and_is_tried_again(app, store, clock):
    client = browser(app)
    await client.post("/login/42")
    clock.advance(IDLE // 2)
    store.fail_on = "replace"
    response = await client.get("/who")
    assert (response.json(), "set-cookie" in response.headers) == ([42, "valid"], False)
    store.fail_on = None
    assert "set-cookie" in (await client.get("/who")).headers


async def test_records_sealed_under_the_old_secret_open_and_are_sealed_anew(home, clock):
    store = home.store()
    async with site(store=store, clock=clock, secret_key=OLD_SECRET) as app:
        client = browser(app)
        await client.post("/login/42")
    rotated = {"store": store, "clock": clock, "secret_key": SECRET, "secret_key_fallbacks": [OLD_SECRET]}
    async with site(**rotated) as app:
        client = browser(app, client.cookies)
        assert [entry["is_current"] for entry in (await client.get("/sessions")).json()] == [True]
    async with site(store=store, clock=clock) as app:
        client = browser(app, client.cookies)
        assert (await client.get("/who")).json() == [42, "valid"]
        assert [entry["is_current"] for entry in (await client.get("/sessions")).json()] == [True]


async def test_a_record_under_a_secret_that_is_not_configured_keeps_its_cookie(home, clock):
    store = home.store()
    async with site(store=store, clock=clock) as app:
        client = browser(app)
        await client.post("/login/42")
        name = record_name(opened(cookie_value(client)).id)
        foreign = (await store.read(name)).data
        await store.create(name, b"\0\0\0" + foreign[3:], expires_at=START + IDLE, owner=None)
        response = await client.get("/who")
        assert response.json() == [None, "unknown_key"]
        assert "set-cookie" not in response.headers


async def test_a_session_of_one_megabyte_works(app):
    client = browser(app)
    assert (await client.post("/note/1000000")).status_code == 200
    assert len((await client.get("/view")).json()["note"]) == 1_000_000


async def test_a_session_above_the_limit_is_an_error_that_names_the_field_and_changes_nothing(app):
    client = browser(app)
    await client.post("/cart/tea")
    with pytest.raises(SessionTooLargeError, match=rf"record holds at most {MAX_RECORD_SIZE}.*'note'") as raised:
        await client.post(f"/note/{MAX_RECORD_SIZE}")
    assert "max_cookies" not in str(raised.value)
    assert (await client.get("/view")).json() == {"cart": ["tea"]}


def cookie_value(client):
    [value] = [cookie.value for cookie in client.cookies.jar]
    return value


def opened(value):
    """The token in a cookie's value."""
    return TokenSealer(KeyRing([SECRET.encode()]), cookie_name=COOKIE, audience="").open(value)
