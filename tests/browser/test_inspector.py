"""The session inspector in a real browser: its time moves, and its buttons need no script."""

import pytest
from playwright.sync_api import expect

from fastsession.testing import Clock
from tests.inspector.local import inspected_shop, logger_kept
from tests.shop import IDLE, MINUTE

SCHEMES_AND_WIDTHS = [("light", 390), ("light", 1280), ("dark", 390), ("dark", 1280)]


@pytest.fixture
def site(serve):
    with logger_kept():
        yield serve(inspected_shop(clock=Clock()), "localhost", tls=False)


def begin(page, site):
    """Have a session, and open the inspector on it."""
    page.goto(site)
    page.evaluate("fetch('/cart/tea', {method: 'POST'})")
    page.goto(f"{site}/_session/")


def deadline(page, name="idle"):
    """How far away one of the times is."""
    return page.locator(f'[data-distance="{name}"]')


def now_on_the_idle_track(page):
    return float(page.locator('[data-to="idle"] [data-mark="now"]').get_attribute("x").rstrip("%"))


def test_the_time_moves_towards_the_deadlines(site, page):
    page.clock.install()
    begin(page, site)
    expect(deadline(page)).to_have_text("in 0:30:00")
    page.clock.run_for(10 * MINUTE * 1000)
    expect(deadline(page)).to_have_text("in 0:20:00")
    expect(deadline(page, "created")).to_have_text("0:10:00 ago")
    expect(deadline(page, "absolute")).to_have_text("in 11:50:00")
    assert now_on_the_idle_track(page) == pytest.approx(100 / 3, abs=0.1)


def test_the_page_says_when_the_session_is_over(site, page):
    page.clock.install()
    begin(page, site)
    over = page.locator("[data-over]")
    expect(over).to_have_text("")
    page.clock.fast_forward((IDLE + 1) * 1000)
    expect(over).to_have_text("The session is over: its next request will be expired_idle.")
    assert now_on_the_idle_track(page) == 100


def test_the_policy_lets_through_all_that_the_page_uses(site, page):
    refused = []
    page.on("console", lambda message: refused.append(message.text) if "Policy" in message.text else None)
    begin(page, site)
    expect(page.get_by_role("heading", name="Session inspector")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"
    assert refused == []


def test_a_button_leads_to_its_result(site, page):
    begin(page, site)
    page.get_by_role("button", name="Flip a bit").press("Enter")
    result = page.locator("#result")
    expect(result).to_contain_text("forged")
    expect(result).to_be_focused()
    expect(page.locator("#log")).to_contain_text("rejected")


def test_a_button_needs_no_script(site, page, context, new_context):
    begin(page, site)
    without_script = new_context(java_script_enabled=False, storage_state=context.storage_state()).new_page()
    without_script.goto(f"{site}/_session/")
    expect(deadline(without_script)).to_contain_text("in 0:")
    without_script.get_by_role("button", name="Wait too long").click()
    expect(without_script.locator("#result")).to_contain_text("expired_idle")


@pytest.mark.parametrize(("scheme", "width"), SCHEMES_AND_WIDTHS)
def test_the_page_is_no_wider_than_the_window(site, new_context, scheme, width):
    page = new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
    begin(page, site)
    assert page.evaluate("document.documentElement.scrollWidth") == width
