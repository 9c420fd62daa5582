from datetime import UTC, datetime, timedelta

import pytest
from fastapi import WebSocket

from fastsession import ConfigurationError, generate_key
from tests.shop import IDLE, START, Current, browser, cookie_header, set_cookies, shop, shown


def tenant(connection):
    return connection.headers.get("x-tenant", "").encode()


def visit(app, path, *, cookie="", **headers):
    return browser(app).request(
        "GET" if path == "/info" else "POST",
        path,
        headers={"cookie": cookie, **{f"x-{k}": v for k, v in headers.items()}},
    )


def cookie_of(response):
    return "; ".join(line.partition(";")[0] for line in set_cookies(response))


def status(app, cookie, **headers):
    return visit(app, "/info", cookie=cookie, **headers).json()["status"]


@pytest.fixture
def bound(clock):
    return shop(clock=clock, binding=tenant)


def test_a_bound_session_opens_only_where_it_is_bound_to(bound):
    cookie = cookie_of(visit(bound, "/cart/tea", tenant="red"))
    assert status(bound, cookie, tenant="red") == "valid"
    assert status(bound, cookie, tenant="blue") == "binding"
    assert status(bound, cookie) == "binding"


def test_a_session_at_the_wrong_place_is_a_fresh_one_and_its_cookie_stays(bound):
    cookie = cookie_of(visit(bound, "/cart/tea", tenant="red"))
    response = visit(bound, "/cart/milk", cookie=cookie, tenant="blue")
    assert response.json() == ["milk"]
    response = visit(bound, "/info", cookie=cookie, tenant="blue")
    assert (response.json()["status"], set_cookies(response)) == ("binding", [])


def test_a_renewed_and_a_regenerated_session_stay_bound(bound, clock):
    cookie = cookie_of(visit(bound, "/cart/tea", tenant="red"))
    clock.advance(IDLE // 4)
    renewed = cookie_of(visit(bound, "/info", cookie=cookie, tenant="red"))
    regenerated = cookie_of(visit(bound, "/login", cookie=renewed, tenant="red"))
    for later in (renewed, regenerated):
        assert status(bound, later, tenant="red") == "valid"
        assert status(bound, later, tenant="blue") == "binding"


def test_a_session_from_before_the_binding_or_after_it_is_not_believed(bound, clock):
    unbound = shop(clock=clock)
    assert status(bound, cookie_of(visit(unbound, "/cart/tea")), tenant="red") == "binding"
    assert status(unbound, cookie_of(visit(bound, "/cart/tea", tenant="red"))) == "binding"


def test_what_a_session_is_bound_to_may_have_any_length_and_is_not_in_the_cookie(bound):
    lengths = {len(cookie_of(visit(bound, "/cart/tea", tenant="t" * length))) for length in (0, 1, 4_000)}
    assert len(lengths) == 1


def test_a_binding_works_on_sockets(bound):
    @bound.websocket("/live")
    async def live(socket: WebSocket, session: Current) -> None:
        await socket.accept()
        await socket.send_json(session.cart)
        await socket.close()

    cookie = cookie_of(visit(bound, "/cart/tea", tenant="red"))
    client = browser(bound)
    for name, cart in (("red", ["tea"]), ("blue", [])):
        headers = {"cookie": cookie, "x-tenant": name}
        with client.websocket_connect("wss://testserver/live", headers=headers) as socket:
            assert socket.receive_json() == cart


def test_a_token_of_another_audience_is_forged(clock):
    cookie = cookie_of(visit(shop(clock=clock, audience="staging"), "/cart/tea"))
    assert status(shop(clock=clock, audience="staging"), cookie) == "valid"
    assert status(shop(clock=clock, audience="production"), cookie) == "forged"
    assert status(shop(clock=clock), cookie) == "forged"


def test_a_token_under_another_cookie_name_is_forged(clock):
    name, _, value = cookie_of(visit(shop(clock=clock), "/cart/tea")).partition("=")
    assert name == "__Host-app_session"
    assert status(shop(clock=clock, session_cookie="other"), f"__Host-other={value}") == "forged"


def test_an_unknown_secret_is_told_before_the_audience(clock):
    cookie = cookie_of(visit(shop(clock=clock, secret_key=generate_key()), "/cart/tea"))
    assert status(shop(clock=clock, audience="production"), cookie) == "unknown_key"


@pytest.mark.parametrize("moment", [START, float(START), datetime.fromtimestamp(START, UTC)])
def test_sessions_that_began_before_not_before_are_revoked(clock, moment):
    clock.now = START - 1
    early = cookie_of(visit(shop(clock=clock), "/cart/tea"))
    clock.now = START
    late = cookie_of(visit(shop(clock=clock), "/cart/tea"))
    app = shop(clock=clock, not_before=moment)
    assert (status(app, early), status(app, late)) == ("revoked", "valid")


def test_a_renewal_does_not_save_a_session_from_not_before(clock):
    client = browser(shop(clock=clock))
    client.post("/cart/tea")
    clock.advance(IDLE // 2)
    client.get("/cart")
    assert status(shop(clock=clock, not_before=START + 1), cookie_header(client)) == "revoked"


def test_a_new_login_does(clock):
    client = browser(shop(clock=clock))
    client.post("/cart/tea")
    clock.advance(60)
    client.post("/login")
    assert shown(shop(clock=clock, not_before=START + 1), cookie_header(client)).json() == ["tea"]


def test_not_before_needs_a_time_zone():
    naive = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    with pytest.raises(ConfigurationError, match="tzinfo=UTC"):
        browser(shop(not_before=naive)).get("/public")
