"""Nobody but a browser on this machine finds an inspector, and only where one was asked for."""

import pytest

from fastsession import ConfigurationError
from fastsession.inspector import SessionInspector
from fastsession.inspector.access import is_local
from tests.inspector.local import ORIGIN, PAGE, attempt, inspected_shop, local_browser, status
from tests.wire import call, http_scope

PROXY_HEADERS = [
    ("forwarded", "for=203.0.113.9"),
    ("via", "1.1 edge"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-port", "443"),
    ("x-real-ip", "127.0.0.1"),
]


@pytest.mark.parametrize("options", [{}, {"enabled": False}, {"enabled": "no"}, {"enabled": 1}])
def test_an_inspector_that_is_not_switched_on_is_refused(options):
    with pytest.raises(ConfigurationError, match=r"SessionInspector\(enabled=True\)"):
        SessionInspector(**options)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]:8000"])
def test_a_loopback_name_is_answered(client, host):
    assert client.get(PAGE, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["shop.example", "localhost.shop.example", "127.0.0.1.shop.example", "127.0.0.2", "localhost@shop.example", ""],
)
def test_a_foreign_name_finds_nothing(client, host):
    assert client.get(PAGE, headers={"host": host}).status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_loopback_address_is_answered(clock, address):
    client = local_browser(inspected_shop(clock=clock), address=address)
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.4", "172.17.0.1", "::ffff:10.0.0.4", "testclient", ""])
def test_another_machine_finds_nothing(clock, address):
    client = local_browser(inspected_shop(clock=clock), address=address)
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize(("name", "value"), PROXY_HEADERS)
def test_what_came_through_a_proxy_finds_nothing(client, name, value):
    assert client.get(PAGE, headers={name: value}).status_code == 404


def test_a_proxy_that_says_nothing_is_known_by_its_http_version():
    scope = http_scope(headers=[]) | {"client": ("127.0.0.1", 50_000), "headers": [(b"host", b"127.0.0.1:8000")]}
    assert is_local(scope)
    assert not is_local(scope | {"http_version": "1.0"})


def test_a_peer_behind_a_unix_socket_finds_nothing():
    scope = http_scope() | {"client": None, "headers": [(b"host", b"localhost")]}
    assert not is_local(scope)


def test_two_host_headers_find_nothing():
    scope = http_scope() | {"client": ("127.0.0.1", 50_000), "headers": [(b"host", b"localhost")] * 2}
    assert not is_local(scope)


@pytest.mark.parametrize("path", ["", "inspector.css", "inspector.js", "try?experiment=flip"])
def test_every_path_of_it_is_hidden_from_other_machines(clock, path):
    stranger = local_browser(inspected_shop(clock=clock), address="203.0.113.9")
    nothing = stranger.get("/nowhere")
    for found in stranger.get(PAGE + path), stranger.post(PAGE + path, headers={"origin": ORIGIN}):
        assert (found.status_code, found.headers, found.content) == (404, nothing.headers, nothing.content)


def test_a_form_of_this_origin_is_taken_by_its_fetch_metadata_too(client):
    client.post("/cart/tea")
    own = client.post(f"{PAGE}try?experiment=flip", headers={"sec-fetch-site": "same-origin"})
    assert status(own, "result") == "forged"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://shop.example"},
        {"origin": "https://localhost:8001"},
        {"origin": "https://shop.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_form_of_another_origin_is_refused(client, headers):
    assert client.post(f"{PAGE}try?experiment=flip", headers=headers).status_code == 403


def test_experiments_are_not_made_by_links(client):
    assert client.get(f"{PAGE}try?experiment=flip").status_code == 405


def test_an_unknown_experiment_is_not_found(client):
    assert attempt(client, "sell").status_code == 404


def test_the_page_runs_only_its_own_script_and_is_kept_by_nobody(client):
    headers = client.get(PAGE).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["vary"] == "Cookie"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(("name", "type_"), [("inspector.css", "text/css"), ("inspector.js", "text/javascript")])
def test_style_and_script_are_files_of_its_own(client, name, type_):
    response = client.get(PAGE + name)
    assert response.headers["content-type"].startswith(type_)
    assert f'"{name}"' in client.get(PAGE).text


def test_without_a_session_middleware_it_says_what_is_missing():
    scope = http_scope() | {"client": ("127.0.0.1", 50_000), "headers": [(b"host", b"localhost")]}
    with pytest.raises(ConfigurationError, match="models here are: none"):
        call(SessionInspector(enabled=True), scope)


def test_a_websocket_finds_nothing(client):
    scope = http_scope() | {"type": "websocket"}
    [message] = call(SessionInspector(enabled=True), scope)
    assert message["type"] == "websocket.close"
