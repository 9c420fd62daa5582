"""session-timeout.js in Chromium: the warning, staying, signing out, being over, and tabs that agree."""

import pytest
from playwright.sync_api import expect

from tests.browser.fetching import fetch, jar
from tests.browser.timed_pages import LEAD, Tab, timed_pages
from tests.shop import COOKIE, IDLE, MINUTE


@pytest.fixture
def other(timed_site, context, clock, tab):
    return Tab(context, timed_site, clock).open()


def test_nothing_shows_until_two_minutes_before_the_end(tab):
    with tab.page.expect_response("**/session") as response:
        tab.sleep(IDLE - LEAD - 1)
        tab.check()
    assert response.value.json()["idle_left"] == LEAD + 1
    expect(tab.dialog).not_to_be_attached()
    tab.sleep(1)
    expect(tab.dialog).to_be_visible()


def test_the_warning_counts_down_and_is_read_out_every_half_minute(tab):
    tab.sleep(IDLE - LEAD)
    message = tab.dialog.get_by_role("timer")
    expect(message).to_have_text("You will be signed out in 2:00.")
    expect(message).to_have_attribute("aria-live", "polite")
    tab.sleep(1)
    expect(message).to_have_text("You will be signed out in 1:59.")
    expect(message).to_have_attribute("aria-live", "off")


def test_the_warning_is_a_modal_dialog_named_by_its_message_that_takes_the_focus_and_gives_it_back(tab):
    field = tab.page.get_by_role("textbox")
    field.focus()
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_have_accessible_name("You will be signed out in 2:00.")
    expect(tab.dialog.get_by_role("button", name="Stay signed in")).to_be_focused()
    assert tab.page.evaluate("document.querySelector('dialog').matches(':modal')")
    tab.press("Stay signed in")
    expect(tab.dialog).not_to_be_attached()
    expect(field).to_be_focused()


@pytest.mark.parametrize("answer", ["button", "escape"])
def test_staying_renews_the_session(tab, context, answer):
    before = jar(context)[COOKIE]
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()
    with tab.page.expect_response(lambda response: response.request.method == "POST"):
        if answer == "button":
            tab.press("Stay signed in")
        else:
            tab.page.keyboard.press("Escape")
    expect(tab.dialog).not_to_be_attached()
    assert jar(context)[COOKIE] != before
    assert fetch(tab.page, "/session")["idle_left"] == IDLE


def test_after_staying_there_is_a_warning_again_in_time(tab):
    for _ in range(2):
        tab.sleep(IDLE - LEAD)
        tab.stay()
        expect(tab.dialog).not_to_be_attached()


def test_signing_out_ends_the_session_and_leads_to_the_sign_in_page(tab, context):
    tab.sleep(IDLE - LEAD)
    tab.press("Sign out")
    tab.page.wait_for_url("**/sign-in")
    assert jar(context) == {}


def test_the_page_is_left_when_the_session_is_over(tab):
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()
    tab.sleep_past_the_end(LEAD)
    tab.page.wait_for_url("**/sign-in")


def test_the_page_is_left_when_a_computer_wakes_up_after_the_end(tab):
    tab.sleep_past_the_end(10 * IDLE)
    tab.page.wait_for_url("**/sign-in")


def test_the_page_that_was_left_is_not_in_the_history(tab):
    pages = tab.page.evaluate("history.length")
    tab.sleep_past_the_end(IDLE)
    tab.page.wait_for_url("**/sign-in")
    assert tab.page.evaluate("history.length") == pages


def test_every_tab_warns_and_staying_in_one_withdraws_it_from_all(tab, other):
    tab.sleep(IDLE - LEAD, other)
    expect(tab.dialog).to_be_visible()
    expect(other.dialog).to_be_visible()
    other.press("Stay signed in")
    expect(tab.dialog).not_to_be_attached()
    expect(other.dialog).not_to_be_attached()


def test_signing_out_in_one_tab_leaves_the_page_in_all(tab, other):
    tab.sleep(IDLE - LEAD, other)
    tab.press("Sign out")
    for each in (tab, other):
        each.page.wait_for_url("**/sign-in")


def test_use_of_the_session_elsewhere_withdraws_the_warning(tab):
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()
    assert fetch(tab.page, "/cart") == []
    tab.sleep(10)
    expect(tab.dialog).not_to_be_attached()


def test_a_page_that_comes_back_from_the_back_forward_cache_looks_at_its_session_again(tab, clock):
    tab.hears("ended")
    tab.page.goto(tab.page.url.replace("account", "sign-in"))
    clock.advance(IDLE)
    tab.page.evaluate("history.back()")
    # Only the page as it was left knows that it had been listening.
    tab.has_heard("ended", 1)


