"""What a page's script and a browser's jar of cookies know."""

from typing import Any

from playwright.sync_api import BrowserContext, Frame, Page


def fetch(page: Page | Frame, path: str, method: str = "GET") -> Any:
    """The JSON that a script on the page gets from the page's own server, cookies included."""
    return page.evaluate("async ([path, method]) => (await fetch(path, {method})).json()", [path, method])


def jar(context: BrowserContext) -> dict[str, str]:
    """Names and values of the cookies that the browser holds, HttpOnly ones too."""
    return {cookie["name"]: cookie["value"] for cookie in context.cookies()}
