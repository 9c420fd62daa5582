"""The shop with an inspector in it, a browser on the same machine, and what its page says."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from fastsession.inspector import SessionInspector
from tests.shop import shop

PAGE = "/_session/"
ORIGIN = "https://localhost"


@contextmanager
def logger_kept() -> Iterator[None]:
    """Leave the library's logger as it was: an inspector listens to it for as long as the process runs."""
    logger = logging.getLogger("fastsession")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers = handlers
    logger.setLevel(level)


def inspected_shop(**options: Any) -> FastAPI:
    """The shop behind a session middleware with these options, and the inspector mounted in it."""
    app = shop(**options)
    app.mount("/_session", SessionInspector(enabled=True))
    return app


def local_browser(app: Any, *, base_url: str = ORIGIN, address: str = "127.0.0.1") -> TestClient:
    """A client on this machine with a cookie jar."""
    return TestClient(app, base_url=base_url, client=(address, 50_000))


def attempt(client: TestClient, experiment: str) -> Any:
    """The page that answers a press of one of the inspector's buttons."""
    return client.post(f"{PAGE}try?experiment={experiment}", headers={"origin": ORIGIN})


def panel(response: Any, name: str) -> str:
    """The text of one part of the page, by its id."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", _part(response, name))).split())


def status(response: Any, name: str = "server") -> str:
    """The status in one part of the page: how the server received the visitor's own cookie, or the last attempt."""
    found = re.search(r'class="badge \w+"><span[^>]*>.</span> (\w+)<', _part(response, name))
    assert found, panel(response, name)
    return found[1]


def _part(response: Any, name: str) -> str:
    assert response.status_code == 200, response.text
    _, found, rest = response.text.partition(f'id="{name}"')
    assert found, name
    return rest.partition(">")[2].partition("<section")[0].partition("<footer")[0]