def test_a_tab_that_is_looked_at_again_looks_at_its_session(tab, clock):
    clock.advance(IDLE)
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    tab.page.wait_for_url("**/sign-in")


@pytest.mark.parametrize("failure", ["offline", "503", "a page of somebody else's"])
def test_a_broken_connection_signs_nobody_out_and_is_tried_again(tab, context, failure):
    failing = []

    def fail(route):
        failing.append(route)
        if failure == "offline":
            route.abort("internetdisconnected")
        elif failure == "503":
            route.fulfill(status=503, json={"signed_in": False})
        else:
            route.fulfill(body="<title>Sign in to this network</title>")

    context.route("**/session", fail)
    # Not the page's first question, which may be answered only now.
    ended = "requestfinished" if failure != "offline" else "requestfailed"
    with tab.page.expect_event(ended, lambda _: bool(failing)):
        tab.sleep(IDLE - LEAD)
    context.unroute("**/session")
    expect(tab.dialog).not_to_be_attached()
    tab.sleep(10)
    expect(tab.dialog).to_contain_text("in 1:50.")


def test_a_renewal_that_failed_leads_to_another_warning(tab, context):
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()
    context.route("**/session", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    with tab.page.expect_event("requestfailed"):
        tab.press("Stay signed in")
    expect(tab.dialog).to_be_visible()
    context.unroute("**/session")
    tab.press("Stay signed in")
    expect(tab.dialog).not_to_be_attached()


def test_near_the_absolute_deadline_the_visitor_is_warned_once_and_promised_nothing(serve, context, clock):
    tab = Tab(context, serve(timed_pages(clock=clock, absolute_timeout=IDLE - 1)), clock).sign_in()
    tab.sleep(IDLE - 1 - LEAD)
    expect(tab.dialog.get_by_role("button")).to_have_text(["Close", "Sign out"])
    tab.press("Close")
    expect(tab.dialog).not_to_be_attached()
    with tab.page.expect_response("**/session"):
        tab.sleep(10)
    expect(tab.dialog).not_to_be_attached()
    tab.sleep_past_the_end(LEAD)
    tab.page.wait_for_url("**/sign-in")


def test_texts_and_the_lead_time_come_from_the_script_tag(serve, context, clock):
    attributes = (
        'data-message="Noch {time}, dann werden Sie abgemeldet." data-stay="Angemeldet bleiben" '
        'data-sign-out="Abmelden" data-warn-before="300"'
    )
    tab = Tab(context, serve(timed_pages(attributes, clock=clock)), clock).sign_in()
    tab.sleep(IDLE - 300)
    expect(tab.dialog.get_by_role("timer")).to_have_text("Noch 5:00, dann werden Sie abgemeldet.")
    expect(tab.dialog.get_by_role("button")).to_have_text(["Angemeldet bleiben", "Abmelden"])


def test_without_a_sign_in_page_the_page_is_loaded_again(serve, context, clock):
    tab = Tab(context, serve(timed_pages("", clock=clock)), clock).sign_in()
    tab.page.evaluate("location.hash = 'here'")
    # To its end: Chromium does not close a profile whose page is being loaded.
    with tab.page.expect_event("load"):
        tab.sleep_past_the_end(IDLE)


def test_the_dialog_is_dark_on_a_dark_page(timed_site, new_context, clock):
    tab = Tab(new_context(color_scheme="dark"), timed_site, clock).sign_in()
    tab.sleep(IDLE - LEAD)
    background = tab.dialog.evaluate("element => getComputedStyle(element).backgroundColor")
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(", "))) < 100


def test_a_strict_content_security_policy_finds_nothing_to_object_to(tab):
    tab.page.evaluate("window.heard = []; addEventListener('securitypolicyviolation', e => heard.push(e.blockedURI))")
    tab.sleep(IDLE - LEAD)
    tab.press("Stay signed in")
    expect(tab.dialog).not_to_be_attached()
    assert tab.page.evaluate("heard") == []


def test_a_deadline_beyond_the_reach_of_timers_is_not_asked_for_in_a_loop(serve, context, clock):
    tab = Tab(context, serve(timed_pages(clock=clock, idle_timeout=60 * 86_400, absolute_timeout=60 * 86_400)), clock)
    tab.sign_in()
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    for _ in range(5):
        tab.sleep(MINUTE)
    assert asked == []
