"""The session inspector in the example shop: there in development, and only there."""

import re

import pytest

from tests.example_shop import create_shop, sign_in
from tests.inspector.local import PAGE, attempt, local_browser, logger_kept, panel, status


@pytest.fixture
def inspected(tmp_path, clock):
    """The shop as it runs in development, and a browser on the same machine."""
    with logger_kept(), local_browser(create_shop(tmp_path, clock, inspector=True)) as browser:
        yield browser


def test_the_inspector_is_not_there_unless_it_is_asked_for(tmp_path, clock):
    with local_browser(create_shop(tmp_path, clock)) as browser:
        assert browser.get(PAGE).status_code == 404
        assert PAGE not in browser.get("/").text


def test_every_page_says_where_the_inspector_is_in_development(inspected):
    for path in ("/", "/cart", "/nowhere"):
        assert f'href="{PAGE}"' in inspected.get(path).text


def test_the_inspector_shows_the_shop_s_session(inspected):
    sign_in(inspected)
    page = inspected.get(PAGE)
    assert status(page) == "valid"
    assert "account_id" in panel(page, "server")


def test_the_inspector_leads_back_to_the_shop(inspected):
    [back] = re.findall(r'href="([^"]+)">Back to the application', inspected.get(PAGE).text)
    assert "Things for the house" in inspected.get(f"{PAGE}{back}").text


def test_an_experiment_needs_no_token_of_the_shop_s_forms(inspected):
    sign_in(inspected)
    assert status(attempt(inspected, "flip"), "result") == "forged"
    assert inspected.get("/account").url.path == "/account"
