"""`same_origin` by the headers alone; what browsers really send is tried in tests/browser."""

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from fastsession import ConfigurationError, SameOrigin, same_origin
from tests.shop import Current, browser, shop

HOST = "testserver"
OWN = f"https://{HOST}"
PROVIDER = "https://accounts.example.com"
# Sec-Fetch-Site, Origin, and whether an unsafe request may pass.
REQUESTS = [
    ("same-origin", None, True),
    ("same-origin", OWN, True),
    # The browser's own finding comes first: a proxy may have changed Host.
    ("same-origin", "https://elsewhere.example", True),
    ("none", None, True),
    ("none", "https://elsewhere.example", True),
    ("same-site", None, False),
    ("same-site", OWN, False),
    ("same-site", f"https://blog.{HOST}", False),
    ("cross-site", None, False),
    ("cross-site", OWN, False),
    ("cross-site", PROVIDER, False),
    ("", None, False),
    ("", OWN, False),
    ("Same-Origin", OWN, False),
    ("same-origin, cross-site", OWN, False),
    ("anything", OWN, False),
    (None, OWN, True),
    (None, f"http://{HOST}", True),
    (None, f"HTTPS://{HOST.upper()}", True),
    (None, f"{OWN}:443", True),
    (None, f"{OWN}:8443", False),
    (None, f"http://{HOST}:443", False),
    (None, f"{OWN}.example", False),
    (None, f"https://x{HOST}", False),
    (None, f"https://blog.{HOST}", False),
    (None, f"https://elsewhere.example@{HOST}", False),
    (None, f"https://{HOST}@elsewhere.example", False),
    (None, f"{OWN}/", False),
    (None, f"{OWN} https://elsewhere.example", False),
    (None, f"{OWN}, https://elsewhere.example", False),
    (None, f" {OWN}:", False),
    (None, f"{OWN}:99999", False),
    (None, "https://elsewhere.example", False),
    (None, "null", False),
    (None, "", False),
    (None, HOST, False),
    (None, f"//{HOST}", False),
    (None, "file://", False),
    (None, "https://*", False),
    (None, "https://[::1", False),
    (None, "https://[:::]", False),
    # No browser of today: curl, an app, a test client.
    (None, None, True),
]
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "BREW"]
SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"]


def guarded(guard=same_origin):
    app = FastAPI(dependencies=[Depends(guard)])
    app.include_router(shop_routes())
    return app


def shop_routes():
    router = APIRouter()
    router.add_api_route("/do", lambda: "done", methods=[*SAFE, *UNSAFE])

    @router.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("in")
        await socket.close()

    return router


def headers(site, origin, **more):
    said = {"sec-fetch-site": site, "origin": origin, **more}
    return {name: value for name, value in said.items() if value is not None}


def handshake(app, sent, url=f"wss://{HOST}/live"):
    """Whether a WebSocket is let in; refused, it is closed before it is accepted."""
    try:
        with browser(app).websocket_connect(url, headers=sent) as socket:
            return socket.receive_text() == "in"
    except WebSocketDisconnect as refusal:
        return {1008: False}[refusal.code]


@pytest.mark.parametrize(("site", "origin", "passes"), REQUESTS)
def test_an_unsafe_request(site, origin, passes):
    client = browser(guarded())
    for method in UNSAFE:
        response = client.request(method, "/do", headers=headers(site, origin))
        assert response.status_code == (200 if passes else 403)
        if not passes:
            assert response.json() == {"detail": "This request came from another origin"}


@pytest.mark.parametrize(("site", "origin", "passes"), REQUESTS)
def test_a_websocket_handshake(site, origin, passes):
    assert handshake(guarded(), headers(site, origin)) is passes


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize(("site", "origin"), [("cross-site", None), ("same-site", None), (None, "null")])
def test_a_safe_method_passes_from_anywhere(method, site, origin):
    assert browser(guarded()).request(method, "/do", headers=headers(site, origin)).status_code == 200


# Host, Origin, and whether they are one.
HOSTS = [
    ("shop.example", "https://shop.example", True),
    ("shop.example:443", "https://shop.example", True),
    ("SHOP.example", "https://shop.EXAMPLE", True),
    ("shop.example:80", "http://shop.example", True),
    ("shop.example:80", "https://shop.example", False),
    ("shop.example:8000", "http://shop.example:8000", True),
    ("shop.example:8000", "http://shop.example:8001", False),
    ("shop.example:8000", "http://shop.example", False),
    ("shop.example", "http://shop.example:8000", False),
    ("localhost:8000", "http://localhost:8000", True),
    ("localhost:8000", "http://127.0.0.1:8000", False),
    ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
    ("[::1]:8000", "http://[::1]:8000", True),
    ("[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000", True),
    ("[::1]", "https://[::1]:443", True),
    ("[::1]:8000", "http://[::2]:8000", False),
    ("[2001:DB8::1]", "https://[2001:db8::1]", True),
    ("xn--bcher-kva.example", "https://xn--bcher-kva.example", True),
    ("xn--bcher-kva.example", "https://bucher.example", False),
    ("shop_test.example", "https://shop_test.example", True),
    ("shop.example.", "https://shop.example.", True),
    ("shop.example", "capacitor://shop.example", False),
    ("shop.example, evil.example", "https://shop.example", False),
    ("user@shop.example", "https://shop.example", False),
    ("", "https://", False),
]


