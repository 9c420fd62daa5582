"""What `session_status` tells of a session, that telling leaves it as it is, and how it is renewed and ended."""

import pytest

from tests.shop import ABSOLUTE, IDLE, MINUTE, browser, cookie_header, set_cookies
from tests.timed_shop import HOMES, SAME_ORIGIN, status, timed_shop, visitor

OVER = {"signed_in": False, "idle_left": 0, "absolute_left": 0, "can_renew": False, "warn_before": 2 * MINUTE}


@pytest.fixture(params=HOMES)
def app(request, clock, events):
    return timed_shop(**HOMES[request.param](clock), clock=clock, on_event=events.append)


@pytest.fixture
def client(app):
    with visitor(app) as client:
        yield client


def received(client):
    """How the visitor's session is received."""
    return client.get("/info").json()["status"]


def test_it_tells_the_seconds_until_both_deadlines(client, clock):
    clock.advance(100)
    assert status(client) == {
        "signed_in": True,
        "idle_left": IDLE - 100,
        "absolute_left": ABSOLUTE - 100,
        "can_renew": True,
        "warn_before": 2 * MINUTE,
    }


def test_a_part_of_a_second_counts_as_one(client, clock):
    clock.advance(IDLE - 0.25)
    assert (status(client)["signed_in"], status(client)["idle_left"]) == (True, 1)
    clock.advance(0.25)
    assert status(client) == OVER


def test_polling_never_moves_the_idle_deadline(client, clock):
    for left in range(IDLE - MINUTE, 0, -MINUTE):
        clock.advance(MINUTE)
        response = client.get("/session")
        assert (response.json()["idle_left"], set_cookies(response)) == (left, [])
    clock.advance(MINUTE)
    assert status(client) == OVER
    assert received(client) == "expired_idle"


def test_renewing_moves_the_idle_deadline_and_not_the_absolute_one(client, clock):
    clock.advance(IDLE - 1)
    response = client.post("/session")
    assert (response.status_code, len(set_cookies(response))) == (204, 1)
    assert (status(client)["idle_left"], status(client)["absolute_left"]) == (IDLE, ABSOLUTE - IDLE + 1)
    clock.advance(IDLE - 1)
    assert received(client) == "valid"


def test_renewing_works_before_it_is_due(client, clock):
    clock.advance(1)
    client.post("/session")
    assert status(client)["idle_left"] == IDLE


def test_renewing_keeps_what_the_session_holds(client, clock, events):
    client.post("/cart/tea")
    clock.advance(MINUTE)
    client.post("/session")
    assert client.get("/cart").json() == ["tea"]
    assert [event.kind for event in events][-1] == "renewed"


def test_near_the_absolute_deadline_renewing_changes_nothing_and_the_answer_says_so(client, clock):
    for _ in range(ABSOLUTE // (IDLE - 1)):
        assert status(client)["can_renew"]
        clock.advance(IDLE - 1)
        client.post("/session")
    assert status(client)["can_renew"] is False
    left = status(client)["absolute_left"]
    assert left < IDLE
    client.post("/session")
    clock.advance(left)
    assert status(client) == OVER


def test_ending_clears_the_cookie(client, events):
    response = client.delete("/session")
    assert (response.status_code, len(set_cookies(response))) == (204, 1)
    assert status(client) == OVER
    assert events[-1].kind == "destroyed"


@pytest.mark.parametrize("app", ["store", "revocations", "both"], indirect=True)
def test_ending_ends_copies_of_the_cookie_too(app, client):
    copied = {"cookie": cookie_header(client)}
    client.delete("/session")
    assert browser(app).get("/session", headers=copied).json() == OVER
    assert browser(app).get("/info", headers=copied).json()["status"] == "revoked"


def test_use_of_the_session_in_another_tab_shows(client, clock):
    clock.advance(IDLE // 2)
    client.get("/public")
    assert status(client)["idle_left"] == IDLE


def test_a_sign_in_in_another_tab_shows(client, clock):
    clock.advance(IDLE - 1)
    client.post("/login")
    assert (status(client)["idle_left"], status(client)["absolute_left"]) == (IDLE, ABSOLUTE)


def test_without_a_session_nothing_is_left_and_none_begins(app):
    with visitor(app, signed_in=False) as client:
        responses = [client.get("/session"), client.post("/session"), client.delete("/session")]
    assert [response.status_code for response in responses] == [200, 401, 204]
    assert responses[0].json() == OVER
    assert responses[1].headers["www-authenticate"] == "Cookie"
    assert not any(set_cookies(response) for response in responses)


def test_the_cookie_of_a_session_that_is_over_is_left_where_it_is(client, clock):
    clock.advance(IDLE)
    assert set_cookies(client.get("/session")) == []
    response = client.post("/session")
    assert (response.status_code, set_cookies(response)) == (401, [])


def test_ending_a_session_that_is_over_clears_its_cookie(client, clock):
    clock.advance(IDLE)
    assert len(set_cookies(client.delete("/session"))) == 1


def test_a_head_request_is_answered_as_a_get_without_a_body(client, clock):
    clock.advance(IDLE // 2)
    response = client.head("/session")
    assert (response.status_code, response.content, set_cookies(response)) == (200, b"", [])
    assert response.headers["content-length"] == client.get("/session").headers["content-length"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_no_answer_is_stored(client, method):
    assert client.request(method, "/session").headers["cache-control"] == "no-store"


def test_a_method_that_means_nothing_is_not_allowed(client):
    assert client.put("/session", headers=SAME_ORIGIN).status_code == 405
