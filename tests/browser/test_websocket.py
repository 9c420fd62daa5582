"""A WebSocket whose route changes the session before it accepts."""

import pytest
from fastapi import WebSocket

from tests.browser.fetching import fetch, jar
from tests.shop import COOKIE, Current, shop

# Open a socket, and tell what it sends first.
LISTEN = """path => new Promise((resolve, reject) => {
  const socket = new WebSocket(path)
  socket.onmessage = event => resolve(JSON.parse(event.data))
  socket.onclose = () => reject(new Error("closed without a message"))
})"""


@pytest.fixture
def site(serve):
    app = shop(max_cookies=3)

    @app.websocket("/live")
    async def live(socket: WebSocket, session: Current) -> None:
        if "end" in socket.query_params:
            session.destroy()
        else:
            session.cart.append("from the socket")
            session.note = "n" * int(socket.query_params.get("note", 0))
        await socket.accept()
        await socket.send_json(session.cart)
        await socket.close()

    return serve(app)


def test_a_session_that_begins_with_the_handshake_is_kept(page, context, site):
    page.goto(f"{site}/public")
    assert page.evaluate(LISTEN, "/live") == ["from the socket"]
    assert list(jar(context)) == [COOKIE]
    assert fetch(page, "/cart") == ["from the socket"]


def test_the_handshake_brings_the_session_and_takes_the_change_back(page, site):
    page.goto(f"{site}/public")
    fetch(page, "/cart/tea", "POST")
    assert page.evaluate(LISTEN, "/live") == ["tea", "from the socket"]
    assert fetch(page, "/cart/milk", "POST") == ["tea", "from the socket", "milk"]


def test_every_chunk_comes_with_the_handshake(page, context, site):
    page.goto(f"{site}/public")
    page.evaluate(LISTEN, "/live?note=8000")
    assert sorted(jar(context)) == [COOKIE, f"{COOKIE}.1", f"{COOKIE}.2"]
    assert len(fetch(page, "/view")["note"]) == 8_000


def test_a_session_destroyed_in_the_handshake_is_gone(page, context, site):
    page.goto(f"{site}/public")
    # Two cookies: the websockets package, which uvicorn uses, reads no header line of more than 8,192 bytes.
    fetch(page, "/note/5000", "POST")
    assert sorted(jar(context)) == [COOKIE, f"{COOKIE}.1"]
    page.evaluate(LISTEN, "/live?end")
    assert jar(context) == {}
    assert fetch(page, "/cart") == []