@pytest.mark.parametrize(("host", "origin", "passes"), HOSTS)
def test_origin_against_host(host, origin, passes):
    client = browser(guarded())
    assert client.post("/do", headers={"host": host, "origin": origin}).status_code == (200 if passes else 403)


@pytest.mark.parametrize("lines", [["https://elsewhere.example", OWN], [OWN, "https://elsewhere.example"], [OWN, OWN]])
def test_two_origins_are_none(lines):
    sent = [("origin", line) for line in lines]
    assert browser(guarded()).post("/do", headers=sent).status_code == 403


def test_forwarded_names_are_not_believed():
    forwarded = {
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
        "x-forwarded-server": "evil.example",
    }
    response = browser(guarded()).post("/do", headers={"origin": "https://evil.example", **forwarded})
    assert response.status_code == 403


def test_tls_may_end_at_a_proxy():
    client = browser(guarded(), base_url="http://shop.example")
    assert client.post("/do", headers={"origin": "https://shop.example"}).status_code == 200


TRUSTED = SameOrigin(
    trusted=[PROVIDER, "https://Shop.example:443", "http://[0:0:0:0:0:0:0:1]:3000", "capacitor://localhost"]
)


@pytest.mark.parametrize(
    ("site", "origin", "passes"),
    [
        ("cross-site", PROVIDER, True),
        ("same-site", PROVIDER, True),
        (None, PROVIDER, True),
        (None, PROVIDER.upper(), True),
        ("cross-site", f"{PROVIDER}:443", True),
        ("cross-site", "https://shop.example", True),
        ("cross-site", "http://[::1]:3000", True),
        ("cross-site", "capacitor://localhost", True),
        ("cross-site", PROVIDER.replace("https", "http"), False),
        ("cross-site", f"{PROVIDER}:8443", False),
        ("cross-site", f"{PROVIDER}.evil.example", False),
        ("cross-site", "https://x.accounts.example.com", False),
        ("cross-site", "null", False),
        ("cross-site", None, False),
        ("cross-site", OWN, False),
        ("same-origin", None, True),
        (None, OWN, True),
    ],
)
def test_trusted_origins_pass_and_no_others(site, origin, passes):
    app = guarded(TRUSTED)
    response = browser(app).post("/do", headers=headers(site, origin))
    assert response.status_code == (200 if passes else 403)
    assert handshake(app, headers(site, origin)) is passes


@pytest.mark.parametrize(
    "origin",
    [
        "accounts.example.com",
        f"{PROVIDER}/",
        f"{PROVIDER}/callback",
        f"{PROVIDER}?x",
        f"{PROVIDER}#x",
        "https://*.example.com",
        "*",
        "https://",
        "null",
        "",
        f" {PROVIDER}",
        f"{PROVIDER} ",
        "https://user@example.com",
        "https://example.com:port",
        "https://example.com:99999",
        "https://[::1",
        "https://[1:2]",
        "https://bücher.example",
        b"https://example.com",
        None,
        443,
    ],
)
def test_a_trusted_origin_is_written_as_browsers_send_it(origin):
    with pytest.raises(ConfigurationError, match=r"is not an origin.*https://accounts\.example\.com"):
        SameOrigin(trusted=[origin])


@pytest.mark.parametrize("trusted", [PROVIDER, None, 5])
def test_trusted_is_a_list(trusted):
    with pytest.raises(ConfigurationError, match="takes a list of origins"):
        SameOrigin(trusted=trusted)


def test_a_refused_request_changes_nothing_and_a_callback_without_the_guard_works():
    app = shop()

    @app.post("/transfer", dependencies=[Depends(same_origin)])
    async def transfer(session: Current) -> None:
        session.cart.append("bought")

    @app.post("/callback")
    async def callback(session: Current) -> None:
        session.cart.append("called back")

    client = browser(app)
    refused = client.post("/transfer", headers={"sec-fetch-site": "cross-site", "origin": PROVIDER})
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    client.post("/callback", headers={"sec-fetch-site": "cross-site", "origin": PROVIDER})
    assert client.get("/cart").json() == ["called back"]
