"""Only pages of the same origin learn of a session, renew it or end it."""

import pytest

from tests.shop import IDLE, set_cookies
from tests.timed_shop import status, timed_shop, visitor

HOST = "testserver"
READING, ALL = {"GET", "HEAD"}, {"GET", "HEAD", "POST", "DELETE"}
# Sec-Fetch-Site, Origin, and the methods that are answered.
REQUESTS = [
    ("same-origin", None, ALL),
    ("same-origin", "https://elsewhere.example", ALL),
    ("same-site", None, {}),
    ("cross-site", None, {}),
    ("cross-site", f"https://{HOST}", {}),
    ("none", None, {}),
    ("", None, {}),
    (None, f"https://{HOST}", ALL),
    (None, f"http://{HOST}", ALL),
    (None, f"https://{HOST}:8443", {}),
    (None, f"https://{HOST}.example", {}),
    (None, "https://elsewhere.example", {}),
    (None, "null", {}),
    (None, "", {}),
    (None, HOST, {}),
    (None, None, READING),
]


@pytest.fixture
def client(clock):
    client = visitor(timed_shop(clock=clock))
    clock.advance(IDLE // 2)
    return client


def ask(client, method, site, origin):
    del client.headers["sec-fetch-site"]
    said = {"sec-fetch-site": site, "origin": origin}
    return client.request(
        method, "/session", headers={name: value for name, value in said.items() if value is not None}
    )


@pytest.mark.parametrize(("site", "origin", "answered"), REQUESTS)
@pytest.mark.parametrize("method", sorted(ALL))
def test_who_is_answered(client, method, site, origin, answered):
    response = ask(client, method, site, origin)
    assert response.status_code == ({"POST": 204, "DELETE": 204}.get(method, 200) if method in answered else 403)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_refused_request_leaves_the_session_as_it_is(client, method):
    response = ask(client, method, "same-site", None)
    assert (response.status_code, response.json()) == (403, {"detail": "Forbidden"})
    assert set_cookies(response) == []
    client.headers["sec-fetch-site"] = "same-origin"
    assert status(client)["idle_left"] == IDLE // 2
