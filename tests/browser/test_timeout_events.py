"""The events by which a page draws its own warning, and those by which it tells the script of a sign-in."""

from playwright.sync_api import expect

from tests.browser.fetching import fetch
from tests.browser.timed_pages import LEAD, Tab, timed_pages
from tests.shop import IDLE


def test_a_page_that_draws_its_own_warning_cancels_ours_and_renews_by_the_event(tab):
    tab.hears("warning")
    tab.hears("active")
    tab.sleep(IDLE - LEAD)
    tab.has_heard("warning", 1)
    assert tab.page.evaluate("heard.warning[0].left") == LEAD
    assert tab.page.evaluate("heard.warning[0].canRenew") is True
    expect(tab.dialog).not_to_be_attached()
    tab.page.evaluate("heard.warning[0].stay()")
    tab.has_heard("active", 1)
    assert fetch(tab.page, "/session")["idle_left"] == IDLE


def test_a_page_that_signs_out_by_the_event_hears_that_the_session_has_ended(tab):
    tab.hears("warning")
    tab.hears("ended")
    tab.sleep(IDLE - LEAD)
    tab.has_heard("warning", 1)
    tab.page.evaluate("heard.warning[0].signOut()")
    tab.has_heard("ended", 1)
    assert tab.page.url.endswith("/account")


def test_a_page_that_signs_in_without_being_loaded_again_is_followed_from_when_it_says_so(timed_site, context, clock):
    tab = Tab(context, timed_site, clock).open()
    tab.hears("active")
    fetch(tab.page, "/login", "POST")
    tab.check()
    tab.has_heard("active", 1)
    tab.sleep(IDLE - LEAD)
    expect(tab.dialog).to_be_visible()


def test_a_page_of_somebody_who_never_signed_in_is_left_alone(timed_site, context, clock):
    tab = Tab(context, timed_site, clock).open()
    tab.hears("ended")
    with tab.page.expect_response("**/session"):
        tab.check()
    assert tab.page.evaluate("window.heard.ended.length") == 0
    assert tab.page.url.endswith("/account")


def test_a_page_made_for_somebody_signed_in_leaves_although_the_session_ended_before_its_first_look(
    serve, context, clock
):
    site = serve(timed_pages('data-signed-in="true" data-sign-in-url="/sign-in"', clock=clock))
    tab = Tab(context, site, clock).open()
    tab.page.wait_for_url(f"{site}/sign-in")
