"""The page shows the request's own session, and looking at it changes nothing."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Request
from itsdangerous import TimestampSigner
from starlette.middleware.base import BaseHTTPMiddleware

from fastsession import ConfigurationError, Session, SessionMiddleware, generate_key
from fastsession.formats import Migration, StarletteSession
from fastsession.inspector import SessionInspector
from fastsession.stores import MemoryStore
from tests.inspector.local import PAGE, attempt, inspected_shop, local_browser, panel, status
from tests.shop import COOKIE, IDLE, MINUTE, OLD_SECRET, SECRET, cookie_header, set_cookies, shop

INJECTION = "<script>alert('&')</script>"


def test_a_first_visitor_is_told_that_there_is_no_session(client):
    response = client.get(PAGE)
    assert status(response) == "absent"
    assert "No cookie of this session" in panel(response, "browser")
    assert "A session begins when it is first saved." in panel(response, "time")


def test_a_first_look_begins_no_session(client):
    assert set_cookies(client.get(PAGE)) == []


def test_what_the_browser_holds_and_what_the_server_sees_are_shown(client):
    client.post("/login")
    client.post("/cart/tea")
    client.post("/update", json={"flash": "hello"})
    response = client.get(PAGE)
    assert status(response) == "valid"
    assert f"{len(cookie_header(client)) - 1} of 4,096 bytes" in panel(response, "browser")
    seen = panel(response, "server")
    assert f"Handle {client.get('/info').json()['id']}" in seen
    assert 'cart ["tea"] set' in seen
    assert 'note "" default' in seen
    assert 'flash "hello" set' in seen
    assert "Signed in regenerate() was called" in seen


def test_every_character_of_the_cookie_is_on_the_page_in_its_order(client):
    client.post("/note/4000")
    text = panel(client.get(PAGE), "browser")
    for cookie in client.cookies.jar:
        for piece in cookie.value.split("."):
            assert piece[60:1500] in text


def test_what_changed_since_the_last_look_is_marked(client):
    client.post("/cart/tea")
    client.get(PAGE)
    client.post("/cart/milk")
    assert 'cart ["tea", "milk"] changed since your last look' in panel(client.get(PAGE), "server")
    assert 'cart ["tea", "milk"] set' in panel(client.get(PAGE), "server")


def test_what_another_middleware_changes_in_this_request_is_marked(clock):
    async def put_into_cart(request: Request, call_next):
        request.session["note"] = "from a middleware"
        return await call_next(request)

    app = shop(clock=clock)
    app.mount("/_session", SessionInspector(enabled=True))
    # Added first, so inside the session middleware.
    app.user_middleware.append(app.user_middleware[0].__class__(BaseHTTPMiddleware, dispatch=put_into_cart))
    assert "changed by this request" in panel(local_browser(app).get(PAGE), "server")


@pytest.mark.parametrize("path", ["", "inspector.css", "inspector.js"])
@pytest.mark.parametrize("options", [{}, {"store": MemoryStore()}], ids=["cookie", "store"])
def test_looking_does_not_renew_the_session(clock, options, path):
    client = local_browser(inspected_shop(clock=clock, **options))
    client.post("/cart/tea")
    clock.advance(IDLE - MINUTE)
    assert set_cookies(client.get(PAGE + path)) == []
    clock.advance(2 * MINUTE)
    assert client.get("/info").json()["status"] == "expired_idle"


def test_looking_does_not_seal_anew_what_came_under_an_old_secret(clock):
    old = local_browser(shop(clock=clock, secret_key=OLD_SECRET))
    old.post("/cart/tea")
    client = local_browser(inspected_shop(clock=clock, secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET]))
    response = client.get(PAGE, headers={"cookie": cookie_header(old)})
    assert set_cookies(response) == []
    assert "an old secret: to be sealed anew" in panel(response, "server")


def test_looking_does_not_delete_a_rejected_cookie(client):
    response = client.get(PAGE, headers={"cookie": f"{COOKIE}=nonsense"})
    assert status(response) == "malformed"
    assert "nonsense" in panel(response, "browser")
    assert set_cookies(response) == []


def test_looking_at_a_session_of_another_system_does_not_take_it_over():
    secret = generate_key()
    cookie = TimestampSigner(secret).sign(b64encode(b'{"note":"from before"}')).decode()
    migration = Migration(StarletteSession(secret_key=secret), accept_until=datetime.now(UTC) + timedelta(days=1))
    client = local_browser(inspected_shop(migrate_from=[migration]))
    response = client.get(PAGE, headers={"cookie": f"session={cookie}"})
    assert set_cookies(response) == []
    assert status(response) == "valid"
    seen = panel(response, "server")
    assert 'note "from before" set' in seen
    assert "Handle none until it is saved Origin StarletteSession Data with the other system" in seen


def test_one_visitor_sees_nothing_of_another(clock):
    app = inspected_shop(clock=clock)
    one, other = local_browser(app), local_browser(app)
    one.post("/update", json={"note": "of the first alone"})
    other.post("/update", json={"note": "of the second"})
    one.get(PAGE)
    attempt(one, "flip")
    shown = other.get(PAGE).text
    assert "of the first alone" not in shown
    assert one.get("/info").json()["id"] not in shown
    assert cookie_header(one).partition("=")[2] not in shown
    assert "rejected" not in panel(other.get(PAGE), "log")
    assert "Needs an earlier cookie" in panel(attempt(other, "replay"), "result")


def test_what_a_session_holds_is_text_and_never_markup(client):
    client.post("/update", json={"note": INJECTION, INJECTION: INJECTION})
    response = client.get(PAGE)
    assert "<script>alert" not in response.text
    assert response.text.count("<script") == 1
    assert panel(response, "server").count("alert('&')") == 3


def test_what_a_cookie_holds_is_text_and_never_markup(client):
    response = client.get(PAGE, headers={"cookie": f'{COOKIE}="><script>alert(1)</script>'})
    assert "<script>alert" not in response.text


def test_the_log_has_the_events_of_this_session(client):
    client.post("/cart/tea")
    client.post("/note/3000")
    log = panel(client.get(PAGE), "log")
    assert [kind for kind in ("near_limit", "saved", "created") if kind in log] == ["near_limit", "saved", "created"]
    assert log.index("near_limit") < log.index("saved") < log.index("created")


def test_the_page_has_no_inline_style_or_script(client):
    client.post("/cart/tea")
    text = attempt(client, "flip").text
    assert " style=" not in text
    assert "<style" not in text
    assert " onclick=" not in text
    assert text.count("<script") == 1


def test_the_page_has_landmarks_headings_and_a_caption_for_every_table(client):
    client.post("/cart/tea")
    text = client.get(PAGE).text
    assert [text.count(f"<{tag}") for tag in ("main", "h1")] == [1, 1]
    assert text.count("<section") == text.count("<h2") == 5
    assert text.count("<table") == text.count("<caption") > 3
    assert '<html lang="en">' in text


def test_data_in_a_store_is_said_to_be_there(clock):
    client = local_browser(inspected_shop(clock=clock, store=MemoryStore(clock=clock)))
    client.post("/cart/tea")
    seen = panel(client.get(PAGE), "server")
    assert "Data in the store; the cookie only leads there" in seen
    assert 'cart ["tea"] set' in seen


def test_of_several_session_middlewares_one_has_to_be_named(clock):
    class OtherSession(Session):
        colour: str = "green"

    app = shop(clock=clock)
    app.add_middleware(SessionMiddleware, model=OtherSession, secret_key=SECRET, session_cookie="other", clock=clock)
    app.mount("/any", SessionInspector(enabled=True))
    app.mount("/other", SessionInspector(enabled=True, model=OtherSession))
    client = local_browser(app)
    assert 'colour "green" default' in panel(client.get("/other/"), "server")
    with pytest.raises(ConfigurationError, match=r"SessionInspector\(enabled=True, model=\.\.\.\)"):
        client.get("/any/")


def test_a_model_without_fields_is_shown_as_empty():
    client = local_browser(inspected_shop(model=Session))
    assert "Session has no fields, and there are no extras." in panel(client.get(PAGE), "server")


def test_a_long_value_is_cut(client):
    client.post("/note/2000")
    assert "… (2,002 characters)" in panel(client.get(PAGE), "server")


def test_more_cookies_than_are_searched_are_not_shown(client):
    response = client.get(PAGE, headers={"cookie": f"{COOKIE}={'a' * 70_000}"})
    assert status(response) == "oversize"
    assert "No cookie of this session" in panel(response, "browser")
