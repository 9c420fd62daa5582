"""The pair of docs/beside-a-front-end.md, run as it stands there: route handlers in Node beside the FastAPI app."""

import re
from pathlib import Path

import httpx
import pytest

from fastsession import generate_key
from tests.formats.live.servers import asgi_server, beside_the_packages, node_server

PAGE = (Path(__file__).parents[3] / "docs" / "beside-a-front-end.md").read_text()
FILES = re.findall(r"^```js\n// (\S+\.js)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PYTHON,) = (block for block in BLOCKS if "def create_app" in block)
PASSWORD = "shared by the two servers of this test"


def browser_on_loopback():
    """A client that sends Secure cookies over plain http, as browsers do on loopback."""

    def send_cookies(request):
        request.headers["cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)

    client = httpx.Client(event_hooks={"request": [send_cookies]})
    return client


@pytest.fixture
def routes(peer):
    """A folder with the page's JavaScript files, and the script that serves them."""
    with beside_the_packages() as folder:
        for name, text in FILES:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        yield folder


@pytest.fixture
def servers(routes, monkeypatch):
    monkeypatch.setenv("SESSION_SECRET", generate_key())
    monkeypatch.setenv("SHARED_PASSWORD", PASSWORD)
    namespace = {"__name__": "shop"}
    exec(compile(PYTHON, "beside-a-front-end.md", "exec"), namespace)
    with (
        asgi_server(namespace["create_app"]()) as api,
        node_server(routes / "routes.mjs", str(routes), SHARED_PASSWORD=PASSWORD) as front,
        browser_on_loopback() as browser,
    ):
        yield browser, api, front


def test_the_page_has_the_files_of_a_next_app():
    assert [name for name, _ in FILES] == ["lib/session.js", "app/cart/route.js", "app/logout/route.js"]


def test_both_sides_fill_one_cart_and_logout_at_the_front_end_ends_the_session(servers):
    browser, api, front = servers
    assert browser.post(f"{api}/api/login").status_code == 200
    assert browser.post(f"{api}/api/cart/tea").json() == ["tea"]
    assert browser.post(f"{front}/cart", json={"item": "milk"}).json() == {"cart": ["tea", "milk"]}
    assert browser.post(f"{api}/api/cart/bread").json() == ["tea", "milk", "bread"]
    assert browser.get(f"{front}/cart").json() == {"user": 42, "cart": ["tea", "milk", "bread"]}
    assert [cookie.name for cookie in browser.cookies.jar] == ["__Host-shop"]
    assert browser.post(f"{front}/logout").status_code == 204
    assert list(browser.cookies.jar) == []
    assert browser.get(f"{api}/api/cart").json() == []


def test_logout_at_the_back_end_ends_the_session_too(servers):
    browser, api, front = servers
    browser.post(f"{front}/cart", json={"item": "tea"})
    assert browser.get(f"{api}/api/cart").json() == ["tea"]
    browser.post(f"{api}/api/logout")
    assert browser.get(f"{front}/cart").json() == {"user": None, "cart": []}
