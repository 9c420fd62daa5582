"""A link on another site leads to a bound session whose proof is over: one reload proves it again."""

import pytest

from fastsession import DeviceBinding
from tests.device_binding.bank import BOUND, DEVICE, LIFETIME, bank
from tests.device_binding.modelled_browser import Browser, Thief
from tests.shop import COOKIE, set_cookies

LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def app(mode, clock, events, without_proof):
    return bank(mode, clock=clock, on_event=events.append, device_binding=DeviceBinding(without_proof=without_proof))


def is_bounced(response):
    return response.status_code == 200 and "location.reload()" in response.text


def follow(browser, path="/who", method="GET", **changed):
    headers = {name: value for name, value in {**LINK, **changed}.items() if value is not None}
    return browser.ask(method, path, headers=list(headers.items()), held=False)


def test_the_answer_reloads_the_page(user, clock):
    clock.advance(LIFETIME)
    response = user.follow_link("/who?a=b")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["refresh"] == "1"
    assert "cookie" in response.headers["vary"].lower()
    assert "<script>location.reload()</script>" in response.text
    assert '<a href="">Continue</a>' in response.text
    assert set_cookies(response) == []


def test_a_link_on_another_host_of_the_site_reloads_too(user, clock):
    """Chromium refreshes for pages of the very host only: measured from www.a.test to a.test."""
    clock.advance(LIFETIME)
    assert is_bounced(follow(user, **{"sec-fetch-site": "same-site"}))
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_after_the_reload_the_user_is_there(user, clock):
    clock.advance(LIFETIME)
    assert is_bounced(user.follow_link("/who"))
    assert user.get("/who").json()[:3] == [42, "valid", True]


def test_the_application_never_sees_the_request(app, user, clock):
    seen = []

    async def count() -> None:
        seen.append(1)

    app.add_api_route("/count", count)
    clock.advance(LIFETIME)
    assert is_bounced(user.follow_link("/count"))
    assert seen == []


def test_a_cookie_that_the_browser_still_holds_but_that_is_over_bounces_too(app, user, clock):
    thief = Thief(user)
    clock.advance(LIFETIME)
    assert is_bounced(thief.get("/who", headers=list(LINK.items())))


def test_a_head_request_has_no_session_to_reload(user, clock):
    clock.advance(LIFETIME)
    assert "refresh" not in user.ask("HEAD", "/who", headers=list(LINK.items()), held=False).headers


@pytest.mark.parametrize(
    "changed",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": None},
        {"sec-fetch-dest": "iframe"},
        {"sec-fetch-dest": "empty"},
        {"sec-fetch-dest": "image"},
        {"sec-fetch-dest": None},
        {"secure-session-skipped": "server_error"},
        {"secure-session-skipped": "quota_exceeded"},
        {"method": "POST"},
    ],
    ids=str,
)
def test_other_requests_are_the_applications(user, clock, changed, without_proof):
    clock.advance(LIFETIME)
    assert not is_bounced(follow(user, **changed))


def test_a_proven_session_is_not_bounced(user, clock):
    clock.advance(LIFETIME - 1)
    assert user.follow_link("/who").json()[:3] == [42, "valid", True]


def test_a_session_that_is_not_bound_is_not_bounced(app, clock, offered):
    clock.advance(200)
    assert offered.follow_link("/who").json()[:3] == [42, "valid", False]
    browser = Browser(app, clock)
    assert browser.follow_link("/who").json()[:2] == [None, "absent"]
    browser.post("/cart/tea")
    assert browser.follow_link("/who").json()[:2] == [None, "valid"]


def test_a_session_without_its_device_cookie_is_not_bounced(user, clock):
    """A reload would not help: the answer would be the same for ever."""
    clock.advance(LIFETIME)
    user.forget(DEVICE)
    assert user.follow_link("/who").json()[:2] == [None, "unbound"]


@pytest.mark.parametrize("name", [COOKIE, DEVICE])
def test_garbage_is_not_bounced(user, clock, name):
    clock.advance(LIFETIME)
    thief = user.stolen()
    thief.taken[name] = "garbage"
    assert not is_bounced(thief.get("/who", headers=list(LINK.items())))


def test_a_session_that_is_over_is_not_bounced(user, clock):
    clock.advance(1_800)
    assert not is_bounced(user.follow_link("/who"))


@pytest.mark.parametrize("mode", ["revocations", "store"], indirect=True)
def test_a_revoked_session_is_bounced_once_at_the_most(user, clock):
    thief = user.stolen()
    user.post("/logout")
    clock.advance(LIFETIME)
    thief.get("/who", headers=list(LINK.items()))
    reloaded = thief.get("/who", headers=[*{**LINK, "sec-fetch-site": "same-origin"}.items()])
    assert reloaded.json()[0] is None


def test_several_header_lines_are_no_navigation(user, clock):
    clock.advance(LIFETIME)
    headers = [*LINK.items(), ("sec-fetch-site", "same-origin")]
    assert not is_bounced(user.ask("GET", "/who", headers=headers, held=False))


def test_an_excluded_path_is_bounced_once_at_the_most(mode, clock):
    """Its requests are not held for a refresh, so a reload comes without a proof again."""
    user = Browser(bank(mode, clock=clock, device_binding=DeviceBinding(exclude=["/who"])), clock)
    user.post("/login")
    clock.advance(LIFETIME)
    user.follow_link("/who")
    assert user.get("/who", headers=[("sec-fetch-site", "same-origin")]).json()[:2] == [None, "unbound"]


def test_the_endpoints_are_not_bounced(user, clock):
    clock.advance(LIFETIME)
    user.forget(BOUND)
    assert user.refresh()


def test_an_honest_link_is_no_rejection_and_hides_none(user, clock, events, without_proof):
    clock.advance(LIFETIME)
    events.clear()
    assert is_bounced(follow(user))
    assert events == []
    Thief(user).get("/who")
    assert [event.status for event in events] == (["unbound"] if without_proof == "reject" else [])
