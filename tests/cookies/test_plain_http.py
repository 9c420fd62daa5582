"""Where browsers drop a Secure cookie: over plain http, unless the host is this machine."""

import pytest

from fastsession.response_headers import PLAIN_HTTP_WARNING, drops_secure_cookies

LOOPBACK = ["localhost", "localhost:8000", "shop.localhost", "shop.localhost:80", "127.0.0.1", "127.0.0.1:8000"]
LOOPBACK += ["127.8.9.1", "[::1]", "[::1]:8000"]
ELSEWHERE = ["testserver", "example.org:80", "localhost.example.org", "notlocalhost", "10.0.0.1", "192.168.1.2:8000"]
ELSEWHERE += ["[2001:db8::1]:80", "0.0.0.0", "128.0.0.1", "", ":80", "[", "127.0.0.1.example.org", "\xff"]


def scope(scheme, host):
    return {"scheme": scheme, "headers": [(b"accept", b"*/*"), (b"host", host.encode("latin-1"))]}


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("host", ELSEWHERE)
def test_plain_http_to_another_host_drops_the_cookie(scheme, host):
    assert drops_secure_cookies(scope(scheme, host))


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_plain_http_to_this_machine_keeps_the_cookie(scheme, host):
    assert not drops_secure_cookies(scope(scheme, host))


@pytest.mark.parametrize("scheme", ["https", "wss"])
@pytest.mark.parametrize("host", LOOPBACK + ELSEWHERE)
def test_tls_keeps_the_cookie(scheme, host):
    assert not drops_secure_cookies(scope(scheme, host))


def test_a_request_without_a_host_or_a_scheme_is_plain_http_to_another_host():
    assert drops_secure_cookies({"headers": []})


@pytest.mark.parametrize("cure", ["TLS", "X-Forwarded-Proto", "https_only=False"])
def test_the_warning_names_the_cures(cure):
    assert cure in PLAIN_HTTP_WARNING
