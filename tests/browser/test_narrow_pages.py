"""Every page of the example shop on a phone: no word of a heading is broken, and no table hides its last column."""

import pytest

from tests.browser.screenshots import touring
from tests.browser.test_inspector import begin
from tests.inspector.local import inspected_shop, logger_kept
from tests.shop import ShopSession

# Words of headings and buttons that are on two lines. A hyphen is a place to break.
BROKEN_WORDS = """() => [...document.querySelectorAll("h1, h2, h3, caption, th, dt, label, button, .button")].flatMap(element => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const broken = [];
    while (texts.nextNode())
        for (const word of texts.currentNode.data.matchAll(/[^\\s-]+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1) broken.push(word[0]);
        }
    return broken;
})"""
# What is wider than the place it has.
CUT_OFF = """() => [...document.querySelectorAll("html, .scroll")]
    .filter(element => element.scrollWidth > element.clientWidth)
    .map(element => element.ariaLabel ?? element.tagName)"""


class LongNames(ShopSession):
    preferred_delivery_address_of_the_customer: str = "x" * 200


@pytest.mark.parametrize("width", [320, 390])
def test_headings_are_whole_and_nothing_is_cut_off(chromium, width):
    with touring(chromium, (width, 800), "light") as stops:
        faults = {stop: (page.evaluate(BROKEN_WORDS), page.evaluate(CUT_OFF)) for stop, page in stops}
    assert len(faults) > 15
    assert {stop: fault for stop, fault in faults.items() if fault != ([], [])} == {}


def test_a_session_with_long_names_fits_into_the_inspector(serve, page):
    page.set_viewport_size({"width": 390, "height": 800})
    with logger_kept():
        begin(page, serve(inspected_shop(model=LongNames), "localhost", tls=False))
        assert page.get_by_text("preferred_delivery_address_of_the_customer").is_visible()
        assert page.evaluate(CUT_OFF) == []


def test_a_table_that_is_too_wide_after_all_has_a_shadow_at_the_edge(serve, page):
    page.set_viewport_size({"width": 660, "height": 800})
    with logger_kept():
        begin(page, serve(inspected_shop(), "localhost", tls=False))
        page.locator(".legend td").first.evaluate("cell => (cell.innerHTML = '&nbsp;'.repeat(200))")
        assert page.evaluate(CUT_OFF) == ["Fields"]
        shadows = page.locator(".scroll").first.evaluate("element => getComputedStyle(element).backgroundAttachment")
    assert shadows == "local, local, scroll, scroll"
