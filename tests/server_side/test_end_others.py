"""`end_others()`: this session goes on, no longer than it would have, and later cut-offs end it too."""

import pytest

from tests.server_side.site import Home, router
from tests.shop import ABSOLUTE, HOUR, browser, cookie_header, shop

MODES = ["revocations", "store", "both"]


@pytest.fixture(params=MODES)
def app(request, clock):
    app = shop(**Home("memory", {}, clock).options(request.param), idle_timeout=ABSOLUTE)
    app.include_router(router)
    return app


@pytest.fixture
def client(app):
    client = browser(app)
    client.post("/login/42")
    return client


def signed_in(app):
    client = browser(app)
    client.post("/login/42")
    return client


def who(client):
    return client.get("/who").json()


def times(client):
    info = client.get("/info").json()
    return info["created_at"], info["authenticated_at"]


def test_neither_the_beginning_nor_the_sign_in_moves(client, clock):
    before = times(client)
    for _ in range(3):
        clock.advance(HOUR)
        client.post("/end-others")
        assert times(client) == before


def test_the_absolute_timeout_holds_however_often_it_is_called(client, clock):
    for _ in range(ABSOLUTE // HOUR - 1):
        clock.advance(HOUR)
        client.post("/end-others")
        assert who(client) == [42, "valid"]
    clock.advance(HOUR)
    assert who(client) == [None, "expired_absolute"]


def test_it_survives_its_own_cut_off_after_renewals_and_changes(client, clock):
    clock.advance(HOUR)
    client.post("/end-others")
    for path in ("/cart/tea", "/cart/milk"):
        clock.advance(4 * HOUR)
        client.get("/public")
        client.post(path)
        assert who(client) == [42, "valid"]


@pytest.mark.parametrize("seconds", [0, 1, 60])
@pytest.mark.parametrize("path", ["/end-all?subject=user-42", "/end-others"])
def test_a_later_cut_off_ends_it(app, client, clock, seconds, path):
    clock.advance(60)
    client.post("/end-others")
    clock.advance(seconds)
    signed_in(app).post(path)
    assert who(client) == [None, "revoked"]


def test_a_sign_in_of_the_same_second_does_not_outlive_the_next_end_all(app, client):
    for _ in range(3):
        laptop = signed_in(app)
        assert who(laptop) == [42, "valid"]
        signed_in(app).post("/end-all?subject=user-42")
        assert who(laptop) == [None, "revoked"]


@pytest.mark.parametrize("app", ["revocations", "both"], indirect=True)
@pytest.mark.parametrize("seconds", [0, 60])
def test_the_cut_off_for_all_knows_no_exception(app, client, clock, seconds):
    created_at = int(clock())
    clock.advance(60)
    client.post("/end-others")
    clock.advance(seconds)
    revocations = app.user_middleware[0].kwargs["revocations"]
    with browser(app) as running:
        # Also one that reaches back to before it ended the others.
        running.portal.call(lambda: revocations.deny_all(before=created_at + 1))
    assert who(client) == [None, "revoked"]


def test_a_copy_from_before_is_revoked_and_one_from_after_is_this_session(app, client, clock):
    clock.advance(60)
    before = {"cookie": cookie_header(client)}
    client.post("/end-others")
    after = {"cookie": cookie_header(client)}
    assert browser(app).get("/who", headers=before).json() == [None, "revoked"]
    assert browser(app).get("/who", headers=after).json() == [42, "valid"]


def test_regenerate_begins_again_and_forgets_the_exception(client, clock):
    clock.advance(60)
    client.post("/end-others")
    clock.advance(60)
    client.post("/login/42")
    assert times(client)[0] == "2027-01-15T08:02:00Z"
    assert who(client) == [42, "valid"]
