"""The example shop served from a temporary SQLite file, and browsers that send its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from example_app.accounts import DEMO_EMAIL, DEMO_PASSWORD
from example_app.app import create_app
from fastsession import generate_key
from fastsession.stores import SQLiteStore
from fastsession.testing import Clock

COOKIE = "__Host-shop_session"
GRACE = "grace@example.org"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)


def create_shop(folder: Path, clock: Clock, secret_key: str | None = None, **options: Any) -> Any:
    # Patient, because other tests may keep the disk busy.
    store = SQLiteStore(folder / "sessions.sqlite3", timeout=5, clock=clock)
    return create_app(secret_key or generate_key(), store, clock=clock, **options)


@contextmanager
def serving(app: Any) -> Iterator[TestClient]:
    """A browser at the running shop."""
    with TestClient(app, base_url="https://shop.example") as browser:
        yield browser


def another_browser(browser: TestClient, user_agent: str = "") -> TestClient:
    """A second browser, with a cookie jar of its own, at the shop that the first one is at."""
    other = TestClient(browser.app, base_url="https://shop.example", headers={"user-agent": user_agent})
    # The event loop that the shop runs in: its store belongs to one.
    other.portal = browser.portal
    return other


def token_in(page: str) -> str:
    """The CSRF token that a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "no form on this page"
    return found[1]


def send(browser: TestClient, page: str, action: str, **fields: Any) -> Any:
    """Send a form from a page, with the token that the page holds, and follow to the page that comes after."""
    return browser.post(action, data={**fields, "csrf_token": token_in(browser.get(page).text)})


def sign_in(browser: TestClient, *, page: str = "/sign-in", **fields: Any) -> Any:
    following = re.search(r'name="next" value="([^"]+)"', browser.get(page).text)
    assert following, "this page does not ask to sign in"
    return send(
        browser, page, "/sign-in", **{"email": DEMO_EMAIL, "password": DEMO_PASSWORD, "next": following[1], **fields}
    )
